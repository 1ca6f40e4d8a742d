import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SourceIntake } from '../../../../src/core/account/sync/sourceIntake.ts';
import { PART_OCTETS } from '../../../../src/core/store/bodies.ts';
import { openDatabase } from '../../../../src/core/store/database.ts';
import { MAIL_MIGRATIONS } from '../../../../src/core/store/mailSchema.ts';
import { MailRoom } from '../../../../src/core/store/mailRoom.ts';
import { MessageStore } from '../../../../src/core/store/messages.ts';
import { OfflineStore } from '../../../../src/core/store/offline.ts';
import { SearchIndex } from '../../../../src/core/store/searchIndex.ts';
import { SEARCH_MIGRATIONS } from '../../../../src/core/store/searchSchema.ts';
import { plainMessage } from '../../store/plainMessage.ts';
import { removeTempFolders, tempFolder } from '../../store/vaultFixture.ts';

/** A message of so many octets, most of them an attachment. */
function longSource(uid: number, octets: number): Buffer {
  const head = Buffer.from(
    `From: bob@example.test\r\nTo: alice@example.test\r\nSubject: Long ${uid}\r\nMessage-ID: <${uid}@long>\r\n` +
      'Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
      `--b\r\nContent-Type: text/plain\r\n\r\nbeginning${uid}\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--b\r\nContent-Type: text/plain\r\n\r\nending${uid}\r\n--b--\r\n`);
  return Buffer.concat([head, Buffer.alloc(octets - head.length - tail.length, randomBytes(3000).toString('base64')), tail]);
}

const LONG = Math.round(5.5 * PART_OCTETS);

describe('sync/sources that are long', () => {
  let db: DatabaseSync;
  let index: SearchIndex;
  let messages: MessageStore;
  let offline: OfflineStore;
  let done: number;

  beforeEach(() => {
    db = openDatabase(join(tempFolder(), 'mail.db'), { durability: 'normal', migrations: [...MAIL_MIGRATIONS, ...SEARCH_MIGRATIONS] });
    index = new SearchIndex({ db });
    messages = new MessageStore({ db, indexer: index });
    offline = new OfflineStore({ db, indexer: index });
    messages.setCursor('a', 'INBOX', { uidValidity: 7, uidNext: 100 });
    done = 0;
  });
  afterEach(() => db.close());
  after(removeTempFolders);

  const intake = (): SourceIntake =>
    new SourceIntake(offline, { accountId: 'a', path: 'INBOX', uidValidity: 7, messages: 10 }, (count) => (done += count));
  const remote = (uid: number, raw: Buffer) => ({ uid, flags: [], raw });
  const stored = (uid: number): Buffer | undefined => messages.getBody(messages.byUid('a', 'INBOX', uid)!.id);
  const parts = (): number => Number(db.prepare('SELECT count(*) AS n FROM body_parts').get()!['n']);
  const found = (word: string): number => Number(db.prepare('SELECT count(*) AS n FROM search WHERE search MATCH ?').get(word)!['n']);
  /** Lets so many turns of the event loop pass, between which an intake commits. */
  const turns = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('are stored octet for octet, whatever their length, and found by both ends', async () => {
    const lengths = [PART_OCTETS - 1, PART_OCTETS, PART_OCTETS + 1, 2 * PART_OCTETS, 2 * PART_OCTETS + 1, LONG];
    const sources = lengths.map((octets, n) => longSource(n + 1, octets));
    const taking = intake();
    for (const [n, raw] of sources.entries()) await taking.take(remote(n + 1, raw));
    taking.flush();
    for (const [n, raw] of sources.entries()) assert.ok(stored(n + 1)?.equals(raw), `of ${lengths[n]} octets`);
    assert.equal(done, lengths.length);
    assert.equal(found('ending6'), 1);
    assert.equal(parts(), 0 + 0 + 1 + 1 + 2 + 5);
    assert.deepEqual(index.beginningOf(messages.byUid('a', 'INBOX', 6)!.id, 100), sources[5]!.subarray(0, 100));
    assert.ok(index.beginningOf(messages.byUid('a', 'INBOX', 6)!.id, 3 * PART_OCTETS)!.equals(sources[5]!.subarray(0, 3 * PART_OCTETS)));
  });

  it('come in commits that are short each, and are listed without their source until they are whole', async () => {
    const taking = intake().take(remote(1, longSource(1, LONG)));
    const seen = new Set<string>();
    const state = async (): Promise<string | undefined> => {
      await turns(1);
      const row = messages.byUid('a', 'INBOX', 1);
      return row && `${parts()} parts, ${row.bodyState === 1 ? 'whole' : 'listed'}`;
    };
    for (let now = await state(); !now?.endsWith('whole'); now = await state()) if (now !== undefined) seen.add(now);
    await taking;
    assert.deepEqual(
      [...seen],
      [1, 2, 3, 4, 5].map((n) => `${n} parts, listed`),
    );
  });

  it('that an earlier run brought in without their beginning begin anew', async () => {
    offline.storeHeaders('a', 'INBOX', 7, [plainMessage(1)], 0);
    const earlier = { uid: 1, raw: longSource(1, LONG) };
    for (const part of [1, 2, 3, 4, 5]) assert.equal(offline.storePart('a', 'INBOX', 7, earlier, part), 'stored');
    assert.deepEqual(offline.bodilessUids('a', 'INBOX', 10), [1]);
    const raw = longSource(1, LONG);
    assert.ok(!raw.equals(earlier.raw));
    await intake().take(remote(1, raw));
    assert.ok(stored(1)?.equals(raw));
    assert.equal(parts(), 5);
  });

  it('that are removed while they come do not come back, and what a person opened meanwhile stays', async () => {
    const removed = intake().take(remote(1, longSource(1, LONG)));
    await turns(12);
    messages.removeUids('a', 'INBOX', [1]);
    await removed;
    assert.equal(messages.byUid('a', 'INBOX', 1), undefined);
    assert.equal(parts(), 0);
    const raw = longSource(2, LONG);
    const opened = intake().take(remote(2, raw));
    await turns(12);
    messages.putBody(messages.byUid('a', 'INBOX', 2)!.id, raw);
    await opened;
    assert.ok(stored(2)?.equals(raw));
    assert.equal(done, 2);
  });

  it('go whole when room is short, and when a message is put in their place', async () => {
    await intake().take(remote(1, longSource(1, LONG)));
    const { id } = messages.byUid('a', 'INBOX', 1)!;
    messages.putBody(id, Buffer.from('short'));
    assert.equal(stored(1)?.toString(), 'short');
    messages.putBody(id, longSource(1, LONG));
    const room = new MailRoom({ db });
    assert.equal(room.evict({ messages: 1, octets: 1 }, 1e15), 1);
    assert.equal(stored(1), undefined);
    while (room.evict({ messages: 1, octets: 1 }, 1e15) > 0) assert.equal(stored(1), undefined);
    assert.equal(parts(), 0);
  });
});
