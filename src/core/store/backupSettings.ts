import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { KME_PROFILE_NAMES } from '../base/keys.ts';
import { BackupNumber, type BackupSection, BackupText, hasRow, parsedBlob, parsedData, readable } from './backupSection.ts';
import type { ContactStore } from './contacts.ts';
import type { KeyManagerStore } from './keyManagers.ts';
import type { SavedSearchStore } from './savedSearches.ts';
import { Statements } from './statements.ts';

export interface SettingStores {
  readonly db: DatabaseSync;
  readonly contacts: ContactStore;
  readonly managers: KeyManagerStore;
  readonly savedSearches: SavedSearchStore;
}

const ManagerData = v.object({
  url: BackupText,
  kmeId: BackupText,
  saeId: BackupText,
  caPem: v.pipe(v.string(), v.maxLength(65_536)),
  clientKind: v.picklist(['pem', 'pkcs12']),
  profile: v.picklist(KME_PROFILE_NAMES),
  standbys: v.pipe(
    v.array(v.object({ url: BackupText, kmeId: BackupText, caPem: v.pipe(v.string(), v.maxLength(65_536)) })),
    v.maxLength(16),
  ),
  quotas: v.array(v.object({ address: BackupText, bits: BackupNumber, seconds: BackupNumber })),
});

/** Where the key manager is and who one is there, without the client key: that is entered again. One that is connected here stays. */
export function keyManagerSection({ contacts, managers }: SettingStores): BackupSection {
  return {
    kind: 'key-managers',
    version: 1,
    *records(accountId) {
      const manager = managers.get(accountId);
      if (!manager) return;
      const { accountId: _, ...facts } = manager;
      const quotas = contacts.list(accountId).flatMap(({ address }) => {
        const quota = managers.quota(accountId, address);
        return quota ? [{ address, ...quota }] : [];
      });
      yield { data: { ...facts, standbys: managers.standbys(accountId), quotas }, blobs: [] };
    },
    restore(accountId, { data }) {
      const { standbys, quotas, ...facts } = parsedData(ManagerData, data);
      if (managers.get(accountId)) return 'kept';
      managers.put({ accountId, ...facts });
      for (const standby of standbys) managers.putStandby(accountId, standby);
      for (const { address, ...quota } of quotas) managers.setQuota(accountId, address, quota);
      return 'added';
    },
  };
}

const SearchData = v.object({ id: BackupText, everywhere: v.boolean() });
const SearchContent = v.object({ name: BackupText, query: BackupText });

/** Saved searches; those over all accounts go with the first one. */
export function savedSearchSection({ db, savedSearches }: SettingStores): BackupSection {
  return {
    kind: 'saved-searches',
    version: 1,
    *records(accountId) {
      const first = String(db.prepare('SELECT min(id) AS id FROM accounts').get()?.['id']);
      for (const search of readable(() => savedSearches.list()) ?? []) {
        if ((search.accountId ?? first) !== accountId) continue;
        const { id, name, query } = search;
        yield { data: { id, everywhere: search.accountId === undefined }, blobs: [Buffer.from(JSON.stringify({ name, query }))] };
      }
    },
    restore(accountId, { data, blobs }) {
      const { id, everywhere } = parsedData(SearchData, data);
      const content = parsedBlob(SearchContent, blobs[0]);
      if (hasRow(db, 'SELECT 1 FROM saved_searches WHERE id = ?', id)) return 'kept';
      savedSearches.put({ id, ...content, ...(everywhere ? {} : { accountId }) });
      return 'added';
    },
  };
}

const SnoozeData = v.object({
  folder: BackupText,
  uidValidity: BackupNumber,
  uid: BackupNumber,
  rfcMessageId: BackupText,
  until: BackupNumber,
});
/** No message has this row (SnoozedRecord): it is found by its place, or by its Message-ID, once it is here. */
const NO_ROW = -1;

export function snoozeSection({ db }: SettingStores): BackupSection {
  const sql = new Statements(db);
  return {
    kind: 'snoozes',
    version: 1,
    *records(accountId) {
      for (const row of sql.all('SELECT * FROM snoozed WHERE account_id = ? ORDER BY until, id', accountId)) {
        const place = { folder: row.text('folder'), uidValidity: row.integer('uid_validity'), uid: row.integer('uid') };
        yield { data: { ...place, rfcMessageId: row.text('rfc_message_id'), until: row.integer('until') }, blobs: [] };
      }
    },
    restore(accountId, { data }) {
      const { folder, uidValidity, uid, rfcMessageId, until } = parsedData(SnoozeData, data);
      const same = 'SELECT 1 FROM snoozed WHERE account_id = ? AND folder = ? AND (rfc_message_id = ? OR (uid_validity = ? AND uid = ?))';
      if (hasRow(db, same, accountId, folder, rfcMessageId, uidValidity, uid)) return 'kept';
      sql.run(
        'INSERT INTO snoozed (account_id, folder, uid_validity, uid, rfc_message_id, message_id, until) VALUES (?, ?, ?, ?, ?, ?, ?)',
        accountId,
        folder,
        uidValidity,
        uid,
        rfcMessageId,
        NO_ROW,
        until,
      );
      return 'added';
    },
  };
}

const MutedData = v.object({ rfcMessageId: BackupText, thread: BackupText, rule: v.picklist(['read', 'archive']) });

export function mutedSection({ db }: SettingStores): BackupSection {
  const sql = new Statements(db);
  return {
    kind: 'muted',
    version: 1,
    *records(accountId) {
      for (const row of sql.all('SELECT * FROM muted WHERE account_id = ? ORDER BY thread, rfc_message_id', accountId))
        yield { data: { rfcMessageId: row.text('rfc_message_id'), thread: row.text('thread'), rule: row.text('rule') }, blobs: [] };
    },
    restore(accountId, { data }) {
      const { rfcMessageId, thread, rule } = parsedData(MutedData, data);
      const add = 'INSERT INTO muted (account_id, rfc_message_id, thread, rule) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING';
      return sql.run(add, accountId, rfcMessageId, thread, rule).changes === 1 ? 'added' : 'kept';
    },
  };
}
