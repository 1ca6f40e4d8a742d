import type { SpecialUse } from '../base/types.ts';

/** What LIST told about a mailbox. */
export interface ListedMailbox {
  readonly path: string;
  /** Last part of the path. */
  readonly name: string;
  readonly delimiter: string;
  /** LIST attributes, e.g. `\Sent` (RFC 6154), in any case. */
  readonly attributes: Iterable<string>;
  /** A role guessed from a localised name, as an attribute, e.g. `\Sent`; the weakest evidence. */
  readonly guess?: string;
}

const ATTRIBUTES: Readonly<Record<string, SpecialUse>> = {
  '\\inbox': 'inbox',
  '\\sent': 'sent',
  '\\drafts': 'drafts',
  '\\trash': 'trash',
  '\\junk': 'junk',
  '\\archive': 'archive',
  '\\all': 'all',
  '\\flagged': 'flagged',
};

/** Names that servers without SPECIAL-USE give these folders; all and flagged are never guessed. */
const NAMES: Readonly<Record<string, SpecialUse>> = {
  sent: 'sent',
  'sent mail': 'sent',
  'sent items': 'sent',
  'sent messages': 'sent',
  draft: 'drafts',
  drafts: 'drafts',
  trash: 'trash',
  bin: 'trash',
  deleted: 'trash',
  'deleted items': 'trash',
  'deleted messages': 'trash',
  junk: 'junk',
  'junk mail': 'junk',
  'junk e-mail': 'junk',
  'junk email': 'junk',
  spam: 'junk',
  'bulk mail': 'junk',
  archive: 'archive',
  archives: 'archive',
};

const GUESSABLE: ReadonlySet<SpecialUse> = new Set(['sent', 'drafts', 'trash', 'junk', 'archive']);

/**
 * The role of each mailbox by path: what the server declares first, then well-known names, then guesses. A role goes to one mailbox
 * and a mailbox gets one role; names and guesses count only at the top level or directly below INBOX, and never for a role that the
 * server declared.
 */
export function folderRoles(mailboxes: readonly ListedMailbox[]): ReadonlyMap<string, SpecialUse> {
  const byPath = new Map<string, SpecialUse>();
  const taken = new Set<SpecialUse>();
  const give = (mailbox: ListedMailbox, role: SpecialUse | undefined): void => {
    if (role === undefined || taken.has(role) || byPath.has(mailbox.path)) return;
    byPath.set(mailbox.path, role);
    taken.add(role);
  };
  const shallowFirst = [...mailboxes].sort((a, b) => depthOf(a) - depthOf(b));
  for (const mailbox of mailboxes) if (mailbox.path.toUpperCase() === 'INBOX') give(mailbox, 'inbox');
  for (const mailbox of shallowFirst) for (const attribute of mailbox.attributes) give(mailbox, roleOf(attribute));
  const nearTop = shallowFirst.filter((mailbox) => depthOf(mailbox) === 0);
  for (const mailbox of nearTop) give(mailbox, named(mailbox.name));
  for (const mailbox of nearTop) {
    const role = roleOf(mailbox.guess ?? '');
    if (role && GUESSABLE.has(role)) give(mailbox, role);
  }
  return byPath;
}

function roleOf(attribute: string): SpecialUse | undefined {
  const key = attribute.toLowerCase();
  return Object.hasOwn(ATTRIBUTES, key) ? ATTRIBUTES[key] : undefined;
}

function named(name: string): SpecialUse | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(NAMES, key) ? NAMES[key] : undefined;
}

/** 0 at the top level and directly below INBOX or a `[Gmail]`-like node. */
function depthOf(mailbox: ListedMailbox): number {
  const parts = mailbox.delimiter === '' ? [mailbox.path] : mailbox.path.split(mailbox.delimiter);
  const nested = parts[0]?.toUpperCase() === 'INBOX' || /^\[.*\]$/.test(parts[0] ?? '') ? 2 : 1;
  return Math.max(0, parts.length - nested);
}
