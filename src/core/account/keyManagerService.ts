import type { CallOptions, QuMailRequests } from '../api.ts';
import type { ConnectKeyManagerRequest, KeyManager, KeyManagerStatus, QuMailEvent } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { KeyManagerStore } from '../store/keyManagers.ts';
import type { AccountService } from './accountService.ts';
import { SAE_ID, type KeyLinks } from './keyLinks.ts';

export interface KeyManagerServiceDeps {
  readonly links: KeyLinks;
  readonly managers: KeyManagerStore;
  readonly accounts: AccountService;
  readonly world: 'real' | 'lab';
  readonly emit: (event: QuMailEvent) => void;
}

type KeyManagerRequests = Pick<QuMailRequests, 'listKeyManagers' | 'connectKeyManager' | 'disconnectKeyManager' | 'getKeyManagerStatus'>;

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
    const links = await this.#deps.links.statusOf(request.accountId, options.signal);
    return { keyManager: this.#managerOf(request.accountId), links };
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
