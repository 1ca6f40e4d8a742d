import assert from 'node:assert/strict';
import { OAUTH_PROVIDERS } from '../../../src/core/auth/providers.ts';
import { Log } from '../../../src/core/base/log.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { LeapClock } from '../../faults/leapClock.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('a message that may have been sent, where the provider files sent mail itself', function () {
  this.timeout(60_000);
  const clock = new LeapClock();
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let provider: EmailHandler;

  before(async function () {
    needMailWorld(this);
    const providers = { ...OAUTH_PROVIDERS, oidc: { ...OAUTH_PROVIDERS.oidc, filesOwnSent: true } };
    world = await startPeopleWorld({ ports: { clock, providers } });
    alice = await world.person('alice');
    bob = await world.person('bob');
    await alice.signInWithBrowser();
    await bob.signInWithPassword();
    provider = new EmailHandler(
      {
        servers: world.mail,
        credentials: async () => ({ kind: 'password', user: alice.email, password: 'alice-password' }),
        authorities: () => world.kme.pair.caPem,
        filesOwnSent: true,
      },
      { clock, random: systemRandom, log: new Log(() => {}, 'provider') },
    );
  });

  after(async () => {
    provider?.dispose();
    await world?.dispose();
  });

  it('is settled by its Message-ID in Sent, and only by that; nothing is filed or sent twice', async () => {
    await alice.send({ To: bob.email, Subject: 'warm up', Security: 'L4' }, 'the connection is open now\n');
    const body = 'a line of a long message\n'.repeat(200);
    const draft = await alice.draft({ To: bob.email, Subject: 'found', Security: 'L4' }, body);
    const stop = world.smtpProxy.observe('to-server', (chunk) => {
      if (chunk.length > 1000) world.smtpProxy.faultNow({ how: 'reset', direction: 'to-client', afterBytes: 40 });
    });
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'smtp.acceptance-unknown' });
    stop();
    const { summary } = await bob.receives('found');
    const [entry] = await alice.engine.listOutbox();
    assert.equal(entry?.state, 'acceptance-unknown');

    // The first look finds nothing, which proves nothing.
    const looked = new Promise<void>((resolve) => {
      const subscription = alice.engine.onEvent(async () => {
        const [now] = await alice.engine.listOutbox();
        if (now?.nextTry === entry.nextTry) return;
        subscription.dispose();
        resolve();
      });
    });
    clock.leap(11_000);
    await alice.engine.nudge({ reason: 'wake' });
    await looked;
    assert.equal((await alice.engine.listOutbox())[0]?.state, 'acceptance-unknown');

    const sent = new Promise<string | undefined>((resolve) => {
      alice.engine.onEvent((event) => event.kind === 'sent' && resolve(event.draftId));
    });
    await provider.append('Sent', Buffer.from(await bob.engine.getSource({ messageId: summary.id })), ['seen']);
    clock.leap(60_000);
    assert.equal(await sent, draft.draftId);
    await alice.receives('found', 'Sent');
    assert.deepEqual(await alice.engine.listOutbox(), []);
    const count = async (person: Person, folder: string): Promise<number> =>
      (await person.list(folder)).filter(({ subject }) => subject === 'found').length;
    assert.deepEqual([await count(bob, 'INBOX'), await count(alice, 'Sent')], [1, 1]);
    await assert.rejects(alice.engine.loadDraft(draft), { code: 'draft.missing' });
  });
});
