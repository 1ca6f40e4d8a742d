import assert from 'node:assert/strict';
import type { QuMailApi, SearchCoverage } from '../../../src/core/api.ts';
import { generateMailbox } from '../../bench/mailbox.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

const COUNT = 400;
const TRASH = 7;
const OLD = 90;
/** A screenful, as a folder that is looked into for the first time is listed. */
const SEEN = 60;

describe('how much of the mail a search looks through', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    world.mail.fill('bob@other.test', generateMailbox(COUNT));
    const copy = (folder: string, uids: string) =>
      world.mail.doveadm(['copy', '-u', 'bob@other.test', folder, 'mailbox', 'INBOX', 'uid', uids]);
    await copy('Trash', `1:${TRASH}`);
    await copy('Junk', '1:3');
    bob = await world.person('bob');
  });
  after(() => world?.dispose());

  const coverage = async (more: { query?: string; folder?: string } = {}, engine: QuMailApi = bob.engine): Promise<SearchCoverage> =>
    (await engine.search({ query: 'word', limit: 1, ...(more.folder && { accountId: bob.account.id }), ...more })).coverage;

  /** Resolves once `holds` does; looked at after every event, and by itself for what is indexed without one. */
  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const heard = bob.engine.onEvent(() => resolve());
      const timer = setTimeout(resolve, 100);
      await promise;
      clearTimeout(timer);
      heard.dispose();
    }
  }

  it('is told of all that the server holds while a mailbox is filled, and of no Trash and no Junk', async () => {
    world.imapProxy.slowDown(1024 * 1024);
    await bob.signInWithPassword();
    await until(async () =>
      (await bob.engine.listFolders({ accountId: bob.account.id })).some(({ path, total }) => path === 'INBOX' && total > 0),
    );
    const seen: SearchCoverage[] = [];
    await until(async () => {
      seen.push(await coverage());
      return seen.at(-1)!.indexed === COUNT;
    });
    world.imapProxy.slowDown(undefined);
    assert.ok(
      seen.every(({ total }) => total === COUNT),
      JSON.stringify(seen),
    );
    assert.ok(
      seen.every(({ indexed }, at) => indexed >= (seen[at - 1]?.indexed ?? 0)),
      JSON.stringify(seen),
    );
    assert.ok(
      seen.some(({ indexed }) => indexed > 0 && indexed < COUNT),
      'no search while it was filled',
    );
  });

  it('is told of the folders that the query names', async () => {
    await until(async () =>
      (await bob.engine.getSyncState({ accountId: bob.account.id })).folders.some(({ path, known }) => path === 'Trash' && known === TRASH),
    );
    assert.deepEqual(await coverage({ query: 'word in:Trash' }), { indexed: 0, total: TRASH });
    assert.deepEqual(await coverage({ folder: 'Trash' }), { indexed: 0, total: TRASH });
    assert.deepEqual(await coverage({ query: 'word in:INBOX' }), { indexed: COUNT, total: COUNT });
    assert.deepEqual(await coverage({ query: 'word -in:Trash -in:Junk' }), { indexed: COUNT, total: COUNT });
    assert.deepEqual(await coverage({ query: `word account:${bob.email}` }), { indexed: COUNT, total: COUNT });
    assert.deepEqual(await coverage({ query: 'word account:nobody' }), { indexed: 0, total: 0 });
  });

  it('counts what a folder holds of which the person keeps nothing here', async () => {
    await world.mail.doveadm(['mailbox', 'create', '-u', bob.email, 'Old']);
    await bob.engine.fetchMail({ accountId: bob.account.id });
    await bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'Old', sync: 'off' });
    await world.mail.doveadm(['copy', '-u', bob.email, 'Old', 'mailbox', 'INBOX', 'uid', `1:${OLD}`]);
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.deepEqual(await coverage(), { indexed: COUNT, total: COUNT + OLD });
    await bob.engine.fetchMail({ accountId: bob.account.id, folder: 'Old' });
    assert.equal((await bob.engine.getSyncState({ accountId: bob.account.id })).folders.find(({ path }) => path === 'Old')?.known, SEEN);
    assert.deepEqual(await coverage(), { indexed: COUNT, total: COUNT + OLD });
    await bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'Old', sync: 'all' });
    await until(async () => (await coverage()).indexed === COUNT + OLD);
    assert.deepEqual(await coverage(), { indexed: COUNT + OLD, total: COUNT + OLD });
  });

  it('follows what is moved and removed, before the server heard and after', async () => {
    const { messages } = await bob.engine.getEmailList({ accountId: bob.account.id, folder: 'INBOX', limit: 3 });
    const [first, second, third] = messages.map(({ id }) => id);
    const all = COUNT + OLD;
    await bob.engine.moveMessages({ messageIds: [first!], folder: 'Old' });
    assert.deepEqual(await coverage(), { indexed: all, total: all });
    await bob.engine.moveMessages({ messageIds: [second!], folder: 'Trash' });
    assert.deepEqual(await coverage(), { indexed: all - 1, total: all - 1 });
    await bob.engine.deleteMessages({ messageIds: [third!] });
    assert.deepEqual(await coverage(), { indexed: all - 2, total: all - 2 });
    await bob.settled();
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.deepEqual(await coverage(), { indexed: all - 2, total: all - 2 });
  });
});
