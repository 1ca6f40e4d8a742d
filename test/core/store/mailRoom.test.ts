import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, truncateLog } from '../../../src/core/store/database.ts';
import { MailRoom, type EvictedFrom } from '../../../src/core/store/mailRoom.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore, type NewMessage } from '../../../src/core/store/messages.ts';
import { OfflineStore } from '../../../src/core/store/offline.ts';
import { plainMessage } from './plainMessage.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const MIB = 1_048_576;
const ALL = { messages: 1000, octets: 1e12 };
const INBOX = new Set(['INBOX']);

const sourced = (uid: number, change: Partial<NewMessage> = {}) => ({ ...plainMessage(uid, change), raw: Buffer.from(`source ${uid}`) });
const large = (uid: number, octets = MIB) => ({ ...plainMessage(uid, { size: octets }), raw: Buffer.alloc(octets, uid) });

describe('MailRoom', () => {
  let file: string;
  let db: DatabaseSync;
  let messages: MessageStore;
  let offline: OfflineStore;
  let room: MailRoom;

  beforeEach(() => {
    file = join(tempFolder(), 'mail.db');
    db = openDatabase(file, { durability: 'normal', migrations: MAIL_MIGRATIONS });
    messages = new MessageStore({ db });
    offline = new OfflineStore({ db });
    room = new MailRoom({ db });
    messages.setCursor('a', 'INBOX', { uidValidity: 7, uidNext: 100 });
  });
  afterEach(() => db.close());
  after(removeTempFolders);

  it('lets go of the oldest sources first, neither of what was read lately nor of sealed mail that waits for its key', () => {
    offline.storeSources('a', 'INBOX', 7, [sourced(1, { seal: 'unopened' }), sourced(2), sourced(3), sourced(4), sourced(5)]);
    messages.touch(messages.byUid('a', 'INBOX', 2)!.id, 9_000_000);
    assert.equal(room.evict({ messages: 2, octets: 1e9 }, 8_000_000), 2);
    const states = [1, 2, 3, 4, 5].map((uid) => messages.byUid('a', 'INBOX', uid)!.bodyState);
    assert.deepEqual(states, [1, 1, 2, 2, 1]);
    assert.equal(messages.getBody(messages.byUid('a', 'INBOX', 3)!.id), undefined);
    assert.deepEqual(offline.bodilessUids('a', 'INBOX', 10), [], 'and does not ask for them again');
  });

  it('counts what it takes on the disk without what is free again', () => {
    const before = room.usedOctets();
    offline.storeSources('a', 'INBOX', 7, [{ ...plainMessage(1), raw: Buffer.alloc(1_000_000, 1) }]);
    const full = room.usedOctets();
    assert.ok(full - before > 900_000);
    room.evict({ messages: 1, octets: 1e9 }, 1e15);
    assert.ok(room.usedOctets() - before < 100_000);
  });

  it('lets go of no more in a step than its octets, the parts of a long source after its beginning, also where a process died in between', () => {
    offline.storeSources(
      'a',
      'INBOX',
      7,
      Array.from({ length: 20 }, (_, n) => large(n + 1)),
    );
    assert.equal(room.evict({ messages: 200, octets: 4 * MIB }, 1e15), 4);
    messages.insertMessages('a', 'INBOX', [plainMessage(30, { size: 10 * MIB, date: 1 })]);
    const { id } = messages.byUid('a', 'INBOX', 30)!;
    messages.putBody(id, Buffer.alloc(10 * MIB, 1));
    const step = { messages: 1, octets: 4 * MIB };
    assert.equal(room.evict(step, 1e15), 1);
    assert.equal(messages.getBody(id), undefined);
    const other = new MailRoom({ db });
    assert.deepEqual([other.evict(step, 1e15), other.evict(step, 1e15), other.evict(step, 1e15)], [4, 4, 1]);
    assert.equal(db.prepare('SELECT count(*) AS n FROM body_parts').get()?.['n'], 0);
    assert.equal(other.evict(step, 1e15), 1, 'and goes on with the next message');
  });

  it('takes no longer for a step than anybody waits', () => {
    for (let uid = 1; uid <= 60; uid++) offline.storeSources('a', 'INBOX', 7, [large(uid)]);
    let slowest = 0;
    for (let gone = 1; gone > 0;) {
      const began = process.threadCpuUsage();
      gone = room.evict({ messages: 200, octets: 2 * MIB }, 1e15);
      const { user, system } = process.threadCpuUsage(began);
      slowest = Math.max(slowest, (user + system) / 1000);
    }
    assert.ok(slowest < 50, `${slowest.toFixed(0)} ms`);
  });

  it('has what went for want of room fetched again, the newest first, as far as it fits', () => {
    messages.setCursor('a', 'Kept', { uidValidity: 1, uidNext: 100 });
    offline.storeSources(
      'a',
      'INBOX',
      7,
      [1, 2, 3, 4, 5].map((uid) => sourced(uid, { size: 100 })),
    );
    offline.storeSources('a', 'Kept', 1, [sourced(9, { size: 100, date: 99_000 })]);
    assert.equal(room.evict(ALL, 1e15), 6);
    assert.deepEqual(offline.bodilessUids('a', 'INBOX', 10), []);
    assert.deepEqual(room.wantAgain('a', INBOX, { octets: 250, largest: 1e6 }), { octets: 200 });
    assert.deepEqual(offline.bodilessUids('a', 'INBOX', 10), [5, 4]);
    assert.deepEqual(offline.bodilessUids('a', 'Kept', 10), [], 'a folder that is not to be kept whole');
    assert.equal(room.awaitedOctets('a', INBOX), 200);
    assert.deepEqual(room.wantAgain('a', INBOX, { octets: 1e6, largest: 99 }), { octets: 0 }, 'none that are too large to be kept');
    assert.deepEqual(room.wantAgain('b', INBOX, { octets: 1e6, largest: 1e6 }), { octets: 0 }, 'none of another account');
  });

  it('goes through many in steps', () => {
    const many = Array.from({ length: 1200 }, (_, n) => plainMessage(n + 1, { size: 10 }));
    offline.storeHeaders('a', 'INBOX', 7, many, 2);
    let [steps, octets] = [0, 0];
    for (let from: EvictedFrom | undefined; steps === 0 || from; steps++) {
      const step = room.wantAgain('a', INBOX, { octets: 1e9, largest: 1e6 }, from);
      octets += step.octets;
      from = step.next;
    }
    assert.deepEqual([steps, octets, offline.bodilessUids('a', 'INBOX', 5000).length], [3, 12_000, 1200]);
  });

  it('does not ask for the source of a Gmail message that is here from another folder', () => {
    const gmail = { messageId: '77', labels: [] };
    messages.setCursor('a', 'All', { uidValidity: 1, uidNext: 100 });
    offline.storeSources('a', 'All', 1, [sourced(4, { gmail })]);
    offline.storeTwins('a', 'INBOX', 7, [{ uid: 8, flags: [], gmail }]);
    assert.deepEqual(room.wantAgain('a', INBOX, { octets: 1e6, largest: 1e6 }), { octets: 0 });
  });

  it('gives pages that are free again back to the disk, a little at a time', () => {
    for (let uid = 1; uid <= 20; uid++) offline.storeSources('a', 'INBOX', 7, [large(uid)]);
    truncateLog(db);
    const before = statSync(file).size;
    while (room.evict(ALL, 1e15) > 0);
    let steps = 1;
    while (room.giveBack() === 'more') steps++;
    truncateLog(db);
    const after = statSync(file).size;
    assert.ok(before > 20 * MIB && after < 4 * MIB, `${before} to ${after}`);
    assert.ok(steps > 10, `${steps} steps`);
    assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    assert.equal(room.giveBack(), 'done');
  });

  it('leaves a file that was begun without that as it is', () => {
    const old = openDatabase(join(tempFolder(), 'old.db'), { durability: 'full', migrations: MAIL_MIGRATIONS });
    const oldRoom = new MailRoom({ db: old });
    const store = new OfflineStore({ db: old });
    new MessageStore({ db: old }).setCursor('a', 'INBOX', { uidValidity: 7, uidNext: 100 });
    for (let uid = 1; uid <= 5; uid++) store.storeSources('a', 'INBOX', 7, [large(uid)]);
    oldRoom.evict(ALL, 1e15);
    assert.equal(oldRoom.giveBack(), 'done');
    old.close();
  });
});
