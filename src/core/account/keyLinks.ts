import type { MessageBudget } from '../base/keys.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { KeyManager } from '../base/model.ts';
import { QuMailError, type ErrorCode } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { KeyAudit } from '../keys/audit.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import type { KmeProfile } from '../keys/kmeClient.ts';
import { KmeGroup } from '../keys/kmeGroup.ts';
import { KME_PROFILES } from '../keys/kmeQuirks.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { KeyManagerRecord, KeyManagerStore, StandbyRecord } from '../store/keyManagers.ts';
import type { SecureStorage } from '../store/secureStorage.ts';
import { BelievedSharers } from './believedSharers.ts';
import { BudgetedSource } from './budgetedSource.ts';
import { budgetFor } from './keyForecast.ts';
import type { KeyBudgetBook } from './keyBudgetBook.ts';
import { KeyPools } from './keyPools.ts';
import type { KeySource } from './keySource.ts';
import { clientKeySecret, profilesOf } from './kmeProfiles.ts';
import { KmeReturn } from './kmeReturn.ts';
import { KmeSource } from './kmeSource.ts';

export interface KeyLinksDeps {
  readonly managers: KeyManagerStore;
  readonly contacts: ContactStore;
  readonly storage: SecureStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly audit: KeyAudit;
  readonly ledger: KeyLedger;
  readonly budget: KeyBudgetBook;
  /** Pads exchanged in person. */
  readonly pads: PadSources;
  readonly world: 'real' | 'lab';
  readonly emit: (event: QuMailEvent) => void;
}

/** Keys out of pads, beside those of key managers. */
export interface PadSources {
  /** For a contact that a pad is shared with, used up or not. */
  sourceFor(accountId: string, address: string): KeySource | undefined;
  /** Bits that one message to this contact may take. */
  stockBits(accountId: string, address: string): number;
  /** The pad shared with `address` that these key IDs were cut from. */
  sourceOfKeys(accountId: string, address: string, keyIds: readonly string[]): KeySource | undefined;
}

/** Failures that say something of one key or one request; the key manager itself answered and is well. */
const ANSWERED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'kme.exhausted',
  'kme.key-not-found',
  'kme.key-may-be-lost',
  'kme.bad-request',
  'kme.too-large',
  'key.reused',
]);

/** Where the keys of all accounts come from: their key managers, one group of clients each, made when first needed, and their pads. */
export class KeyLinks implements Disposable {
  readonly #deps: KeyLinksDeps;
  readonly #clients = new Map<string, { client: KmeGroup; saeId: string }>();
  readonly #states = new Map<string, { state: KeyManager['state']; failure?: QuMailError }>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #owned = new DisposableStore();
  readonly #pools: KeyPools;
  readonly #believed: BelievedSharers;
  readonly #return: KmeReturn;

  constructor(deps: KeyLinksDeps) {
    this.#deps = deps;
    this.#believed = new BelievedSharers(deps.clock);
    const ask = (accountId: string) => this.exchange(accountId, (client, saeId) => client.probe(this.#somePeer(accountId) ?? saeId));
    this.#return = this.#owned.add(new KmeReturn(deps.clock, ask));
    this.#pools = this.#owned.add(
      new KeyPools({ ledger: deps.ledger, clock: deps.clock, exchange: (accountId, run) => this.exchange(accountId, run) }),
    );
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
    const source = link ?? this.#deps.pads.sourceFor(accountId, address);
    return source && new BudgetedSource(source, this.#deps.budget, { accountId, address });
  }

  /**
   * Where the keys of received mail come from. The sender is told by the own contact record, never by the message (PROTOCOL 6).
   * @param named the SAE that the message is sealed to, where it says so
   * @throws QuMailError `kme.not-configured`, `pad.missing`, `open.sender-unknown`, `open.not-for-you`
   */
  sourceOfKeys(accountId: string, sender: string, keyIds: readonly string[], named: string | undefined): KeySource {
    const pad = this.#deps.pads.sourceOfKeys(accountId, sender, keyIds);
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

  /** What a message of `costBits` to a contact comes to, by what was told last. Asks nobody. */
  budgetOf(accountId: string, address: string, costBits: number): MessageBudget & { readonly kind?: KeySource['kind'] } {
    const source = this.sourceFor(accountId, address);
    if (!source) return { costBits, fits: 'unknown' };
    const peer = { accountId, address, peerId: source.peerId };
    if (source.kind === 'pad') return { kind: 'pad', ...budgetFor(costBits, { bits: this.#deps.pads.stockBits(accountId, address) }) };
    return { kind: 'kme', ...this.#deps.budget.budgetOf(peer, costBits) };
  }

  /**
   * Checks a new profile against the key manager before anything is stored, then keeps it.
   * An answer to a status question about an unknown peer proves address, certificates and KME ID just as well.
   */
  async connect(record: KeyManagerRecord, secret: string, signal?: AbortSignal): Promise<void> {
    await this.#probe(record, secret, signal);
    await this.#deps.storage.putSecret(clientKeySecret(record.accountId), secret);
    const { managers } = this.#deps;
    // Standbys serve one SAE; to another they are strangers.
    if (managers.get(record.accountId)?.saeId !== record.saeId)
      for (const { url } of managers.standbys(record.accountId)) managers.deleteStandby(record.accountId, url);
    managers.put(record);
    this.reload(record.accountId);
    this.#note(record.accountId, undefined);
  }

  /** Likewise for another key manager of the same SAE. @throws QuMailError `kme.*`, `kme.not-configured` */
  async addStandby(accountId: string, standby: StandbyRecord, signal?: AbortSignal): Promise<void> {
    const record = this.#deps.managers.get(accountId);
    if (!record) throw new QuMailError('kme.not-configured');
    const secret = await this.#deps.storage.getSecret(clientKeySecret(accountId));
    await this.#probe({ ...record, ...standby }, secret, signal);
    this.#deps.managers.putStandby(accountId, standby);
    this.reload(accountId);
  }

  /** The profile of an account's key manager alone, without its standbys. @throws QuMailError `kme.not-configured` */
  async profileOf(accountId: string): Promise<KmeProfile> {
    const record = this.#deps.managers.get(accountId);
    if (!record) throw new QuMailError('kme.not-configured');
    return profilesOf(record, [], await this.#deps.storage.getSecret(clientKeySecret(accountId)), this.#deps.world)[0];
  }

  /** Forgets the account's key manager and its client key. */
  async disconnect(accountId: string): Promise<void> {
    this.#deps.managers.delete(accountId);
    await this.#deps.storage.deleteSecret(clientKeySecret(accountId));
    this.#states.delete(accountId);
    this.reload(accountId);
  }

  /** Another profile, another standby: the next exchange goes by what is stored now. */
  reload(accountId: string): void {
    this.#pools.drop(accountId);
    this.#return.noted(accountId, undefined);
    this.#believed.drop(accountId);
    const entry = this.#clients.get(accountId);
    this.#clients.delete(accountId);
    if (entry) this.#owned.release(entry.client);
    this.#deps.emit({ kind: 'key-managers' });
  }

  /** Runs one exchange with the account's key manager and remembers how it went. */
  exchange<T>(accountId: string, run: (client: KmeGroup, saeId: string) => Promise<T>): Promise<T> {
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

  async #exchange<T>(accountId: string, run: (client: KmeGroup, saeId: string) => Promise<T>): Promise<T> {
    const { client, saeId } = await this.#clientOf(accountId);
    try {
      const result = await run(client, saeId);
      this.#note(accountId, undefined);
      return result;
    } catch (error) {
      const failure = QuMailError.from(error, 'kme.unreachable');
      if (failure.code === 'key.betrayed') {
        const how = failure.details['how'] === 'key-from-id' ? 'key-from-id' : 'id-from-key';
        this.#deps.emit({ kind: 'key-alarm', accountId, how });
      }
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
        profile: record.profile,
        standbys: this.#deps.managers.standbys(record.accountId).map(({ url, kmeId }) => ({ url, kmeId })),
      };
    });
  }

  dispose(): void {
    this.#owned.dispose();
    this.#clients.clear();
  }

  #kmeSource(accountId: string, peerSaeId: string): KmeSource | undefined {
    const manager = this.#deps.managers.get(accountId);
    if (manager === undefined) return undefined;
    const ownSaeId = manager.saeId;
    return new KmeSource({
      accountId,
      peerSaeId,
      ownSaeId,
      ledger: this.#deps.ledger,
      pools: this.#pools,
      believed: this.#believed,
      clock: this.#deps.clock,
      prefetch: KME_PROFILES[manager.profile].prefetch,
      exchange: (run) =>
        this.exchange(accountId, (client, saeId) => {
          // Keys belong to the SAE they were asked for as; another one may have taken its place meanwhile.
          if (saeId !== ownSaeId) throw new QuMailError('seal.no-link', { what: 'own-sae' });
          return run(client);
        }),
    });
  }

  /** The account's client and own SAE ID; throws `kme.not-configured`. */
  async #clientOf(accountId: string): Promise<{ client: KmeGroup; saeId: string }> {
    const known = this.#clients.get(accountId);
    if (known) return known;
    if (!this.#deps.managers.get(accountId)) throw new QuMailError('kme.not-configured');
    const secret = await this.#deps.storage.getSecret(clientKeySecret(accountId));
    // Another caller may have been here while the secret was read, or the key manager may be another one.
    const made = this.#clients.get(accountId);
    const record = this.#deps.managers.get(accountId);
    if (made) return made;
    if (!record) throw new QuMailError('kme.not-configured');
    const profiles = profilesOf(record, this.#deps.managers.standbys(accountId), secret, this.#deps.world);
    const entry = { client: this.#owned.add(new KmeGroup(profiles, this.#deps)), saeId: record.saeId };
    this.#clients.set(accountId, entry);
    return entry;
  }

  async #probe(record: KeyManagerRecord, secret: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const probe = new KmeGroup(profilesOf(record, [], secret, this.#deps.world), this.#deps);
    try {
      const peer = this.#somePeer(record.accountId) ?? record.saeId;
      await probe.getStatus(peer, signal).catch((error: unknown) => {
        if (!ANSWERED.has(QuMailError.from(error).code)) throw error;
      });
    } finally {
      probe.dispose();
    }
  }

  #somePeer(accountId: string): string | undefined {
    return this.#deps.contacts.list(accountId).find((contact) => contact.saeId)?.saeId;
  }

  #note(accountId: string, failure: QuMailError | undefined): void {
    this.#return.noted(accountId, failure?.code);
    const before = this.#states.get(accountId);
    const state = failure ? 'failed' : 'connected';
    this.#states.set(accountId, failure ? { state, failure } : { state });
    if (before?.state !== state || before.failure?.code !== failure?.code) this.#deps.emit({ kind: 'key-managers' });
  }
}
