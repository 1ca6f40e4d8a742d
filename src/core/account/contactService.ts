import type { QuMailRequests } from '../api.ts';
import type { Contact, QuMailEvent } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { SecurityLevel } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';
import type { ContactRecord, ContactStore } from '../store/contacts.ts';
import type { AccountService } from './accountService.ts';
import { levelsKnownOf } from './composeDraft.ts';
import { SAE_ID, type KeyLinks } from './keyLinks.ts';
import { startLevel } from './levels.ts';

export interface ContactServiceDeps {
  readonly contacts: ContactStore;
  readonly links: KeyLinks;
  readonly accounts: AccountService;
  readonly startLevel: () => 'best' | SecurityLevel;
  readonly emit: (event: QuMailEvent) => void;
}

/** The people an account writes to, with their SAE IDs and minimum levels. */
export class ContactService implements Pick<QuMailRequests, 'listContacts' | 'saveContact' | 'deleteContact'> {
  readonly #deps: ContactServiceDeps;

  constructor(deps: ContactServiceDeps) {
    this.#deps = deps;
  }

  async listContacts(request: { accountId: string }): Promise<readonly Contact[]> {
    this.#deps.accounts.get(request.accountId);
    return this.#deps.contacts.list(request.accountId).map((record) => this.#contactOf(record));
  }

  async saveContact(request: Parameters<QuMailRequests['saveContact']>[0]): Promise<Contact> {
    const account = this.#deps.accounts.get(request.accountId);
    const address = normalizeAddress(request.address);
    if (address === undefined) throw new QuMailError('draft.bad-address', { address: request.address });
    if (request.saeId !== undefined && !SAE_ID.test(request.saeId)) throw new QuMailError('account.bad-settings', { field: 'saeId' });
    const record: ContactRecord = {
      accountId: request.accountId,
      address,
      name: request.name.trim(),
      ...(request.saeId !== undefined && { saeId: request.saeId }),
      minimumLevel: request.minimumLevel,
    };
    this.#deps.contacts.put(record);
    this.#deps.emit({ kind: 'contacts', accountId: request.accountId });
    // Mail that waited for this sender to become known can be opened now.
    account.fetch().catch(() => {});
    return this.#contactOf(record);
  }

  async deleteContact(request: { accountId: string; address: string }): Promise<void> {
    this.#deps.contacts.delete(request.accountId, request.address);
    this.#deps.emit({ kind: 'contacts', accountId: request.accountId });
  }

  #contactOf(record: ContactRecord): Contact {
    const known = levelsKnownOf(record.accountId, record.address, this.#deps);
    return { ...record, startLevel: startLevel([known], this.#deps.startLevel()) };
  }
}
