import type { QuMailRequests } from '../api.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Contact } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { SecurityLevel } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';
import { asciiLower } from '../store/certificates.ts';
import type { ContactRecord, ContactStore } from '../store/contacts.ts';
import type { AccountService } from './accountService.ts';
import type { KeyLinks } from './keyLinks.ts';
import { SAE_ID } from './kmeProfiles.ts';
import { startLevel, strongerOf } from './levels.ts';
import { levelsKnownOf } from './recipientLevels.ts';
import type { KnownTrust, TrustBook } from './trustBook.ts';

export interface ContactServiceDeps {
  readonly contacts: ContactStore;
  readonly links: KeyLinks;
  readonly accounts: AccountService;
  readonly trust: Pick<TrustBook, 'usable' | 'expired' | 'known' | 'knownAll' | 'minimumOf' | 'sendCardAgain'>;
  readonly startLevel: () => 'best' | SecurityLevel;
  readonly emit: (event: QuMailEvent) => void;
}

/** The people an account writes to, with their SAE IDs, minimum levels, and what is known of their certificates. */
export class ContactService implements Pick<QuMailRequests, 'listContacts' | 'saveContact' | 'deleteContact'> {
  readonly #deps: ContactServiceDeps;

  constructor(deps: ContactServiceDeps) {
    this.#deps = deps;
  }

  async listContacts(request: { accountId: string }): Promise<readonly Contact[]> {
    this.#deps.accounts.get(request.accountId);
    const known = this.#deps.trust.knownAll(request.accountId);
    return this.#deps.contacts.list(request.accountId).map((record) => this.#shown(record, known.get(asciiLower(record.address))));
  }

  /** A contact as it is shown; undefined where there is none. */
  contactOf(accountId: string, address: string): Contact | undefined {
    const record = this.#deps.contacts.get(accountId, address);
    return record && this.#shown(record, this.#deps.trust.known(accountId, address));
  }

  async saveContact(request: Parameters<QuMailRequests['saveContact']>[0]): Promise<Contact> {
    const account = this.#deps.accounts.get(request.accountId);
    const address = normalizeAddress(request.address);
    if (address === undefined) throw new QuMailError('draft.bad-address', { address: request.address });
    if (request.saeId !== undefined && !SAE_ID.test(request.saeId)) throw new QuMailError('account.bad-settings', { field: 'saeId' });
    // Somebody whose card is here already comes with what it states; later edits are the person's own.
    const isNew = this.#deps.contacts.get(request.accountId, address) === undefined;
    const saeId = request.saeId ?? (isNew ? this.#deps.trust.known(request.accountId, address)?.certificate.saeId : undefined);
    const record: ContactRecord = {
      accountId: request.accountId,
      address,
      name: request.name.trim(),
      ...(saeId !== undefined && { saeId }),
      minimumLevel: isNew ? strongerOf(request.minimumLevel, this.#deps.trust.minimumOf(request.accountId, address)) : request.minimumLevel,
    };
    this.#deps.contacts.put(record);
    this.#deps.emit({ kind: 'contacts', accountId: request.accountId });
    // Mail that waited for this sender to become known can be opened now.
    account.fetch().catch(() => {});
    return this.#shown(record, this.#deps.trust.known(request.accountId, address));
  }

  /**
   * Forgets name, SAE ID and minimum level. What is pinned stays, so that another certificate under this address is a change still, and no
   * first use; the own card goes to the address anew.
   */
  async deleteContact(request: { accountId: string; address: string }): Promise<void> {
    this.#deps.contacts.delete(request.accountId, request.address);
    this.#deps.trust.sendCardAgain(request.accountId, request.address);
    this.#deps.emit({ kind: 'contacts', accountId: request.accountId });
  }

  #shown(record: ContactRecord, trust: KnownTrust | undefined): Contact {
    const known = levelsKnownOf(record.accountId, record.address, this.#deps);
    return {
      ...record,
      startLevel: startLevel([known], this.#deps.startLevel()),
      ...(trust && { certificate: trust.certificate }),
      ...(trust?.change && { keyChange: trust.change }),
    };
  }
}
