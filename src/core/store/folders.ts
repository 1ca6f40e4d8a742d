import type { SpecialUse } from '../base/types.ts';
import type { Row, Statements } from './statements.ts';

export interface FolderRow {
  readonly accountId: string;
  /** The full IMAP path. */
  readonly path: string;
  readonly name: string;
  /** Between the levels of `path`; '' where the server has none. */
  readonly delimiter: string;
  readonly specialUse?: SpecialUse;
  readonly selectable: boolean;
  readonly unread: number;
  readonly total: number;
  readonly subscribed?: boolean;
}

/** How far a folder has been read (RFC 9051 section 2.3.1.1, RFC 7162). */
export interface FolderCursor {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq?: bigint;
  /** RFC 8474: what the folder keeps whatever it is called. */
  readonly mailboxId?: string;
}

const SPECIAL_USES: readonly SpecialUse[] = ['inbox', 'sent', 'drafts', 'trash', 'junk', 'archive', 'all', 'flagged'];

/** Adds a folder or renews what the server says about it; the cursor stays. */
export function upsertFolder(sql: Statements, folder: FolderRow): void {
  sql.run(
    `INSERT INTO folders (account_id, path, name, delimiter, special_use, selectable, unread, total, subscribed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (account_id, path) DO UPDATE SET name = excluded.name, delimiter = excluded.delimiter, special_use = excluded.special_use,
       selectable = excluded.selectable, unread = excluded.unread, total = excluded.total, subscribed = excluded.subscribed
     WHERE (name, delimiter, special_use, selectable, unread, total, subscribed) IS NOT
       (excluded.name, excluded.delimiter, excluded.special_use, excluded.selectable, excluded.unread, excluded.total, excluded.subscribed)`,
    folder.accountId,
    folder.path,
    folder.name,
    folder.delimiter,
    folder.specialUse ?? null,
    folder.selectable ? 1 : 0,
    folder.unread,
    folder.total,
    folder.subscribed === undefined ? null : Number(folder.subscribed),
  );
}

export function listFolders(sql: Statements, accountId: string): FolderRow[] {
  return sql.all('SELECT * FROM folders WHERE account_id = ? ORDER BY path', accountId).map(folderOf);
}

/** The folder's row number, added with its path alone where it was never listed. */
export function folderId(sql: Statements, accountId: string, path: string): number {
  sql.run(
    `INSERT INTO folders (account_id, path, name, delimiter, selectable, unread, total) VALUES (?, ?, ?, '', 1, 0, 0) ON CONFLICT DO NOTHING`,
    accountId,
    path,
    path,
  );
  return sql.get('SELECT id FROM folders WHERE account_id = ? AND path = ?', accountId, path)!.integer('id');
}

export function readCursor(sql: Statements, accountId: string, path: string): FolderCursor | undefined {
  const columns = 'uid_validity, uid_next, highest_modseq, mailbox_id';
  const row = sql.get(`SELECT ${columns} FROM folders WHERE account_id = ? AND path = ?`, accountId, path);
  if (!row?.has('uid_validity')) return undefined;
  return {
    uidValidity: row.integer('uid_validity'),
    uidNext: row.integer('uid_next'),
    ...(row.has('highest_modseq') && { highestModseq: BigInt(row.text('highest_modseq')) }),
    ...(row.has('mailbox_id') && { mailboxId: row.text('mailbox_id') }),
  };
}

export function writeCursor(sql: Statements, id: number, cursor: FolderCursor | undefined): void {
  sql.run(
    'UPDATE folders SET uid_validity = ?, uid_next = ?, highest_modseq = ?, mailbox_id = ? WHERE id = ?',
    cursor?.uidValidity ?? null,
    cursor?.uidNext ?? null,
    // Up to 63 bits, more than a JavaScript number keeps exactly.
    cursor?.highestModseq?.toString() ?? null,
    cursor?.mailboxId ?? null,
    id,
  );
}

function folderOf(row: Row): FolderRow {
  return {
    accountId: row.text('account_id'),
    path: row.text('path'),
    name: row.text('name'),
    delimiter: row.text('delimiter'),
    ...(row.has('special_use') && { specialUse: row.oneOf('special_use', SPECIAL_USES) }),
    selectable: row.integer('selectable') === 1,
    unread: row.integer('unread'),
    total: row.integer('total'),
    ...(row.has('subscribed') && { subscribed: row.integer('subscribed') === 1 }),
  };
}
