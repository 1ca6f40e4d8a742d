import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import type { MailFlag } from '../../../src/core/base/types.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore, type FolderRow } from '../../../src/core/store/messages.ts';
import { plainMessage } from './plainMessage.ts';
import { rawBytes, removeTempFolders, tempFolder } from './vaultFixture.ts';

const A = 'alice';
const IN = 'INBOX';
const folder = (path: string, change: Partial<FolderRow> = {}): FolderRow => ({
  accountId: A,
  path,
  name: path,
  delimiter: '/',
  selectable: true,
  unread: 0,
  total: 0,
  ...change,
});

describe('MessageStore', () => {
  let dir: string;
  let db: DatabaseSync;
  let store: MessageStore;
  const open = (): void => {
    db = openDatabase(join(dir, 'mail.db'), { durability: 'normal', migrations: MAIL_MIGRATIONS });
    store = new MessageStore({ db });
  };
  beforeEach(() => {
    dir = tempFolder();
    open();
  });
  afterEach(() => db.close());
  after(removeTempFolders);

  const uids = (limit: number, before?: number): number[] => store.page(A, IN, limit, before).map(({ uid }) => uid);

  it('gives back what it was given, also after a restart', () => {
    const given = plainMessage(7, {
      flags: ['flagged', 'seen'],
      references: ['<a@b>'],
      inReplyTo: '<a@b>',
      hasAttachments: true,
      preview: 'Hello',
      subject: 'Grüße 😀',
    });
    const [id] = store.insertMessages(A, IN, [given]);
    db.close();
    open();
    assert.deepEqual(store.get(id!), { ...given, flags: ['seen', 'flagged'], id, accountId: A, folder: IN, bodyState: 0 });
    assert.deepEqual(store.byUid(A, IN, 7), store.get(id!));
    assert.equal(store.byUid('bob', IN, 7), undefined);
    assert.equal(store.get(99), undefined);
  });

  it('turns pages newest first, without gap or repetition, whatever the dates', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (dates, limit) => {
        store.resetFolder(A, IN);
        store.insertMessages(
          A,
          IN,
          dates.map((date, index) => plainMessage(index + 1, { date })),
        );
        const seen: number[] = [];
        for (let before: number | undefined; ;) {
          const page = store.page(A, IN, limit, before);
          seen.push(...page.map(({ id }) => id));
          if (page.length < limit || seen.length > dates.length) break;
          before = page.at(-1)!.id;
        }
        const all = store.page(A, IN, 1000);
        assert.deepEqual(
          seen,
          all.map(({ id }) => id),
        );
        assert.equal(seen.length, dates.length);
        assert.deepEqual(
          all,
          all.toSorted((a, b) => b.date - a.date || b.id - a.id),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('keeps a page steady while newer mail arrives, and says when its cursor has gone', () => {
    store.insertMessages(
      A,
      IN,
      [1, 2, 3, 4].map((uid) => plainMessage(uid)),
    );
    assert.deepEqual(uids(2), [4, 3]);
    const cursor = store.byUid(A, IN, 3)!.id;
    store.insertMessages(A, IN, [plainMessage(5)]);
    assert.deepEqual(uids(2, cursor), [2, 1]);
    store.removeUids(A, IN, [3]);
    assert.throws(() => uids(2, cursor), { code: 'message.missing' });
  });

  it('finds a page through its index, not by sorting the folder', () => {
    const plan = db
      .prepare(
        'EXPLAIN QUERY PLAN SELECT * FROM messages m JOIN folders f ON f.id = m.folder_id WHERE m.folder_id = 1 AND (m.date, m.id) < (5, 5) ORDER BY m.date DESC, m.id DESC LIMIT 50',
      )
      .all()
      .map(({ detail }) => String(detail))
      .join('\n');
    assert.match(plan, /messages_by_date/);
    assert.doesNotMatch(plan, /TEMP B-TREE/);
  });

  it('adds a UID once; seeing it again only renews its flags', () => {
    assert.equal(store.insertMessages(A, IN, [plainMessage(1), plainMessage(2)]).length, 2);
    assert.deepEqual(store.insertMessages(A, IN, [plainMessage(2, { subject: 'other', flags: ['seen'] }), plainMessage(3)]).length, 1);
    assert.equal(store.byUid(A, IN, 2)?.subject, 'Subject 2');
    assert.deepEqual(store.byUid(A, IN, 2)?.flags, ['seen']);
    assert.deepEqual(store.insertMessages(A, IN, []), []);
  });

  it('counts what changed when flags are renewed', () => {
    store.insertMessages(A, IN, [plainMessage(1), plainMessage(2, { flags: ['seen'] })]);
    const changes = [1, 2, 99].map((uid) => ({ uid, flags: ['seen'] as MailFlag[] }));
    assert.equal(store.updateFlags(A, IN, changes), 1);
    assert.equal(store.updateFlags(A, IN, changes), 0);
    for (const flags of [[], ['answered'], ['seen', 'flagged', 'answered', 'draft']] as MailFlag[][]) {
      store.updateFlags(A, IN, [{ uid: 1, flags }]);
      assert.deepEqual(store.byUid(A, IN, 1)?.flags, flags);
    }
  });

  it('counts the unread', () => {
    store.insertMessages(A, IN, [plainMessage(1), plainMessage(2, { flags: ['seen'] }), plainMessage(3, { flags: ['flagged'] })]);
    assert.equal(store.countUnread(A, IN), 2);
    assert.equal(store.countUnread(A, 'Sent'), 0);
  });

  it('knows its UIDs, highest first, and the oldest', () => {
    assert.equal(store.oldestUid(A, IN), undefined);
    store.insertMessages(
      A,
      IN,
      [5, 1, 9, 3].map((uid) => plainMessage(uid, { date: -uid })),
    );
    assert.deepEqual(store.knownUids(A, IN, 3), [9, 5, 3]);
    assert.equal(store.oldestUid(A, IN), 1);
    store.removeUids(A, IN, [9, 77]);
    assert.deepEqual(store.knownUids(A, IN, 10), [5, 3, 1]);
  });

  it('forgets a folder whose UIDs have changed meaning, and never uses an id again', () => {
    const before = store.insertMessages(A, IN, [plainMessage(1), plainMessage(2)]);
    store.putBody(before[0]!, Buffer.from('raw'));
    store.setCursor(A, IN, { uidValidity: 4_294_967_295, uidNext: 3, highestModseq: 2n ** 63n - 1n });
    assert.deepEqual(store.cursor(A, IN), { uidValidity: 4_294_967_295, uidNext: 3, highestModseq: 2n ** 63n - 1n });
    store.resetFolder(A, IN);
    assert.equal(store.cursor(A, IN), undefined);
    assert.deepEqual(store.page(A, IN, 10), []);
    assert.equal(store.getBody(before[0]!), undefined);
    const after = store.insertMessages(A, IN, [plainMessage(1)]);
    assert.ok(after[0]! > Math.max(...before));
  });

  it('keeps folders by path, renews what the server says and leaves cursor and mail alone', () => {
    store.upsertFolder(folder('Sent', { specialUse: 'sent', total: 3 }));
    store.upsertFolder(folder(IN, { specialUse: 'inbox' }));
    store.insertMessages(A, IN, [plainMessage(1)]);
    store.setCursor(A, IN, { uidValidity: 1, uidNext: 2 });
    store.upsertFolder(folder(IN, { unread: 1, total: 1, selectable: false }));
    assert.deepEqual(store.listFolders(A), [
      folder(IN, { unread: 1, total: 1, selectable: false }),
      folder('Sent', { specialUse: 'sent', total: 3 }),
    ]);
    assert.deepEqual(store.cursor(A, IN), { uidValidity: 1, uidNext: 2 });
    assert.equal(store.page(A, IN, 10).length, 1);
    assert.equal(store.cursor(A, 'Sent'), undefined);
    store.removeFolders(A, [IN, 'never']);
    assert.deepEqual(
      store.listFolders(A).map(({ path }) => path),
      ['Sent'],
    );
    assert.deepEqual(store.page(A, IN, 10), []);
  });

  it('records how opening went, and lists what still waits to be opened', () => {
    const [one, two] = store.insertMessages(A, IN, [
      plainMessage(1, { seal: 'unopened', level: 'L2' }),
      plainMessage(2, { seal: 'unopened', level: 'L2' }),
      plainMessage(3),
    ]);
    assert.deepEqual(
      store.unopened(A, IN).map(({ uid }) => uid),
      [2, 1],
    );
    store.setSeal(one!, { seal: 'failed', level: 'L2', failureJson: '{"code":"open.tampered"}' });
    assert.equal(store.get(one!)?.failureJson, '{"code":"open.tampered"}');
    store.setSeal(one!, { seal: 'opened', level: 'L1', envelopeId: 'e1' });
    const { seal, level, failureJson, envelopeId } = store.get(one!)!;
    assert.deepEqual([seal, level, failureJson, envelopeId], ['opened', 'L1', undefined, 'e1']);
    store.setSeal(two!, { seal: 'plain', level: 'L4' });
    assert.deepEqual(store.unopened(A, IN), []);
  });

  it('takes no preview of sealed mail', () => {
    const [plain, sealed] = store.insertMessages(A, IN, [plainMessage(1), plainMessage(2, { seal: 'opened', level: 'L2' })]);
    store.setPreview(plain!, 'Hello');
    store.setPreview(sealed!, 'a secret line');
    assert.deepEqual([store.get(plain!)?.preview, store.get(sealed!)?.preview], ['Hello', '']);
  });

  it('keeps the source of a message that is there, byte for byte', () => {
    const [id] = store.insertMessages(A, IN, [plainMessage(1)]);
    const raw = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => i & 0xff));
    store.putBody(id!, raw);
    assert.deepEqual(store.getBody(id!), raw);
    store.putBody(id!, Buffer.from('renewed'));
    assert.equal(store.getBody(id!)?.toString(), 'renewed');
    store.putBody(9999, raw);
    assert.equal(store.getBody(9999), undefined);
    store.removeUids(A, IN, [1]);
    assert.equal(store.getBody(id!), undefined);
  });

  it('finds the few that are not opened without going through the folder', () => {
    store.upsertFolder(folder(IN));
    const many = Array.from({ length: 10_000 }, (_, n) => plainMessage(n + 1, n === 5000 ? { seal: 'unopened', level: 'L2' } : {}));
    store.insertMessages(A, IN, many);
    const timed = (work: () => void): number => {
      const began = performance.now();
      work();
      return performance.now() - began;
    };
    const all = timed(() => assert.equal(uids(10_000).length, 10_000));
    const few = timed(() => {
      for (let n = 0; n < 200; n++) assert.equal(store.unopened(A, IN).length, 1);
    });
    assert.ok(few < all, `200 times: ${few} ms, all of it once: ${all} ms`);
  });

  it('erases an account from the file and its log, and only that one', () => {
    store.upsertFolder(folder(IN));
    store.insertMessages(A, IN, [plainMessage(1, { subject: 'about alice alone' })]);
    store.upsertFolder(folder(IN, { accountId: 'bob' }));
    const [kept] = store.insertMessages('bob', IN, [plainMessage(1, { subject: 'about bob' })]);
    store.eraseAccount(A);
    assert.deepEqual(store.listFolders(A), []);
    assert.equal(store.get(kept!)?.subject, 'about bob');
    assert.equal(rawBytes(dir).includes('about alice alone'), false);
    assert.equal(rawBytes(dir).includes('about bob'), true);
  });
});
