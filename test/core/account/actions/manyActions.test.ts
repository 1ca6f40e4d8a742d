import assert from 'node:assert/strict';
import { generateMailbox } from '../../../bench/mailbox.ts';
import { LatenessWatch } from '../../../world/lateness.ts';
import { needMailWorld } from '../../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../../world/peopleWorld.ts';

const MANY = 10_000;
/** What a request may have to wait for another: processor time of this thread, which is the engine's here. */
const MOST_MS = 50;

describe('10,000 messages that a server hears about', function () {
  this.timeout(120_000);
  let world: PeopleWorld;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    world.mail.fill('bob@other.test', generateMailbox(MANY));
    await world.mail.doveadm(['mailbox', 'create', '-u', 'bob@other.test', 'Projects']);
    bob = await world.person('bob');
    await bob.signInWithPassword();
    while ((await inFolder('INBOX')).stored < MANY) await new Promise((resolve) => setTimeout(resolve, 50));
  });
  after(() => world?.dispose());

  const inFolder = async (path: string): Promise<{ stored: number; known: number }> => {
    const { folders } = await bob.engine.getSyncState({ accountId: bob.account.id });
    return folders.find((folder) => folder.path === path) ?? { stored: 0, known: 0 };
  };

  it('keep no other request waiting, neither when they are told nor when the next looks take them in', async () => {
    const messageIds: number[] = [];
    while (messageIds.length < MANY) {
      const before = messageIds.at(-1);
      const page = { accountId: bob.account.id, folder: 'INBOX', limit: 500, ...(before !== undefined && { before }) };
      messageIds.push(...(await bob.engine.getEmailList(page)).messages.map(({ id }) => id));
    }
    assert.equal(messageIds.length, MANY);
    const worst: Record<string, number> = {};
    const measured = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      using watch = new LatenessWatch();
      await work();
      worst[name] = watch.worst().computed;
    };
    world.imapProxy.admit('refuse');
    world.imapProxy.faultNow({ how: 'reset' });
    await assert.rejects(bob.engine.fetchMail({ accountId: bob.account.id }));
    await measured('journal flags', () => bob.engine.setFlags({ messageIds, add: ['flagged'], remove: [] }));
    await measured('journal moves', () => bob.engine.moveMessages({ messageIds, folder: 'Projects' }));
    world.imapProxy.admit('accept');
    await measured('replay', async () => {
      await bob.engine.fetchMail({ accountId: bob.account.id });
      for (;;) {
        const pending = await bob.engine.listPendingActions();
        if (!pending.some(({ state }) => state === 'waiting' || state === 'running')) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    await measured('looks', async () => {
      for (const folder of ['INBOX', 'Projects']) await bob.engine.fetchMail({ accountId: bob.account.id, folder });
      while ((await bob.engine.getSyncState({ accountId: bob.account.id })).active) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    console.log(
      `  longest waits: ${Object.entries(worst)
        .map(([name, ms]) => `${name} ${Math.round(ms)} ms`)
        .join(', ')}`,
    );
    assert.equal((await inFolder('Projects')).known, MANY);
    assert.equal((await inFolder('INBOX')).known, 0);
    for (const [name, ms] of Object.entries(worst)) assert.ok(ms <= MOST_MS, `${name}: ${ms} ms`);
  });
});
