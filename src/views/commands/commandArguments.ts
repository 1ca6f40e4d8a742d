/**
 * Commands are called from menus, keys, the palette, links and other extensions: what they bring is checked like any foreign data.
 */

/** Message ids out of what a command was called with: a row, several selected rows, or ids. Empty where it names none. */
export function messageIdsIn(args: readonly unknown[]): readonly number[] {
  const [first, selected] = args;
  const many = Array.isArray(selected) ? selected.flatMap(messageIdIn) : [];
  if (many.length > 0) return many;
  return Array.isArray(first) ? first.flatMap(messageIdIn) : messageIdIn(first);
}

function messageIdIn(value: unknown): number[] {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? [value] : [];
  const message = member(value, 'message') ?? member(member(value, 'thread'), 'newest');
  const id = member(message, 'id') ?? member(value, 'messageId');
  return typeof id === 'number' ? messageIdIn(id) : [];
}

/** An account id: the text itself, or what a row of either tree carries. */
export function accountIdIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const id = member(value, 'accountId') ?? member(member(value, 'account'), 'id') ?? member(member(value, 'folder'), 'accountId');
  return typeof id === 'string' ? id : undefined;
}

export function folderIn(value: unknown): { accountId: string; path: string } | undefined {
  const folder = member(value, 'folder') ?? value;
  const accountId = member(folder, 'accountId');
  const path = member(folder, 'path');
  return typeof accountId === 'string' && typeof path === 'string' ? { accountId, path } : undefined;
}

/** An e-mail address: of a contact's row, or given as such. */
export function addressIn(value: unknown): string | undefined {
  const address = member(member(value, 'contact'), 'address') ?? member(value, 'address');
  return typeof address === 'string' ? address : undefined;
}

/** An entry of the outbox: its id, or its row. */
export function outboxIdIn(value: unknown): number | undefined {
  const id = member(member(value, 'entry'), 'id') ?? value;
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

/** A draft: its id, or its row. */
export function draftIdIn(value: unknown): string | undefined {
  const id = member(member(value, 'draft'), 'id') ?? value;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
