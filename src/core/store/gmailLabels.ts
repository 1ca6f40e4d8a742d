import type { GmailIds } from './messageRow.ts';
import type { Row, Statements } from './statements.ts';

/** Labels of Gmail's own folders as X-GM-LABELS names them; its others, All Mail among them, are no labels. */
const OF_ROLE: ReadonlyMap<string, string> = new Map([
  ['inbox', '\\Inbox'],
  ['sent', '\\Sent'],
  ['drafts', '\\Draft'],
  ['flagged', '\\Starred'],
]);
const GMAILS_OWN = /^\[[^\]]+\]\//;

/** All labels of a message as they are stored: Gmail leaves out the one of the folder in which it is asked. */
export function storedLabels(sql: Statements, folder: number, { labels }: GmailIds): string {
  const own = labelOf(sql.get('SELECT path, special_use FROM folders WHERE id = ?', folder)!);
  return JSON.stringify([...new Set([...labels, ...own])].toSorted());
}

/** Renews the labels of a message, in each of its folders: the last answer is right for all. Returns how many rows are different now. */
export function setLabels(sql: Statements, folder: number, gmail: GmailIds): number {
  const labels = storedLabels(sql, folder, gmail);
  const ofAccount = 'SELECT id FROM folders WHERE account_id = (SELECT account_id FROM folders WHERE id = ?)';
  const renew = `UPDATE messages SET labels = ? WHERE gm_msgid = ? AND labels IS NOT ? AND folder_id IN (${ofAccount})`;
  return sql.run(renew, labels, gmail.messageId, labels, folder).changes;
}

function labelOf(folder: Row): readonly string[] {
  const path = folder.text('path');
  const role = path === 'INBOX' ? 'inbox' : folder.has('special_use') ? folder.text('special_use') : undefined;
  const label = role === undefined && !GMAILS_OWN.test(path) ? path : OF_ROLE.get(role ?? '');
  return label === undefined ? [] : [label];
}
