import type { KeyBudget } from '../base/keys.ts';
import type { KeyLink } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { Etsi014Status } from '../keys/etsi014.ts';
import type { ContactStore } from '../store/contacts.ts';
import { LOW_WATER_BITS, type KeyBudgetBook } from './keyBudgetBook.ts';
import type { KeyLinks } from './keyLinks.ts';

export interface LinkReportDeps {
  readonly links: KeyLinks;
  readonly contacts: ContactStore;
  readonly budget: KeyBudgetBook;
}

/** ETSI status of every link this account's contacts have; a link that fails carries its failure. */
export function statusOfLinks(accountId: string, deps: LinkReportDeps, signal?: AbortSignal): Promise<readonly KeyLink[]> {
  const peers = deps.contacts.list(accountId).filter((contact) => contact.saeId !== undefined);
  return Promise.all(
    peers.map(async (contact): Promise<KeyLink> => {
      const link = { peerSaeId: contact.saeId ?? '', peerAddress: contact.address };
      try {
        const status = await deps.links.exchange(accountId, (client) => client.getStatus(link.peerSaeId, signal));
        return { ...link, ...shownStatus(status) };
      } catch (error) {
        const failure = QuMailError.from(error);
        return { ...link, failure: { code: failure.code, details: failure.details } };
      }
    }),
  );
}

/** Stock, rates and shares of everything this account's contacts share keys through; asks each source for its stock. */
export async function budgetOfLinks(accountId: string, deps: LinkReportDeps, signal?: AbortSignal): Promise<KeyBudget> {
  const links = deps.contacts.list(accountId).flatMap(({ address }) => {
    const source = deps.links.sourceFor(accountId, address);
    return source ? [{ address, source }] : [];
  });
  const told = links.map(async ({ address, source }) => {
    const failure = await source.capacity(signal).then(
      () => undefined,
      (error: unknown) => QuMailError.from(error),
    );
    const link = deps.budget.linkOf(source.kind, { accountId, address, peerId: source.peerId });
    return { ...link, ...(failure && { failure: { code: failure.code, details: failure.details } }) };
  });
  return { accountId, links: await Promise.all(told), lowWaterBits: LOW_WATER_BITS };
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
