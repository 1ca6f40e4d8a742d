import assert from 'node:assert/strict';
import type { SpecialUse } from '../../../src/core/base/types.ts';
import { HIDDEN } from '../../../src/core/store/messageWriting.ts';
import { ACCOUNT, SearchWorld, source } from './searchFixture.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

describe('store/indexCoverage', () => {
  let world: SearchWorld;
  beforeEach(() => {
    world = new SearchWorld(tempFolder());
  });
  afterEach(() => world.dispose());
  after(removeTempFolders);

  /** The server says that a folder holds so many. */
  const told = (path: string, total: number, specialUse?: SpecialUse): void =>
    world.messages.upsertFolders([
      { accountId: ACCOUNT, path, name: path, delimiter: '/', selectable: true, unread: 0, total, ...(specialUse && { specialUse }) },
    ]);
  const gmail = (n: number) => ({ messageId: String(n), labels: [] });
  const stored = (n: number, folder = 'INBOX'): number =>
    world.store(source({ Subject: `number ${n}` }, 'text'), { gmail: gmail(n) }, folder);

  it('counts what is not listed yet, and nothing twice that arrived since the server was asked', () => {
    told('INBOX', 20);
    world.store(source({ Subject: 'a' }, 'text'));
    world.list({ subject: 'b' });
    assert.deepEqual(world.covered(), { indexed: 1, total: 20 });
    told('INBOX', 1);
    assert.deepEqual(world.covered(), { indexed: 1, total: 2 });
  });

  it('leaves out of both what a search does not find among ordinary mail', () => {
    told('INBOX', 4);
    const [shown, removed, chat] = [1, 2, 3].map((n) => world.store(source({ Subject: `${n}` }, 'text')));
    world.list({ seal: 'unopened', level: 'L2' });
    assert.deepEqual(world.covered(), { indexed: 3, total: 3 });
    const hide = world.db.prepare('UPDATE messages SET hidden = ? WHERE id = ?');
    hide.run(HIDDEN.removing, removed!);
    hide.run(HIDDEN.chat, chat!);
    hide.run(HIDDEN.snoozed, shown!);
    assert.deepEqual(world.covered(), { indexed: 1, total: 1 });
  });

  it('counts a message once that Gmail lists in several folders, while they are filled and when they are', () => {
    told('INBOX', 3, 'inbox');
    told('Work', 2);
    told('All Mail', 5, 'all');
    told('Starred', 2, 'flagged');
    told('Trash', 2, 'trash');
    for (const n of [1, 2, 3]) stored(n);
    for (const n of [1, 4]) stored(n, 'Work');
    const mail = ['INBOX', 'Work', 'All Mail', 'Starred'];
    assert.deepEqual(world.covered(...mail), { indexed: 4, total: 5 });
    stored(5, 'All Mail');
    for (const n of [1, 2, 3, 4]) world.list({ gmail: gmail(n) }, 'All Mail');
    world.list({ gmail: gmail(1) }, 'Starred');
    assert.deepEqual(world.covered(...mail), { indexed: 5, total: 5 }, 'the source is here, though not every row is indexed by it');
    world.index.catchUp(10);
    assert.deepEqual(world.covered(...mail), { indexed: 5, total: 5 });
    assert.deepEqual(world.covered(...mail, 'Trash'), { indexed: 5, total: 7 });
    assert.deepEqual(world.covered('INBOX', 'Work'), { indexed: 5, total: 5 }, 'without All Mail each folder counts by itself');
  });

  it('does not count what is flagged once more, unless it is the one folder that is searched', () => {
    told('INBOX', 1, 'inbox');
    told('Flagged', 9, 'flagged');
    world.store(source({ Subject: 'a' }, 'text'));
    assert.deepEqual(world.covered(), { indexed: 1, total: 1 });
    assert.deepEqual(world.covered('Flagged'), { indexed: 0, total: 9 });
  });

  it('counts in indexes that hold no more than what is counted', () => {
    const asked: string[] = [];
    const prepare = world.db.prepare.bind(world.db);
    world.db.prepare = (sql: string) => (asked.push(sql), prepare(sql));
    told('All Mail', 9, 'all');
    stored(1, 'All Mail');
    asked.splice(0);
    world.covered();
    const counts = asked.filter((sql) => sql.includes('count('));
    assert.equal(counts.length, 2);
    const steps = counts.flatMap((sql) =>
      prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all('[]')
        .map(({ detail }) => String(detail)),
    );
    const indexes = steps.flatMap((step) => /(?:SCAN|SEARCH) (?:m|messages)\b(?: USING (?:COVERING )?INDEX (\w+))?/.exec(step)?.[1] ?? []);
    assert.deepEqual(indexes.toSorted(), [
      'messages_apart',
      'messages_counted',
      'messages_found_of_gmail',
      'messages_unfound',
      'sqlite_autoindex_messages_1',
      'sqlite_autoindex_messages_1',
    ]);
  });
});
