import type { Address } from '../base/types.ts';
import type { AccountStore } from '../store/accounts.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { MessageStore } from '../store/messages.ts';
import type { SearchNames } from './searchNames.ts';
import { planSearch } from '../store/searchPlan.ts';
import type { SearchQuery } from '../store/searchQuery.ts';

/** The newest messages whose senders are looked at. */
const LOOKED_AT = 200;
const MAX_PEOPLE = 20;

/** People by the beginning of their name or address: contacts, then who wrote of late. */
export class SearchPeople {
  readonly #deps: { accounts: AccountStore; contacts: ContactStore; messages: MessageStore; query: SearchQuery; names: SearchNames };

  constructor(deps: { accounts: AccountStore; contacts: ContactStore; messages: MessageStore; query: SearchQuery; names: SearchNames }) {
    this.#deps = deps;
  }

  beginningWith(prefix: string): readonly Address[] {
    const people = new Map<string, Address>();
    const wanted = prefix.toLowerCase();
    const take = (person: Address): void => {
      const key = person.address.toLowerCase();
      const begins = [key, ...person.name.toLowerCase().split(/\s+/)].some((part) => part.startsWith(wanted));
      if (key !== '' && begins && people.size < MAX_PEOPLE && !people.has(key)) people.set(key, person);
    };
    for (const { id } of this.#deps.accounts.list()) this.#deps.contacts.list(id).forEach(take);
    if (people.size < MAX_PEOPLE) this.#wroteOfLate(prefix).forEach(take);
    return [...people.values()];
  }

  #wroteOfLate(prefix: string): readonly Address[] {
    const { query, names, messages } = this.#deps;
    const text = prefix.slice(0, 100);
    const node = text === '' ? undefined : ({ kind: 'text', field: 'from', match: 'prefix', text } as const);
    const plan = planSearch(node ?? { kind: 'is', state: 'read' }, names.now());
    const found = plan ? query.newest(plan, { folders: 'all-but', ids: [] }, LOOKED_AT) : [];
    return found.flatMap(({ id }) => messages.get(id)?.from ?? []);
  }
}
