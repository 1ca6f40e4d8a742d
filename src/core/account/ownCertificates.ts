import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import { SingleFlight } from '../base/singleFlight.ts';
import type { Address } from '../base/types.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import type { OwnCertificateRecord, OwnCertificateStore } from '../store/ownCertificateStore.ts';

const DAY = 86_400_000;
/** PROTOCOL 5: a new encryption subkey every 30 days, the old one gone after 60. */
export const SUBKEY_ROTATION_MS = 30 * DAY;
export const SUBKEY_LIFE_MS = 60 * DAY;
/** How often it is looked whether a subkey is due. */
const LOOK_MS = DAY / 4;

/** An account's own certificate, without its secret. */
export interface OwnCertificate {
  readonly accountId: string;
  /** Upper-case hex, 64 characters; the same for the life of the certificate. */
  readonly fingerprint: string;
  /** Binary transferable public key, about 15 KB. */
  readonly certificate: Buffer;
  readonly createdAt: number;
  readonly rotatedAt: number;
}

export interface OwnCertificatesDeps {
  readonly store: OwnCertificateStore;
  readonly pgp: PgpEngine;
  readonly clock: Clock;
  readonly log: Log;
  /** The accounts there are, with their own mailboxes. */
  readonly accounts: () => readonly { readonly id: string; readonly address: Address }[];
  /** Learns the epoch keys that other windows made meanwhile (SecureStorage.ensureEpoch). */
  readonly refresh: () => Promise<void>;
}

/**
 * The own certificate of each account: made once, in the background where nobody has to wait for it; its encryption subkey is renewed
 * every 30 days and taken out, secret and all, after 60. Several windows share one: whoever stores first wins.
 */
export class OwnCertificates implements Disposable {
  readonly #deps: OwnCertificatesDeps;
  readonly #flights = new SingleFlight<OwnCertificate>();
  /** Certificates whose secret key could be read since this window opened. */
  readonly #readable = new Set<string>();
  #next: Disposable | undefined;
  #disposed = false;

  constructor(deps: OwnCertificatesDeps) {
    this.#deps = deps;
  }

  /** Makes and renews what is due, now and from here on. Failures are logged and tried again. */
  start(): void {
    if (this.#disposed) return;
    this.#next?.dispose();
    this.#next = this.#deps.clock.after(LOOK_MS, () => this.start());
    for (const { id } of this.#deps.accounts()) {
      this.get(id).catch((error: unknown) => {
        if (!this.#disposed) this.#deps.log.warn('own-certificate-failed', { code: QuMailError.from(error).code });
      });
    }
  }

  /**
   * The account's certificate with a subkey that is not due for renewal; made or renewed where need be.
   *
   * @throws QuMailError `account.missing`, `store.*`
   */
  get(accountId: string): Promise<OwnCertificate> {
    const known = this.peek(accountId);
    const readable = known && this.#isReadable(known);
    if (known && readable && !this.#isDue(known)) return Promise.resolve(known);
    return this.#flights.run(accountId, () => (readable ? this.#renew(accountId) : this.#make(accountId)));
  }

  /** The account's certificate where there is one, without making any. */
  peek(accountId: string): OwnCertificate | undefined {
    return this.#deps.store.get(accountId);
  }

  /**
   * Runs `use` with the account's secret key (an unprotected transferable secret key that holds every subkey not yet taken out), which is
   * wiped afterwards; undefined where the account has no certificate yet. Another window may have sealed it under a newer epoch than this
   * one knows: then that is learned first.
   *
   * @throws QuMailError `store.secret-missing`, `store.corrupt`, and what `use` throws
   */
  async withSecret<T>(accountId: string, use: (secretKey: Buffer | undefined) => Promise<T>): Promise<T> {
    const secretKey = await this.#secretOf(accountId);
    try {
      return await use(secretKey);
    } finally {
      wipe(secretKey);
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#next?.dispose();
  }

  async #secretOf(accountId: string): Promise<Buffer | undefined> {
    try {
      return this.#deps.store.secretOf(accountId);
    } catch (error) {
      if (!QuMailError.is(error, 'store.secret-missing')) throw error;
      await this.#deps.refresh();
      return this.#deps.store.secretOf(accountId);
    }
  }

  #isDue({ rotatedAt }: OwnCertificate): boolean {
    return this.#deps.clock.now() - rotatedAt >= SUBKEY_ROTATION_MS;
  }

  /** Where the desktop's keyring lost its keys, the certificate can no longer open or sign anything, and another one takes its place. */
  #isReadable({ accountId, fingerprint }: OwnCertificate): boolean {
    if (this.#readable.has(fingerprint)) return true;
    try {
      wipe(this.#deps.store.secretOf(accountId));
      this.#readable.add(fingerprint);
      return true;
    } catch (error) {
      if (QuMailError.is(error, 'store.secret-missing')) return false;
      throw error;
    }
  }

  /** A certificate where there is none, or in the place of one that lost its secret key. */
  async #make(accountId: string): Promise<OwnCertificate> {
    const account = this.#deps.accounts().find(({ id }) => id === accountId);
    if (!account) throw new QuMailError('account.missing');
    // Unreadable only as long as this window does not know another one's epoch: nothing is lost then.
    if (this.peek(accountId)) await this.#deps.refresh();
    const known = this.peek(accountId);
    if (known && this.#isReadable(known)) return this.#isDue(known) ? this.#renew(accountId) : known;
    const now = this.#deps.clock.now();
    const { address, name } = account.address;
    const { certificate, secretKey, fingerprint } = await this.#deps.pgp.generate({ addresses: [address], name, now });
    try {
      this.#refuseAfterDisposal();
      const lost = this.#deps.store.get(accountId);
      const record = { accountId, fingerprint, certificate, createdAt: now, rotatedAt: now, version: (lost?.version ?? 0) + 1 };
      if (lost && !this.#isReadable(lost)) this.#deps.store.replace(record, secretKey);
      else this.#deps.store.add(record, secretKey);
      return this.#stored(accountId);
    } finally {
      wipe(secretKey);
    }
  }

  async #renew(accountId: string): Promise<OwnCertificate> {
    const before: OwnCertificateRecord = this.#stored(accountId);
    if (!this.#isDue(before)) return before;
    const now = this.#deps.clock.now();
    const next = await this.withSecret(accountId, async (secretKey) => {
      if (!secretKey) throw new QuMailError('account.missing');
      return this.#deps.pgp.rotateSubkey({ secretKey, now, dropBefore: now - SUBKEY_LIFE_MS });
    });
    try {
      this.#refuseAfterDisposal();
      const { certificate, fingerprint } = next;
      this.#deps.store.replace({ ...before, certificate, fingerprint, rotatedAt: now, version: before.version + 1 }, next.secretKey);
      this.#deps.log.info('subkey-renewed', {});
      return this.#stored(accountId);
    } finally {
      wipe(next.secretKey);
    }
  }

  /** What this window or another one stored. */
  #stored(accountId: string): OwnCertificateRecord {
    const stored = this.#deps.store.get(accountId);
    if (!stored) throw new QuMailError('account.missing');
    return stored;
  }

  #refuseAfterDisposal(): void {
    if (this.#disposed) throw new QuMailError('engine.stopped');
  }
}
