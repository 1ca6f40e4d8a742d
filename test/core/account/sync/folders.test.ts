import assert from 'node:assert/strict';
import type { FolderSyncState, QuMailApi } from '../../../../src/core/api.ts';
import { generateMailbox } from '../../../bench/mailbox.ts';
import { needMailWorld } from '../../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../../world/peopleWorld.ts';

const QUOTA = 50 * 1024 * 1024;

describe('folders as the server has them', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({ mailboxQuota: QUOTA });
    world.mail.fill('bob@other.test', generateMailbox(30));
    bob = await world.person('bob');
    await bob.signInWithPassword();
  });
  after(() => world?.dispose());

  const doveadm = (...args: string[]): Promise<string> => world.mail.doveadm(args);
  const accountId = (): string => bob.account.id;
  const stateOf = async (path: string, engine: QuMailApi = bob.engine): Promise<FolderSyncState | undefined> =>
    (await engine.getSyncState({ accountId: accountId() })).folders.find((folder) => folder.path === path);

  /** Resolves once `holds` does; looked at after every event. */
  async function until(holds: () => Promise<boolean>, engine: QuMailApi = bob.engine): Promise<void> {
    let heard = Promise.withResolvers<void>();
    const listening = engine.onEvent(() => heard.resolve());
    try {
      while (!(await holds())) {
        await heard.promise;
        heard = Promise.withResolvers();
      }
    } finally {
      listening.dispose();
    }
  }
  const look = (): Promise<unknown> => bob.engine.fetchMail({ accountId: accountId() });

  it('are subscribed to and no longer, there as here, and as another program did it', async () => {
    await doveadm('mailbox', 'create', '-u', bob.email, 'Lists');
    const subscribed = async (): Promise<string[]> => (await doveadm('mailbox', 'list', '-s', '-u', bob.email)).trim().split('\n');
    await look();
    assert.equal((await stateOf('Lists'))?.subscribed, false);
    await bob.engine.subscribeFolder({ accountId: accountId(), folder: 'Lists', subscribed: 'subscribed' });
    assert.ok((await subscribed()).includes('Lists'));
    assert.equal((await stateOf('Lists'))?.subscribed, true);
    await bob.engine.subscribeFolder({ accountId: accountId(), folder: 'Lists', subscribed: 'unsubscribed' });
    assert.ok(!(await subscribed()).includes('Lists'));
    assert.equal((await stateOf('Lists'))?.subscribed, false);
    await doveadm('mailbox', 'subscribe', '-u', bob.email, 'Lists');
    await look();
    assert.equal((await stateOf('Lists'))?.subscribed, true);
    await assert.rejects(bob.engine.subscribeFolder({ accountId: accountId(), folder: 'None', subscribed: 'subscribed' }), {
      code: 'imap.mailbox-missing',
    });
    await assert.rejects(bob.engine.subscribeFolder({ accountId: accountId(), folder: 'Lists', subscribed: 'perhaps' as never }), {
      code: 'engine.bad-request',
    });
  });

  it('take their children along when they are renamed, with all that is in them and what was chosen', async () => {
    for (const [path, uids] of [
      ['Projects', '1:5'],
      ['Projects/2025', '6:12'],
      ['Projects/2025/Old', '13:15'],
    ] as const) {
      await doveadm('mailbox', 'create', '-u', bob.email, path);
      await doveadm('copy', '-u', bob.email, path, 'mailbox', 'INBOX', 'uid', uids);
    }
    await look();
    await until(async () => (await stateOf('Projects/2025/Old'))?.stored === 3 && (await stateOf('Projects/2025'))?.stored === 7);
    await bob.engine.setFolderSync({ accountId: accountId(), folder: 'Projects/2025', sync: 'headers' });
    const idsIn = async (folder: string): Promise<number[]> =>
      (await bob.engine.getEmailList({ accountId: accountId(), folder, limit: 50 })).messages.map(({ id }) => id);
    const suffixes = ['', '/2025', '/2025/Old'];
    const before = await Promise.all(suffixes.map((suffix) => idsIn(`Projects${suffix}`)));
    await doveadm('mailbox', 'rename', '-u', bob.email, 'Projects', 'Work');
    await look();
    assert.deepEqual(await Promise.all(suffixes.map((suffix) => idsIn(`Work${suffix}`))), before);
    for (const suffix of suffixes) assert.equal(await stateOf(`Projects${suffix}`), undefined);
    assert.deepEqual([(await stateOf('Work/2025'))?.sync, (await stateOf('Work/2025/Old'))?.stored], ['headers', 3]);
  });

  it('share a quota, which every window tells', async () => {
    const twin = await bob.window();
    try {
      for (const engine of [bob.engine, twin]) {
        await until(async () => (await engine.getSyncState({ accountId: accountId() })).quota !== undefined, engine);
        const { quota } = await engine.getSyncState({ accountId: accountId() });
        assert.equal(quota?.limit, QUOTA);
        assert.ok(quota.used > 0 && quota.used < QUOTA);
      }
    } finally {
      await twin[Symbol.asyncDispose]();
    }
  });
});
