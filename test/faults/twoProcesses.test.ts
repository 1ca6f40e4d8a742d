import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { generateMailbox } from '../bench/mailbox.ts';
import { needMailWorld, startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { EngineProgram, type EngineProcess } from './engineProcess.ts';
import { HistoryServer } from './historyServer.ts';

const COUNT = 6000;
/** sync/accountLease.ts: how long a window that hangs keeps an account; the account of one that died is taken over sooner. */
const LEASE_MS = 30_000;
const MINUTE = 60_000;
const USERS = ['alice', 'bob'].map((name) => ({ email: `${name}@example.test`, password: `${name}-password` }));

describe('two windows, each with an engine in a process of its own, over one folder', function () {
  this.timeout(120_000);
  let world: MailWorld;
  let program: EngineProgram;
  const dirs: string[] = [];

  before(async function () {
    needMailWorld(this);
    world = await startMailWorld({ users: USERS, tls: { ...(await issueServer()), caPem: await testCaPem() } });
    world.fill(USERS[0]!.email, generateMailbox(COUNT));
    program = await EngineProgram.bundle();
  });
  after(async () => {
    await program?.dispose();
    await world?.stop();
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });

  async function windows(user: { email: string; password: string }): Promise<{
    first: EngineProcess;
    second: EngineProcess;
    accountId: string;
    dir: string;
  }> {
    const dir = mkdtempSync(join(tmpdir(), 'qumail-windows-'));
    dirs.push(dir);
    const settings = { certificateAuthorities: { '127.0.0.1': world.caPem }, fetchInterval: 3600 };
    const options = { storageDir: dir, secrets: new Map<string, string>(), settings };
    const first = program.start(options);
    const { imap, smtp } = world;
    const account = await first.engine.addAccount({ provider: 'qumail_native', displayName: '', servers: { imap, smtp }, ...user });
    return { first, second: program.start(options), accountId: account.id, dir };
  }

  async function until(holds: () => Promise<boolean>, patienceMs = 60_000): Promise<void> {
    for (const end = Date.now() + patienceMs; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 20)))
      assert.ok(Date.now() < end, 'it did not come to that');
  }

  it('where the one that fills the offline copy is killed in the middle, the other goes on within the time of the lease', async () => {
    const { first, second, accountId, dir } = await windows(USERS[0]!);
    const state = (window: EngineProcess) => window.engine.getSyncState({ accountId });
    const stored = async (window: EngineProcess): Promise<number> =>
      (await state(window)).folders.find(({ path }) => path === 'INBOX')?.stored ?? 0;
    assert.equal((await state(second)).holder, 'elsewhere');
    await until(async () => (await stored(first)) > 200);
    await first.kill();
    const had = await stored(second);
    assert.ok(had > 0 && had < COUNT, `killed with ${had} of ${COUNT}`);
    await until(async () => (await state(second)).holder === 'here', LEASE_MS);
    await until(async () => (await stored(second)) === COUNT);
    const db = new DatabaseSync(join(dir, 'mail.db'), { readOnly: true });
    try {
      assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
      const sql = `SELECT count(*) AS rows, count(DISTINCT m.uid) AS uids, count(b.message_id) AS bodies FROM messages m
        JOIN folders f ON f.id = m.folder_id LEFT JOIN bodies b ON b.message_id = m.id AND length(b.raw) = m.size WHERE f.path = 'INBOX'`;
      assert.deepEqual({ ...db.prepare(sql).get() }, { rows: COUNT, uids: COUNT, bodies: COUNT });
    } finally {
      db.close();
    }
    await second.close();
  });

  it('a snoozed message comes back once, at its time, in both and on the server', async () => {
    const user = USERS[1]!;
    const server = await new HistoryServer(world.imap, user, world.caPem).open();
    await server.append('INBOX', 'From: a@b.test\r\nSubject: later\r\nMessage-ID: <later@b.test>\r\n\r\ntext\r\n');
    const [{ uid } = { uid: 0 }] = await server.list('INBOX');
    await server.flag('INBOX', uid, 'seen', 'set');
    const { first, second, accountId, dir } = await windows(user);
    try {
      const inbox = async (window: EngineProcess) => (await window.engine.getEmailList({ accountId, folder: 'INBOX', limit: 10 })).messages;
      await until(async () => (await inbox(first)).length === 1 && (await inbox(second)).length === 1);
      const [{ id } = { id: 0 }] = await inbox(first);
      const until30 = Date.now() + 30 * MINUTE;
      await first.engine.snoozeMessages({ messageIds: [id], until: until30 });
      assert.deepEqual([(await inbox(first)).length, (await inbox(second)).length], [0, 0]);
      // A minute before its time nothing happens, in neither of them.
      for (const window of [first, second]) window.leap(29 * MINUTE);
      for (const window of [first, second]) assert.equal((await window.engine.listSnoozed()).length, 1);
      // Both wake at the same moment.
      for (const window of [first, second]) window.leap(2 * MINUTE);
      for (const window of [first, second])
        await until(async () => {
          const [back, ...more] = await inbox(window);
          return back?.id === id && !back.flags.includes('seen') && more.length === 0 && (await window.engine.listSnoozed()).length === 0;
        });
      await until(async () => {
        const [there, ...more] = await server.list('INBOX');
        return more.length === 0 && there?.flags.includes('seen') === false;
      });
      await until(async () => (await first.engine.listPendingActions()).length === 0);
      const db = new DatabaseSync(join(dir, 'vault.db'), { readOnly: true });
      assert.equal(db.prepare('SELECT count(*) AS n FROM actions').get()?.['n'], 1, 'one of them marked it as unread');
      db.close();
    } finally {
      await Promise.all([first.close(), second.close(), server.close()]);
    }
  });
});
