import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { needMailWorld } from '../../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../../world/peopleWorld.ts';

describe('the window that leads', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    bob = await world.person('bob');
    await bob.signInWithPassword();
  });
  after(() => world?.dispose());

  it('follows once another one took over while it hung, and leads again when that one has gone', async () => {
    const { id: accountId } = bob.account;
    const holder = async () => (await bob.engine.getSyncState({ accountId })).holder;
    const listens = async () => (await bob.engine.getAccountHealth())[0]?.connections.some(({ kind }) => kind === 'imap-watch');
    const until = async (holds: () => Promise<boolean | undefined>): Promise<void> => {
      while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(listens);
    assert.equal(await holder(), 'here');
    const vault = new DatabaseSync(join(bob.storageDir, 'vault.db'));
    const row = `WHERE name = 'sync/${accountId}'`;
    try {
      vault.prepare(`UPDATE window_locks SET holder = 'another window', beat = 0 ${row}`).run();
      await bob.engine.fetchMail({ accountId });
      assert.deepEqual([await holder(), await listens()], ['elsewhere', false]);
      await bob.engine.fetchMail({ accountId });
      assert.deepEqual([await holder(), await listens()], ['elsewhere', false], 'what a person asks for is done all the same');
      assert.equal(vault.prepare(`SELECT holder FROM window_locks ${row}`).get()?.['holder'], 'another window');
      vault.prepare(`UPDATE window_locks SET holder = NULL ${row}`).run();
      await until(async () => (await holder()) === 'here' && (await listens()));
    } finally {
      vault.close();
    }
  });
});
