import type { KeyLink, KeyManager } from '../base/model.ts';
import { QuMailError, type ErrorCode } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { KeyAudit } from '../keys/audit.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import type { Etsi014Status } from '../keys/etsi014.ts';
import { KmeClient, type KmeProfile } from '../keys/kmeClient.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { KeyManagerRecord, KeyManagerStore } from '../store/keyManagers.ts';
import type { SecureStorage } from '../store/secureStorage.ts';
import type { KeySource } from './keySource.ts';
import { KmeSource } from './kmeSource.ts';
import { ClientKeySchema, parseStored } from './stored.ts';

export interface KeyLinksDeps {
  readonly managers: KeyManagerStore;
  readonly contacts: ContactStore;
  readonly storage: SecureStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly audit: KeyAudit;
  readonly ledger: KeyLedger;
  /** Pads exchanged in person. */
  readonly pads?: PadSources;
  readonly world: 'real' | 'lab';
  readonly changed: () => void;
}

/** Keys out of pads, beside those of key managers. */
export interface PadSources {
  /** Key material for this contact is left in a pad shared with it. */
  sourceFor(accountId: string, address: string): KeySource | undefined;
  /** The pad shared with `address` that these key IDs were cut from. */
  sourceOfKeys(accountId: string, address: string, keyIds: readonly string[]): KeySource | undefined;
}

/** ETSI SAE IDs are opaque; printable ASCII of a sane length is what travels safely in URLs and headers. */
export const SAE_ID = /^[\x21-\x7e]{1,128}$/;

/** Failures that say something of one key or one request; the key manager itself answered and is well. */
const ANSWERED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'kme.exhausted',
  'kme.key-not-found',
  'kme.key-may-be-lost',
  'kme.bad-request',
  'kme.too-large',
  'key.reused',
]);

/** Name of the secret that holds an account's client key for its key manager. */
function clientKeySecret(accountId: string): string {
  return `kme.client.${accountId}`;
}

/** The key managers of all accounts: one client each, made when first needed, and what is known about their state. */
export class KeyLinks implements Disposable {
  readonly #deps: KeyLinksDeps;
  readonly #clients = new Map<string, { client: KmeClient; saeId: string }>();
  readonly #states = new Map<string, { state: KeyManager['state']; failure?: QuMailError }>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #owned = new DisposableStore();

  constructor(deps: KeyLinksDeps) {
    this.#deps = deps;
  }

  /** True where a key manager is configured; says nothing about whether it answers. */
  isConfigured(accountId: string): boolean {
    return this.#deps.managers.get(accountId) !== undefined;
  }

  /** True where keys can be shared with a contact: a QKD link, or a pad. Says nothing about what is reachable. */
  hasSource(accountId: string, address: string): boolean {
    return this.sourceFor(accountId, address) !== undefined;
  }

  /** Where the keys for mail to a contact come from: the QKD link, or a pad where there is none. */
  sourceFor(accountId: string, address: string): KeySource | undefined {
    const peerSaeId = this.#deps.contacts.get(accountId, address)?.saeId;
    const link = peerSaeId === undefined ? undefined : this.#kmeSource(accountId, peerSaeId);
    return link ?? this.#deps.pads?.sourceFor(accountId, address);
  }

  /**
   * Where the keys of received mail come from. The sender is told by the own contact record, never by the message (PROTOCOL 6).
   * @param named the SAE that the message is sealed to, where it says so
   * @throws QuMailError `kme.not-configured`, `pad.missing`, `open.sender-unknown`, `open.not-for-you`
   */
  sourceOfKeys(accountId: string, sender: string, keyIds: readonly string[], named: string | undefined): KeySource {
    const pad = this.#deps.pads?.sourceOfKeys(accountId, sender, keyIds);
    if (pad) return pad;
    const own = this.#deps.managers.get(accountId)?.saeId;
    const peerSaeId = this.#deps.contacts.get(accountId, sender)?.saeId;
    // What was sealed over a link names the SAE it is for; what names none was sealed with a pad, and that is not here.
    if (named === undefined && (own === undefined || peerSaeId === undefined)) throw new QuMailError('pad.missing', { address: sender });
    if (own === undefined) throw new QuMailError('kme.not-configured');
    if (named !== undefined && named !== own) throw new QuMailError('open.not-for-you', { what: 'sae' });
    const source = peerSaeId === undefined ? undefined : this.#kmeSource(accountId, peerSaeId);
    if (!source) throw new QuMailError('open.sender-unknown', { address: sender });
    return source;
  }

  #kmeSource(accountId: string, peerSaeId: string): KmeSource | undefined {
    const ownSaeId = this.#deps.managers.get(accountId)?.saeId;
    if (ownSaeId === undefined) return undefined;
    return new KmeSource({
      accountId,
      peerSaeId,
      ownSaeId,
      ledger: this.#deps.ledger,
      exchange: (run) =>
        this.exchange(accountId, (client, saeId) => {
          // Keys belong to the SAE they were asked for as; another one may have taken its place meanwhile.
          if (saeId !== ownSaeId) throw new QuMailError('seal.no-link', { what: 'own-sae' });
          return run(client);
        }),
    });
  }

  /** The account's client and own SAE ID; throws `kme.not-configured`. */
  async clientOf(accountId: string): Promise<{ client: KmeClient; saeId: string }> {
    const known = this.#clients.get(accountId);
    if (known) return known;
    const record = this.#deps.managers.get(accountId);
    if (!record) throw new QuMailError('kme.not-configured');
    const stored = await this.#deps.storage.getSecret(clientKeySecret(accountId));
    if (stored === undefined) throw new QuMailError('store.secret-missing');
    const profile = { ...profileOf(record, this.#deps.world), client: clientOf(parseStored(ClientKeySchema, stored)) };
    // Another caller may have been here while the secret was read.
    return this.#clients.get(accountId) ?? this.#adopt(accountId, profile);
  }

  /**
   * Checks a new profile against the key manager before anything is stored, then keeps it.
   * An answer to a status question about an unknown peer proves address, certificates and KME ID just as well.
   */
  async connect(record: KeyManagerRecord, secret: string, signal?: AbortSignal): Promise<void> {
    const profile = { ...profileOf(record, this.#deps.world), client: clientOf(parseStored(ClientKeySchema, secret)) };
    const probe = new KmeClient(profile, this.#deps);
    try {
      const peer = this.#deps.contacts.list(record.accountId).find((contact) => contact.saeId)?.saeId ?? record.saeId;
      await probe.getStatus(peer, signal).catch((error: unknown) => {
        if (!ANSWERED.has(QuMailError.from(error).code)) throw error;
      });
    } finally {
      probe.dispose();
    }
    await this.#deps.storage.putSecret(clientKeySecret(record.accountId), secret);
    this.#deps.managers.put(record);
    this.#drop(record.accountId);
    this.#note(record.accountId, undefined);
  }

  /** Forgets the account's key manager and its client key. */
  async disconnect(accountId: string): Promise<void> {
    this.#deps.managers.delete(accountId);
    await this.#deps.storage.deleteSecret(clientKeySecret(accountId));
    this.#drop(accountId);
    this.#states.delete(accountId);
    this.#deps.changed();
  }

  /** Runs one exchange with the account's key manager and remembers how it went. */
  exchange<T>(accountId: string, run: (client: KmeClient, saeId: string) => Promise<T>): Promise<T> {
    const exchange = this.#exchange(accountId, run);
    this.#underWay.add(exchange);
    const over = (): void => void this.#underWay.delete(exchange);
    exchange.then(over, over);
    return exchange;
  }

  /** Resolves once no exchange is under way. Keys are delivered once: an answer that comes after the ledger was closed is lost. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #exchange<T>(accountId: string, run: (client: KmeClient, saeId: string) => Promise<T>): Promise<T> {
    const { client, saeId } = await this.clientOf(accountId);
    try {
      const result = await run(client, saeId);
      this.#note(accountId, undefined);
      return result;
    } catch (error) {
      const failure = QuMailError.from(error, 'kme.unreachable');
      if (ANSWERED.has(failure.code)) this.#note(accountId, undefined);
      else if (failure.code !== 'engine.cancelled') this.#note(accountId, failure);
      throw failure;
    }
  }

  /** Every configured key manager as the views show it. */
  list(): readonly KeyManager[] {
    return this.#deps.managers.list().map((record) => {
      const { state, failure } = this.#states.get(record.accountId) ?? { state: 'unknown' as const, failure: undefined };
      return {
        accountId: record.accountId,
        url: record.url,
        kmeId: record.kmeId,
        saeId: record.saeId,
        state,
        ...(failure && { failure: { code: failure.code, details: failure.details } }),
        simulated: this.#deps.world === 'lab',
      };
    });
  }

  /** ETSI status of every link this account's contacts have; a link that fails carries its failure. */
  async statusOf(accountId: string, signal?: AbortSignal): Promise<readonly KeyLink[]> {
    const peers = this.#deps.contacts.list(accountId).filter((contact) => contact.saeId !== undefined);
    return Promise.all(
      peers.map(async (contact): Promise<KeyLink> => {
        const link = { peerSaeId: contact.saeId ?? '', peerAddress: contact.address };
        try {
          const status = await this.exchange(accountId, (client) => client.getStatus(link.peerSaeId, signal));
          return { ...link, ...shownStatus(status) };
        } catch (error) {
          const failure = QuMailError.from(error);
          return { ...link, failure: { code: failure.code, details: failure.details } };
        }
      }),
    );
  }

  dispose(): void {
    this.#owned.dispose();
    this.#clients.clear();
  }

  #adopt(accountId: string, profile: KmeProfile): { client: KmeClient; saeId: string } {
    const entry = { client: this.#owned.add(new KmeClient(profile, this.#deps)), saeId: profile.saeId };
    this.#clients.set(accountId, entry);
    return entry;
  }

  #drop(accountId: string): void {
    const entry = this.#clients.get(accountId);
    if (!entry) return;
    this.#clients.delete(accountId);
    this.#owned.release(entry.client);
  }

  #note(accountId: string, failure: QuMailError | undefined): void {
    const before = this.#states.get(accountId);
    const state = failure ? 'failed' : 'connected';
    this.#states.set(accountId, failure ? { state, failure } : { state });
    if (before?.state !== state || before.failure?.code !== failure?.code) this.#deps.changed();
  }
}

function profileOf(record: KeyManagerRecord, world: 'real' | 'lab'): Omit<KmeProfile, 'client'> {
  return { url: record.url, kmeId: record.kmeId, saeId: record.saeId, caPem: record.caPem, world };
}

function clientOf(stored: ReturnType<typeof parseStored<typeof ClientKeySchema>>): KmeProfile['client'] {
  if (stored.kind === 'pkcs12') return { pfx: Buffer.from(stored.pfxBase64, 'base64'), passphrase: stored.passphrase };
  return { certPem: stored.certPem, keyPem: stored.keyPem, ...(stored.passphrase !== undefined && { passphrase: stored.passphrase }) };
}

function shownStatus(status: Etsi014Status): Omit<KeyLink, 'peerSaeId' | 'peerAddress' | 'failure'> {
  return {
    ...(status.keySize !== undefined && { keySize: status.keySize }),
    ...(status.storedKeyCount !== undefined && { storedKeyCount: status.storedKeyCount }),
    ...(status.maxKeyCount !== undefined && { maxKeyCount: status.maxKeyCount }),
    ...(status.maxKeySize !== undefined && { maxKeySize: status.maxKeySize }),
    ...(status.maxKeyPerRequest !== undefined && { maxKeysPerRequest: status.maxKeyPerRequest }),
    ...(status.maxSaeIdCount !== undefined && { maxSaeIdCount: status.maxSaeIdCount }),
  };
}
