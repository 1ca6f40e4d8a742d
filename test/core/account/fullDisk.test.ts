import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateMailbox } from '../../bench/mailbox.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

const COUNT = 1500;

describe('a disk that is full', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let bob: Person;
  let mounted: string | undefined;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    world.mail.fill('bob@other.test', generateMailbox(COUNT));
    bob = await world.person('bob');
    await bob.engine[Symbol.asyncDispose]();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'none', bob.storageDir], { stdio: 'pipe' });
    } catch (error) {
      if (process.env['CI'] === 'true') throw error;
      console.log('skipped, no small disk: mount is not allowed here');
      return this.skip();
    }
    mounted = bob.storageDir;
    await bob.open();
    await bob.signInWithPassword();
  });
  after(async () => {
    await bob?.engine?.[Symbol.asyncDispose]();
    if (mounted !== undefined) execFileSync('umount', [mounted]);
    await world?.dispose();
  });

  const stored = async (): Promise<number> => {
    const { folders } = await bob.engine.getSyncState({ accountId: bob.account.id });
    return folders.find(({ path }) => path === 'INBOX')?.stored ?? 0;
  };
  const ended = (): number => bob.log.filter(({ event }) => event.endsWith('fill-ended')).length;

  /** Resolves once `holds` does; looked at after every event. */
  function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = async (): Promise<void> => void ((await holds()) && resolve());
    const heard = bob.engine.onEvent(() => void look().catch(reject));
    look().catch(reject);
    return promise.finally(() => heard.dispose());
  }

  it('is named, keeps what is there, tries no harder than before, and is forgotten once there is room', async () => {
    const { draftId, text } = await bob.draft({ To: 'alice@example.test', Subject: 'kept', Security: 'L4' }, 'written before\n');
    await bob.engine.saveDraft({ draftId, text });
    await until(() => ended() > 0);
    const had = await stored();
    assert.ok(had > 0 && had < COUNT, `${had} stored`);
    const [health] = await bob.engine.getAccountHealth();
    assert.ok(
      health?.errors.some(({ code }) => code === 'store.full'),
      JSON.stringify(health?.errors),
    );
    const shown = async () => {
      const [account] = await bob.engine.listAccounts();
      return [account?.state, account?.failure?.code];
    };
    assert.deepEqual(await shown(), ['online', 'store.full']);
    // Looking again fails again, once for each look, and loses nothing. Nobody is told of it again.
    let told = 0;
    const heard = bob.engine.onEvent(({ kind }) => kind === 'accounts' && told++);
    const before = ended();
    for (let look = 0; look < 3; look++) await bob.engine.fetchMail({ accountId: bob.account.id }).catch(() => {});
    assert.ok(ended() - before <= 4, `${ended() - before} further attempts`);
    assert.deepEqual([told, await shown()], [0, ['online', 'store.full']]);
    heard.dispose();
    assert.ok((await stored()) >= had);
    const list = await bob.engine.getEmailList({ accountId: bob.account.id, folder: 'INBOX', limit: 50 });
    assert.equal(list.messages.length, 50);
    assert.match((await bob.engine.openMessage({ messageId: list.messages[0]!.id })).text, /\w/);
    assert.equal((await bob.engine.loadDraft({ draftId })).text, text);

    execFileSync('mount', ['-o', 'remount,size=64m', bob.storageDir]);
    await bob.engine.fetchMail({ accountId: bob.account.id });
    await until(async () => (await stored()) === COUNT);
    await until(async () => (await shown())[1] === undefined);
    assert.equal((await bob.engine.loadDraft({ draftId })).text, text);
  });
});
