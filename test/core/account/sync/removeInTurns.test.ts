import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { emptyMost, removeMost } from '../../../../src/core/account/sync/removeInTurns.ts';
import { openDatabase } from '../../../../src/core/store/database.ts';
import { MAIL_MIGRATIONS } from '../../../../src/core/store/mailSchema.ts';
import { MessageStore } from '../../../../src/core/store/messages.ts';
import { OfflineStore } from '../../../../src/core/store/offline.ts';
import { SearchIndex } from '../../../../src/core/store/searchIndex.ts';
import { SEARCH_MIGRATIONS } from '../../../../src/core/store/searchSchema.ts';
import { plainMessage } from '../../store/plainMessage.ts';
import { source } from '../../store/searchFixture.ts';
import { removeTempFolders, tempFolder } from '../../store/vaultFixture.ts';

const A = 'a';
const COUNT = 4000;

describe('removing many messages', function () {
  this.timeout(60_000);
  let db: DatabaseSync;
  let messages: MessageStore;
  let offline: OfflineStore;

  beforeEach(() => {
    db = openDatabase(join(tempFolder(), 'mail.db'), { durability: 'normal', migrations: [...MAIL_MIGRATIONS, ...SEARCH_MIGRATIONS] });
    const indexer = new SearchIndex({ db });
    messages = new MessageStore({ db, indexer });
    offline = new OfflineStore({ db, indexer });
    messages.setCursor(A, 'INBOX', { uidValidity: 7, uidNext: COUNT + 1, highestModseq: 9n });
    const batch = Array.from({ length: COUNT }, (_, i) => ({
      ...plainMessage(i + 1),
      raw: source({ Subject: `Number ${i}` }, `quantum ${i} ${'word '.repeat(100)}`),
    }));
    for (let at = 0; at < COUNT; at += 400) offline.storeSources(A, 'INBOX', 7, batch.slice(at, at + 400));
    offline.setFilled(A, 'INBOX', 7, { as: 'all', uid: COUNT + 1 });
  });
  afterEach(() => db.close());
  after(removeTempFolders);

  const uids = (): number[] => messages.knownUids(A, 'INBOX', 1e6);

  /** The longest that this thread was not free while `run` was under way, in milliseconds of its own work. */
  async function longestStretch(run: () => Promise<void>): Promise<number> {
    let longest = 0;
    let over = false;
    const look = (before: NodeJS.CpuUsage): void => {
      const { user, system } = process.threadCpuUsage(before);
      longest = Math.max(longest, (user + system) / 1000);
      if (!over) setImmediate(look, process.threadCpuUsage());
    };
    setImmediate(look, process.threadCpuUsage());
    await run();
    over = true;
    return longest;
  }

  it('lets others have the thread in between', async () => {
    const longest = await longestStretch(async () => {
      await removeMost(messages, A, 'INBOX', uids().slice(0, 2000));
      messages.removeUids(A, 'INBOX', uids().slice(0, 2000).slice(0, 100));
      await emptyMost(messages, A, 'INBOX');
      messages.removeFolders(A, ['INBOX']);
    });
    assert.ok(longest < 50, `${longest.toFixed(0)} ms`);
    assert.equal(db.prepare("SELECT count(*) AS n FROM search WHERE search MATCH 'quantum'").get()?.['n'], 0);
  });

  it('leaves the last to the caller, who notes in the same stretch that they are gone', async () => {
    const gone = uids().slice(0, 500);
    await removeMost(messages, A, 'INBOX', gone);
    assert.equal(uids().length, COUNT - 400);
    messages.removeUids(A, 'INBOX', gone);
    assert.deepEqual(uids()[0], COUNT - 500);
    assert.equal(messages.cursor(A, 'INBOX')?.highestModseq, 9n);
    assert.ok(offline.filled(A, 'INBOX'), 'what is here is still all there is');
  });

  it('ends where the UIDs mean other messages meanwhile', async () => {
    const under = removeMost(messages, A, 'INBOX', uids());
    messages.resetFolder(A, 'INBOX');
    messages.setCursor(A, 'INBOX', { uidValidity: 8, uidNext: 500 });
    messages.insertMessages(
      A,
      'INBOX',
      Array.from({ length: 450 }, (_, i) => plainMessage(i + 1)),
    );
    await under;
    assert.equal(uids().length, 450);
  });

  it('of a whole folder leaves, wherever it ends, a folder that is filled again or removed to its end', async () => {
    const under = emptyMost(messages, A, 'INBOX');
    // As a process finds it that starts after this one died.
    assert.equal(uids().length, COUNT - 200);
    assert.equal(offline.filled(A, 'INBOX'), undefined);
    const { uidValidity, highestModseq } = messages.cursor(A, 'INBOX')!;
    assert.deepEqual([uidValidity, highestModseq], [7, undefined]);
    await under;
    assert.ok(uids().length < 200);
  });
});
