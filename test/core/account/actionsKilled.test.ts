import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { folderSecrets } from '../store/vaultFixture.ts';

/**
 * Octets from the server that still come through: the kill falls between any two answers. The flags go first, then both folders are
 * looked at, then the message is moved, then told to be done.
 */
const POINTS = [0, 500, 1100, 1700, 2300];

describe('a window that is killed while it tells the server what was done', function () {
  this.timeout(60_000);
  const secretsDir = mkdtempSync(join(tmpdir(), 'qumail-secrets-'));
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Projects']);
    for (const octets of POINTS) await bob.send({ To: alice.email, Subject: `killed at ${octets}`, Security: 'L4' }, 'text\n');
    for (const octets of POINTS) await alice.receives(`killed at ${octets}`);
    // What strikes the connections later must strike nobody else's.
    await bob.engine[Symbol.asyncDispose]();
  });

  after(async () => {
    await world?.dispose();
    rmSync(secretsDir, { recursive: true, force: true });
  });

  const stored = async (subject: string, folder: string): Promise<number> =>
    (await world.mail.storedMessages(alice.email, folder)).filter((raw) => raw.includes(`Subject: ${subject}\r\n`)).length;

  for (const octets of POINTS) {
    it(`is made good by the next one: after ${octets} octets of the server's answers`, async () => {
      const subject = `killed at ${octets}`;
      const { id } = (await alice.receives(subject)).summary;
      await alice.engine[Symbol.asyncDispose]();
      const secrets = folderSecrets(secretsDir);
      for (const [name, value] of alice.secrets) await secrets.set(name, value);
      const settings = JSON.stringify({ certificateAuthorities: { '127.0.0.1': world.kme.pair.caPem }, fetchInterval: 3600 });
      const child = fork(fileURLToPath(import.meta.resolve('./actionsChild.ts')), [alice.storageDir, secretsDir, settings], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      await once(child, 'message');
      world.imapProxy.faultNow({ how: 'stall', direction: 'to-client', afterBytes: octets });
      const stalled = world.imapProxy.untilStalled();
      const journaled = once(child, 'message');
      child.send({ messageIds: [id], folder: 'Projects' });
      await journaled;
      // Where more answers come than there are, nothing stalls, and it is killed when all was told.
      await Promise.race([stalled, new Promise((resolve) => setTimeout(resolve, 1000))]);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      for (const name of secrets.names()) alice.secrets.set(name, (await secrets.get(name)) ?? '');

      await alice.open();
      alice.account = (await alice.engine.listAccounts())[0]!;
      assert.equal(
        (await alice.engine.getEmailList({ accountId: alice.account.id, folder: 'INBOX', limit: 100 })).messages.filter(
          (each) => each.subject === subject,
        ).length,
        0,
      );
      await alice.list();
      await alice.settled();
      assert.deepEqual([await stored(subject, 'INBOX'), await stored(subject, 'Projects')], [0, 1]);
      const listed = (await alice.list('Projects')).filter((each) => each.subject === subject);
      assert.deepEqual([listed.length, listed[0]?.id, listed[0]?.flags.includes('flagged')], [1, id, true]);
      assert.deepEqual(await alice.engine.listPendingActions(), []);
    });
  }
});
