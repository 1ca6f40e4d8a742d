import type {
  Account,
  Contact,
  KeyBudget,
  KeyBudgetLink,
  KeyLink,
  KeyManager,
  KeyManagerStatus,
  OwnCertificateInfo,
  Pad,
} from '../../core/api.ts';

/** What the Contacts & Keys view shows, as plain rows; `keyTree.ts` gives them words and icons. */
export type KeyNode =
  | { readonly kind: 'simulated' }
  | { readonly kind: 'account'; readonly account: Account; readonly children: readonly KeyNode[] }
  | { readonly kind: 'key-manager'; readonly accountId: string; readonly keyManager: KeyManager; readonly children: readonly KeyNode[] }
  | { readonly kind: 'no-key-manager'; readonly accountId: string }
  | { readonly kind: 'own-sae'; readonly accountId: string; readonly saeId: string }
  | { readonly kind: 'link'; readonly accountId: string; readonly link: KeyLink }
  | { readonly kind: 'own-certificate'; readonly accountId: string; readonly own: OwnCertificateInfo }
  | { readonly kind: 'standby'; readonly accountId: string; readonly url: string; readonly kmeId: string }
  | {
      readonly kind: 'contact';
      readonly accountId: string;
      readonly contact: Contact;
      readonly link: KeyLink | undefined;
      readonly budgets: readonly KeyBudgetLink[];
      readonly children: readonly KeyNode[];
    }
  | { readonly kind: 'contact-certificate' | 'contact-levels'; readonly accountId: string; readonly contact: Contact }
  | {
      readonly kind: 'contact-keys';
      readonly accountId: string;
      readonly contact: Contact;
      readonly link: KeyLink | undefined;
      readonly budget: KeyBudgetLink | undefined;
    }
  | { readonly kind: 'pad'; readonly accountId: string; readonly pad: Pad }
  | { readonly kind: 'no-contacts'; readonly accountId: string };

/** Everything known about one account's keys. `status` comes from the key manager and may be missing or old. */
export interface AccountKeys {
  readonly account: Account;
  readonly keyManager: KeyManager | undefined;
  readonly status: KeyManagerStatus | undefined;
  readonly contacts: readonly Contact[];
  /** Stock and forecast, as asked for last; missing where they were never. */
  readonly budget?: KeyBudget | undefined;
  readonly pads?: readonly Pad[];
  readonly own?: OwnCertificateInfo | undefined;
}

/** The rows of one account: its key manager with the own SAE ID and links that belong to no contact, then its contacts. */
export function keyNodes({ account, keyManager, status, contacts, budget, pads = [], own }: AccountKeys): readonly KeyNode[] {
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
          ...keyManager.standbys.map(({ url, kmeId }): KeyNode => ({ kind: 'standby', accountId, url, kmeId })),
          ...strangers.map((link): KeyNode => ({ kind: 'link', accountId, link })),
        ],
      }
    : { kind: 'no-key-manager', accountId };
  const people = [...contacts]
    .sort((a, b) => (a.name || a.address).localeCompare(b.name || b.address))
    .map((contact): KeyNode => {
      const link = linkOf(contact);
      const budgets = (budget?.links ?? []).filter(({ address }) => address === contact.address);
      const held = pads.filter(({ address, state }) => address === contact.address && state === 'ready');
      const children: KeyNode[] = [
        { kind: 'contact-certificate', accountId, contact },
        { kind: 'contact-levels', accountId, contact },
        { kind: 'contact-keys', accountId, contact, link, budget: budgets.find(({ kind }) => kind === 'kme') },
        ...held.map((pad): KeyNode => ({ kind: 'pad', accountId, pad })),
      ];
      return { kind: 'contact', accountId, contact, link, budgets, children };
    })
    // What wants a decision comes first.
    .sort((a, b) => Number(waits(b)) - Number(waits(a)));
  const card: readonly KeyNode[] = own ? [{ kind: 'own-certificate', accountId, own }] : [];
  return [manager, ...card, ...(people.length > 0 ? people : [{ kind: 'no-contacts', accountId } as const])];
}

function waits(node: KeyNode): boolean {
  return node.kind === 'contact' && node.contact.keyChange?.effect === 'blocks';
}
