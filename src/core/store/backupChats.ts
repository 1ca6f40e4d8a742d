import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { RecordSealer } from '../base/ports.ts';
import { BackupNumber, type BackupSection, BackupText, hasRow, parsedBlob, parsedData, readable } from './backupSection.ts';
import { ChatContentSchema, entryOf } from './chatEntries.ts';
import type { ChatExtras } from './chatExtras.ts';
import type { ChatStore } from './chats.ts';
import { Statements } from './statements.ts';

export interface ChatSectionStores {
  readonly db: DatabaseSync;
  readonly storage: RecordSealer;
  readonly chats: ChatStore;
  readonly chatExtras: ChatExtras;
}

const ChatData = v.object({ groupId: BackupText, lastAt: BackupNumber, receipts: v.picklist(['on', 'off']) });
const Events = v.array(v.object({ eventId: BackupText, at: BackupNumber, encoded: v.string(), signature: v.string() }));

/** Groups with every signed event, from which anybody works out who is in them. */
export function chatSection({ chats }: ChatSectionStores): BackupSection {
  return {
    kind: 'chats',
    version: 1,
    *records(accountId) {
      for (const { groupId, lastAt, receipts } of readable(() => chats.list(accountId)) ?? []) {
        const events = readable(() => chats.events(accountId, groupId));
        if (events) yield { data: { groupId, lastAt, receipts }, blobs: [Buffer.from(JSON.stringify(events))] };
      }
    },
    restore(accountId, { data, blobs }) {
      const { groupId, lastAt, receipts } = parsedData(ChatData, data);
      const events = parsedBlob(Events, blobs[0]);
      return chats.transaction(() => {
        const here = hasRowOf(chats, accountId, groupId);
        chats.add(accountId, groupId, lastAt);
        if (!here) chats.setReceipts(accountId, groupId, receipts);
        const added = events.filter((event) => chats.putEvent(accountId, groupId, event)).length;
        return here && added === 0 ? 'kept' : 'added';
      });
    },
  };
}

const PictureData = v.object({ groupId: BackupText, sha256: BackupText });

export function chatPictureSection({ db, chats, chatExtras }: ChatSectionStores): BackupSection {
  const sql = new Statements(db);
  return {
    kind: 'chat-pictures',
    version: 1,
    *records(accountId) {
      for (const row of sql.all('SELECT group_id, sha256 FROM chat_pictures WHERE account_id = ? ORDER BY group_id, sha256', accountId)) {
        const [groupId, sha256] = [row.text('group_id'), row.text('sha256')];
        const content = readable(() => chatExtras.picture(accountId, groupId, sha256));
        if (content) yield { data: { groupId, sha256 }, blobs: [content] };
      }
    },
    restore(accountId, { data, blobs }) {
      const { groupId, sha256 } = parsedData(PictureData, data);
      const here = hasRow(
        db,
        'SELECT 1 FROM chat_pictures WHERE account_id = ? AND group_id = ? AND sha256 = ?',
        accountId,
        groupId,
        sha256,
      );
      if (here || !blobs[0] || !hasRowOf(chats, accountId, groupId)) return 'kept';
      chatExtras.putPicture(accountId, groupId, sha256, blobs[0]);
      return 'added';
    },
  };
}

const EntryData = v.object({
  groupId: BackupText,
  messageId: BackupText,
  at: BackupNumber,
  kind: v.picklist(['message', 'edit', 'delete', 'reaction']),
  target: v.exactOptional(BackupText),
  state: v.picklist(['sent', 'received']),
});

/**
 * What was said, edits, deletions and reactions. Left out: what disappears by a timer, which must not live on in a file; and own lines that
 * never left. What comes back counts as read.
 */
export function chatEntrySection({ db, chats, storage }: ChatSectionStores): BackupSection {
  const sql = new Statements(db);
  const kept = "account_id = ? AND timer = 0 AND expires_at IS NULL AND state IN ('sent', 'received')";
  return {
    kind: 'chat-entries',
    version: 1,
    *records(accountId) {
      for (const { id } of sql
        .all(`SELECT id FROM chat_entries WHERE ${kept} ORDER BY id`, accountId)
        .map((row) => ({ id: row.integer('id') }))) {
        const row = sql.get('SELECT * FROM chat_entries WHERE id = ?', id);
        const entry = row && readable(() => entryOf(storage, row));
        if (!entry) continue;
        const { groupId, messageId, at, kind, target, state, content } = entry;
        const data = { groupId, messageId, at, kind, ...(target !== undefined && { target }), state };
        yield { data, blobs: [Buffer.from(JSON.stringify(content))] };
      }
    },
    restore(accountId, { data, blobs }) {
      const entry = parsedData(EntryData, data);
      const content = parsedBlob(ChatContentSchema, blobs[0]);
      if (!hasRowOf(chats, accountId, entry.groupId)) return 'kept';
      return chats.putEntry({ accountId, ...entry, unread: false, timer: 0, content }) ? 'added' : 'kept';
    },
  };
}

/** Envelopes of messages that disappear: nothing of them goes into a backup. */
export function disappearingEnvelopes({ db, storage }: Pick<ChatSectionStores, 'db' | 'storage'>, accountId: string): ReadonlySet<string> {
  const rows = new Statements(db).all(
    'SELECT * FROM chat_entries WHERE account_id = ? AND (timer > 0 OR expires_at IS NOT NULL)',
    accountId,
  );
  return new Set(rows.flatMap((row) => readable(() => entryOf(storage, row))?.content.envelopeId ?? []));
}

function hasRowOf(chats: ChatStore, accountId: string, groupId: string): boolean {
  return readable(() => chats.get(accountId, groupId)) !== undefined;
}
