import type { MadeRole } from '../../core/api.ts';

/**
 * Commands are called from menus, keys, the palette, links and other extensions: what they bring is checked like any foreign data.
 */

const MADE_ROLES: readonly MadeRole[] = ['archive', 'junk', 'trash'];

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

/** The role that a folder is to be made for. */
export function madeRoleIn(value: unknown): MadeRole | undefined {
  const role = member(value, 'role');
  return MADE_ROLES.find((each) => each === role);
}

/** An e-mail address: of a contact's row, or given as such. */
export function addressIn(value: unknown): string | undefined {
  const address = member(member(value, 'contact'), 'address') ?? member(value, 'address');
  return typeof address === 'string' ? address : undefined;
}

/** The name of a pad: of its row, or given as such. */
export function padNameIn(value: unknown): string | undefined {
  const name = member(member(value, 'pad'), 'name') ?? value;
  return typeof name === 'string' ? name : undefined;
}

/** The address of a standby key manager: of its row. */
export function urlIn(value: unknown): string | undefined {
  const url = member(value, 'url');
  return typeof url === 'string' ? url : undefined;
}

/** A profile of a key manager, as a link of the test's page names it; whoever takes it looks whether there is such a one. */
export function profileIn(value: unknown): unknown {
  return member(value, 'profile');
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

/** A saved search: its id, or its row. */
export function searchIdIn(value: unknown): string | undefined {
  const id = member(member(value, 'search'), 'id') ?? value;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** A query: the text itself, or that of a saved search's row. */
export function queryIn(value: unknown): string | undefined {
  const query = member(member(value, 'search'), 'query') ?? value;
  return typeof query === 'string' && query.trim() !== '' ? query : undefined;
}

/** A chat: its id, or its row. */
export function chatIdIn(value: unknown): string | undefined {
  const id = member(member(value, 'chat'), 'id') ?? value;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
