import type { CallOptions, QuMailRequests } from '../api.ts';
import { KME_PROFILE_NAMES, type ConformanceReport, type KeyBudget, type KmeProfileName } from '../base/keys.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { KeyAudit } from '../keys/audit.ts';
import { checkConformance } from '../keys/conformance.ts';
import type { DeliveredKey } from '../keys/kmeClient.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { ConnectKeyManagerRequest, KeyManager, KeyManagerStatus } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { KeyManagerStore } from '../store/keyManagers.ts';
import type { AccountService } from './accountService.ts';
import type { KeyBudgetBook } from './keyBudgetBook.ts';
import type { KeyLinks } from './keyLinks.ts';
import { SAE_ID } from './kmeProfiles.ts';
import { budgetOfLinks, statusOfLinks } from './linkReports.ts';

export interface KeyManagerServiceDeps {
  readonly links: KeyLinks;
  readonly managers: KeyManagerStore;
  readonly contacts: ContactStore;
  readonly budget: KeyBudgetBook;
  readonly ledger: KeyLedger;
  readonly audit: KeyAudit;
  readonly clock: Clock;
  readonly random: Random;
  readonly accounts: AccountService;
  readonly world: 'real' | 'lab';
  readonly emit: (event: QuMailEvent) => void;
}

type KeyManagerRequests = Pick<
  QuMailRequests,
  | 'listKeyManagers'
  | 'connectKeyManager'
  | 'disconnectKeyManager'
  | 'getKeyManagerStatus'
  | 'setKeyManagerProfile'
  | 'addStandbyKeyManager'
  | 'removeStandbyKeyManager'
  | 'testKeyManager'
  | 'getKeyBudget'
  | 'setKeyQuota'
>;

/** A share of more than a year is none. */
const MAX_QUOTA_SECONDS = 366 * 86_400;

/** Connecting key managers and asking how they are. */
export class KeyManagerService implements KeyManagerRequests {
  readonly #deps: KeyManagerServiceDeps;

  constructor(deps: KeyManagerServiceDeps) {
    this.#deps = deps;
  }

  async listKeyManagers(): Promise<readonly KeyManager[]> {
    return this.#deps.links.list();
  }

  async connectKeyManager(request: ConnectKeyManagerRequest, options: CallOptions = {}): Promise<KeyManager> {
    const account = this.#deps.accounts.get(request.accountId);
    const record = {
      accountId: request.accountId,
      url: addressOf(request.url, this.#deps.world),
      kmeId: required(request.kmeId, 'kmeId'),
      saeId: saeIdOf(request.saeId),
      caPem: authorityOf(request.caPem),
      clientKind: request.client.kind,
      profile: profileNameOf(request.profile ?? 'etsi'),
    };
    await this.#deps.links.connect(record, JSON.stringify(request.client), options.signal);
    this.#deps.emit({ kind: 'key-managers' });
    this.#deps.emit({ kind: 'accounts' });
    this.#deps.emit({ kind: 'contacts', accountId: request.accountId });
    // Sealed mail that waited for a key manager can be opened now.
    account.fetch().catch(() => {});
    return this.#managerOf(request.accountId);
  }

  async disconnectKeyManager(request: { accountId: string }): Promise<void> {
    await this.#deps.links.disconnect(request.accountId);
    this.#deps.emit({ kind: 'accounts' });
    this.#deps.emit({ kind: 'contacts', accountId: request.accountId });
  }

  async getKeyManagerStatus(request: { accountId: string }, options: CallOptions = {}): Promise<KeyManagerStatus> {
    const links = await statusOfLinks(request.accountId, this.#deps, options.signal);
    return { keyManager: this.#managerOf(request.accountId), links };
  }

  async setKeyManagerProfile(request: { accountId: string; profile: KmeProfileName }): Promise<KeyManager> {
    const record = this.#deps.managers.get(request.accountId);
    if (!record) throw new QuMailError('kme.not-configured');
    this.#deps.managers.put({ ...record, profile: profileNameOf(request.profile) });
    this.#deps.links.reload(request.accountId);
    return this.#managerOf(request.accountId);
  }

  async addStandbyKeyManager(
    request: { accountId: string; url: string; kmeId: string; caPem?: string },
    options: CallOptions = {},
  ): Promise<KeyManager> {
    const { accountId, caPem } = request;
    const { managers, links, world } = this.#deps;
    const record = managers.get(accountId);
    if (!record) throw new QuMailError('kme.not-configured');
    const url = addressOf(request.url, world);
    if (url === record.url) throw new QuMailError('account.bad-settings', { field: 'url' });
    const standby = { url, kmeId: required(request.kmeId, 'kmeId'), caPem: caPem === undefined ? record.caPem : authorityOf(caPem) };
    await links.addStandby(accountId, standby, options.signal);
    return this.#managerOf(accountId);
  }

  async removeStandbyKeyManager(request: { accountId: string; url: string }): Promise<KeyManager> {
    this.#deps.managers.deleteStandby(request.accountId, request.url);
    this.#deps.links.reload(request.accountId);
    return this.#managerOf(request.accountId);
  }

  async testKeyManager(request: { accountId: string; peerSaeId?: string }, options: CallOptions = {}): Promise<ConformanceReport> {
    const { accountId } = request;
    const { links, contacts, clock, random, managers } = this.#deps;
    const profile = await links.profileOf(accountId);
    const peers = [...new Set(contacts.list(accountId).flatMap(({ saeId }) => (saeId === undefined ? [] : [saeId])))];
    const peerSaeId = request.peerSaeId === undefined ? peers[0] : saeIdOf(request.peerSaeId);
    if (peerSaeId === undefined) throw new QuMailError('seal.no-link');
    const otherSaeId = peers.find((saeId) => saeId !== peerSaeId);
    const spent = (keys: readonly DeliveredKey[]) => this.#noteSpent(accountId, profile.saeId, peerSaeId, keys);
    const found = await checkConformance(profile, { peerSaeId, otherSaeId, clock, random, spent, signal: options.signal });
    const current = managers.get(accountId)?.profile ?? 'etsi';
    return { accountId, kmeId: profile.kmeId, peerSaeId, at: clock.now(), profile: current, ...found };
  }

  async getKeyBudget(request: { accountId: string }, options: CallOptions = {}): Promise<KeyBudget> {
    this.#deps.accounts.get(request.accountId);
    return budgetOfLinks(request.accountId, this.#deps, options.signal);
  }

  async setKeyQuota(request: { accountId: string; address: string; bits?: number; seconds?: number }): Promise<void> {
    const { accountId, address, bits, seconds } = request;
    const contact = this.#deps.contacts.get(accountId, address);
    if (!contact) throw new QuMailError('contact.missing');
    if (bits === undefined) this.#deps.managers.setQuota(accountId, contact.address, undefined);
    else {
      const field = !isAmount(bits, Number.MAX_SAFE_INTEGER) ? 'bits' : !isAmount(seconds, MAX_QUOTA_SECONDS) ? 'seconds' : undefined;
      if (field !== undefined || seconds === undefined) throw new QuMailError('engine.bad-request', { field: field ?? 'seconds' });
      this.#deps.managers.setQuota(accountId, contact.address, { bits, seconds });
    }
    this.#deps.emit({ kind: 'contacts', accountId });
  }

  /** Keys of a check leave a tombstone and a row in the audit log like any other, and are used for nothing. */
  #noteSpent(accountId: string, ownSaeId: string, peerSaeId: string, keys: readonly DeliveredKey[]): 'new' | 'seen' {
    const { ledger, audit, clock } = this.#deps;
    const row = { at: clock.now(), ownSaeId, peerSaeId, method: 'enc_keys' as const, status: 200, latencyMs: 0, outcome: 'conformance' };
    audit.append(...keys.map(({ keyId, bytes }) => ({ ...row, keyId, bits: bytes.length * 8 })));
    let standing: 'new' | 'seen' = 'new';
    for (const key of keys) {
      try {
        ledger.reserve({ accountId, peerSaeIds: [peerSaeId], keys: [key] });
        ledger.abandon({ accountId, keyIds: [key.keyId] });
      } catch (error) {
        // Delivered before: the table says so, and the ledger knows it already.
        if (!QuMailError.is(error, 'key.reused')) throw error;
        standing = 'seen';
      }
    }
    return standing;
  }

  #managerOf(accountId: string): KeyManager {
    const manager = this.#deps.links.list().find((candidate) => candidate.accountId === accountId);
    if (!manager) throw new QuMailError('kme.not-configured');
    return manager;
  }
}

/** The key manager's origin; anything but a bare https address is refused. A lab engine talks to this machine and to nobody else. */
function addressOf(text: string, world: 'real' | 'lab'): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  const bare = url?.protocol === 'https:' && url.username === '' && url.search === '' && url.hash === '' && /^\/?$/.test(url.pathname);
  if (!url || !bare) throw new QuMailError('account.bad-settings', { field: 'url' });
  if (world === 'lab' && !/^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname)) throw new QuMailError('lab.only');
  return url.origin;
}

function saeIdOf(text: string): string {
  const saeId = required(text, 'saeId');
  if (!SAE_ID.test(saeId)) throw new QuMailError('account.bad-settings', { field: 'saeId' });
  return saeId;
}

/** Certificates only: what is in here is kept in the clear, and a file that holds a private key besides was picked by mistake. */
function authorityOf(text: string): string {
  const pem = required(text, 'caPem');
  if (/PRIVATE KEY-----/.test(pem)) throw new QuMailError('account.bad-settings', { field: 'caPem' });
  return pem;
}

function required(text: string, field: string): string {
  if (text.trim() === '') throw new QuMailError('account.bad-settings', { field });
  return text.trim();
}

function profileNameOf(name: string): KmeProfileName {
  const known = KME_PROFILE_NAMES.find((profile) => profile === name);
  if (known === undefined) throw new QuMailError('account.bad-settings', { field: 'profile' });
  return known;
}

function isAmount(value: number | undefined, most: number): boolean {
  return value !== undefined && Number.isSafeInteger(value) && value > 0 && value <= most;
}
