import type { Account, Contact, KeyLink, KeyManager, KeyManagerStatus } from '../../core/api.ts';

/** What the Contacts & Keys view shows, as plain rows; `keyTree.ts` gives them words and icons. */
export type KeyNode =
  | { readonly kind: 'simulated' }
  | { readonly kind: 'account'; readonly account: Account; readonly children: readonly KeyNode[] }
  | { readonly kind: 'key-manager'; readonly accountId: string; readonly keyManager: KeyManager; readonly children: readonly KeyNode[] }
  | { readonly kind: 'no-key-manager'; readonly accountId: string }
  | { readonly kind: 'own-sae'; readonly accountId: string; readonly saeId: string }
  | { readonly kind: 'link'; readonly accountId: string; readonly link: KeyLink }
  | { readonly kind: 'contact'; readonly accountId: string; readonly contact: Contact; readonly link: KeyLink | undefined }
  | { readonly kind: 'no-contacts'; readonly accountId: string };

/** Everything known about one account's keys. `status` comes from the key manager and may be missing or old. */
export interface AccountKeys {
  readonly account: Account;
  readonly keyManager: KeyManager | undefined;
  readonly status: KeyManagerStatus | undefined;
  readonly contacts: readonly Contact[];
}

/** The rows of one account: its key manager with the own SAE ID and links that belong to no contact, then its contacts. */
export function keyNodes({ account, keyManager, status, contacts }: AccountKeys): readonly KeyNode[] {
  const accountId = account.id;
  const links = status?.links ?? [];
  const linkOf = (contact: Contact): KeyLink | undefined => links.find((link) => link.peerSaeId === contact.saeId);
  const strangers = links.filter((link) => !contacts.some((contact) => contact.saeId === link.peerSaeId));
  const manager: KeyNode = keyManager
    ? {
        kind: 'key-manager',
        accountId,
        keyManager: status?.keyManager ?? keyManager,
        children: [
          { kind: 'own-sae', accountId, saeId: keyManager.saeId },
          ...strangers.map((link): KeyNode => ({ kind: 'link', accountId, link })),
        ],
      }
    : { kind: 'no-key-manager', accountId };
  const people = [...contacts]
    .sort((a, b) => (a.name || a.address).localeCompare(b.name || b.address))
    .map((contact): KeyNode => ({ kind: 'contact', accountId, contact, link: linkOf(contact) }));
  return [manager, ...(people.length > 0 ? people : [{ kind: 'no-contacts', accountId } as const])];
}
