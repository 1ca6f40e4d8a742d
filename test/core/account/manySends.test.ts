import assert from 'node:assert/strict';
import { systemClock } from '../../../src/core/base/systemPorts.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

const SENDS = 50;
const HOUR_MS = 3_600_000;

describe('many sends', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  /** How far the engine's clock is ahead of the servers'. */
  let ahead = 0;

  before(async function () {
    needMailWorld(this);
    const clock = { ...systemClock, now: () => systemClock.now() + ahead };
    world = await startPeopleWorld({ accessTokenSeconds: HOUR_MS / 1000, ports: { clock } });
    alice = await world.person('alice');
    await alice.signInWithBrowser();
  });
  after(() => world?.dispose());

  it('50 sends back to back with a token past its refresh point take one refresh and at most 3 connections', async () => {
    const connected = { imap: world.imapProxy.total, smtp: world.smtpProxy.total };
    // Four minutes are left of the hour: less than the five that a token must be good for.
    ahead = HOUR_MS - 4 * 60_000;
    const refreshes = world.oidc.counters.refreshes;
    for (let number = 1; number <= SENDS; number++) {
      const result = await alice.send({ To: 'bob@other.test', Subject: `Letter ${number}`, Security: 'L4' }, `number ${number}\n`);
      assert.match(result.replies[0] ?? '', /^250/);
    }
    assert.equal(world.oidc.counters.refreshes - refreshes, 1);
    const opened = world.imapProxy.total - connected.imap + (world.smtpProxy.total - connected.smtp);
    assert.ok(opened <= 3, `${opened} new connections`);
    assert.ok(world.imapProxy.peak + world.smtpProxy.peak <= 3, `${world.imapProxy.peak} + ${world.smtpProxy.peak} at once`);
    assert.equal((await world.mail.storedMessages('bob@other.test')).length, SENDS);
  });
});
