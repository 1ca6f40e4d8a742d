import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { BodyIndexer } from '../../../src/core/base/ports.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore, type NewMessage } from '../../../src/core/store/messages.ts';
import { OfflineStore } from '../../../src/core/store/offline.ts';
import { plainMessage } from './plainMessage.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const sourced = (uid: number, change: Partial<NewMessage> = {}) => ({ ...plainMessage(uid, change), raw: Buffer.from(`source ${uid}`) });

describe('OfflineStore', () => {
  let db: DatabaseSync;
  let messages: MessageStore;
  let offline: OfflineStore;
  let indexed: number[];

  beforeEach(() => {
    indexed = [];
    const indexer: BodyIndexer = { index: (batch) => indexed.push(...batch.map(({ messageId }) => messageId)), forget: () => {} };
    db = openDatabase(join(tempFolder(), 'mail.db'), { durability: 'normal', migrations: MAIL_MIGRATIONS });
    messages = new MessageStore({ db, indexer });
    offline = new OfflineStore({ db, indexer });
    messages.setCursor('a', 'INBOX', { uidValidity: 7, uidNext: 100 });
  });
  afterEach(() => db.close());
  after(removeTempFolders);

  it('takes in sources of new and of known messages, and has those indexed that are not sealed', () => {
    messages.insertMessages('a', 'INBOX', [plainMessage(1), plainMessage(2, { seal: 'unopened' })]);
    assert.deepEqual(offline.bodilessUids('a', 'INBOX', 10), [2, 1]);
    const batch = [sourced(1, { flags: ['seen'] }), sourced(2), sourced(3), sourced(4, { seal: 'unopened' })];
    assert.equal(offline.storeSources('a', 'INBOX', 7, batch), 'stored');
    assert.deepEqual(offline.bodilessUids('a', 'INBOX', 10), []);
    assert.deepEqual(
      [1, 2, 3, 4].map((uid) => messages.getBody(messages.byUid('a', 'INBOX', uid)!.id)?.toString()),
      [1, 2, 3, 4].map((n) => `source ${n}`),
    );
    assert.deepEqual(messages.byUid('a', 'INBOX', 1)?.flags, ['seen']);
    assert.deepEqual(
      indexed,
      [1, 3].map((uid) => messages.byUid('a', 'INBOX', uid)!.id),
    );
    offline.storeSources('a', 'INBOX', 7, batch);
    assert.equal(indexed.length, 2, 'what comes again changes nothing');
  });

  it('takes in the rest of a long batch beside what is known, comes twice or was moved away here', () => {
    messages.insertMessages('a', 'INBOX', [plainMessage(5), plainMessage(20)]);
    const uids = Array.from({ length: 37 }, (_, n) => n + 1);
    const folder = db.prepare('SELECT id FROM folders').get()!['id']!;
    const away = 'INSERT INTO awaited VALUES (?, 9, 7, 1, 1, 0, 0, 0, ?, 0)';
    db.prepare(away).run(folder, plainMessage(9).rfcMessageId);
    const twice = [...uids, 3, 36].toSorted((a, b) => a - b).map((uid) => sourced(uid));
    assert.equal(offline.storeSources('a', 'INBOX', 7, twice), 'stored');
    const stored = uids.filter((uid) => uid !== 9);
    assert.deepEqual(
      messages.knownUids('a', 'INBOX', 100).toSorted((a, b) => a - b),
      stored,
    );
    for (const uid of stored) assert.equal(messages.getBody(messages.byUid('a', 'INBOX', uid)!.id)?.toString(), `source ${uid}`);
    assert.deepEqual(new Set(indexed), new Set(stored.map((uid) => messages.byUid('a', 'INBOX', uid)!.id)));
    assert.equal(indexed.length, stored.length);
  });

  it('takes in nothing for UIDs of another time, or of a folder that is gone', () => {
    assert.equal(offline.storeSources('a', 'INBOX', 8, [sourced(1)]), 'stale');
    assert.equal(offline.storeHeaders('a', 'Gone', 7, [plainMessage(1)], 0), 'stale');
    offline.setFilled('a', 'INBOX', 8, { as: 'all', uid: 5 });
    assert.equal(offline.filled('a', 'INBOX'), undefined);
    assert.equal(messages.count('a', 'INBOX'), 0);
  });

  it('remembers how far a folder is filled, until its UIDs mean other messages', () => {
    offline.setFilled('a', 'INBOX', 7, { as: 'all', uid: 100 });
    assert.deepEqual(offline.filled('a', 'INBOX'), { as: 'all', uid: 100 });
    messages.resetFolder('a', 'INBOX');
    assert.equal(offline.filled('a', 'INBOX'), undefined);
  });

  it('says that the disk is full, and has stored all of a batch or nothing', () => {
    const pages = Number(db.prepare('PRAGMA page_count').get()!['page_count']);
    db.exec(`PRAGMA max_page_count = ${pages + 20}`);
    const large = Array.from({ length: 50 }, (_, n) => ({ ...plainMessage(n + 1), raw: Buffer.alloc(10_000, 1) }));
    assert.throws(() => offline.storeSources('a', 'INBOX', 7, large), { code: 'store.full' });
    assert.equal(messages.count('a', 'INBOX'), 0);
    db.exec('PRAGMA max_page_count = 100000');
    assert.equal(offline.storeSources('a', 'INBOX', 7, large), 'stored');
  });
});
