import assert from 'node:assert/strict';
import { NETWORK_TICK_MS } from '../../../src/core/account/networkWatch.ts';
import type { QuMailEvent } from '../../../src/core/api.ts';
import { startCuttingProxy, type CuttingProxy } from '../../world/cuttingProxy.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { LeapClock } from '../../faults/leapClock.ts';

describe('an account over sleep and changes of network', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  const clock = new LeapClock();
  let proxy: CuttingProxy;
  let networks = 'eth0 192.0.2.7';

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({ ports: { clock, timing: { wakeMs: 300 }, networks: () => networks } });
    proxy = await startCuttingProxy(world.servers.imap);
    alice = await world.person('alice');
    bob = await world.person('bob');
    await alice.signInWithPassword();
    const servers = { ...world.servers, imap: { ...world.servers.imap, port: proxy.port } };
    bob.account = await bob.engine.addAccount({
      provider: 'qumail_native',
      email: bob.email,
      displayName: 'Bob',
      password: 'bob-password',
      servers,
    });
  });
  after(async () => {
    await world?.dispose();
    await proxy?.close();
  });

  it('notices by itself that it slept, drops the dead lines and shows what came meanwhile', async () => {
    await bob.list();
    proxy.faultNow({ how: 'stall' });
    await alice.send({ To: bob.email, Subject: 'while you slept', Security: 'L4' }, 'good morning\n');
    clock.leap(8 * 3_600_000);
    assert.equal((await bob.receives('while you slept')).text.trim(), 'good morning');
  });

  it('notices by itself that it came to another network', async () => {
    await bob.list();
    proxy.faultNow({ how: 'stall' });
    await alice.send({ To: bob.email, Subject: 'from the cafe', Security: 'L4' }, 'x\n');
    networks = 'wlan0 198.51.100.4';
    clock.leap(NETWORK_TICK_MS + 1);
    assert.ok(await bob.receives('from the cafe'));
  });

  it('checks its lines when told of another network', async () => {
    await bob.list();
    proxy.faultNow({ how: 'stall' });
    await alice.send({ To: bob.email, Subject: 'on the train', Security: 'L4' }, 'x\n');
    await bob.engine.nudge({ reason: 'network' });
    assert.ok(await bob.receives('on the train'));
  });

  it('finds no servers for what is no address under a domain, by a code', async () => {
    for (const email of ['bob', 'bob@127.0.0.1', 'bob@exa\u0000mple.test']) {
      await assert.rejects(bob.engine.discoverServers({ email }), { code: 'account.bad-settings' });
    }
  });

  it('misses nothing of what arrives in quick succession', async () => {
    await Promise.all([1, 2, 3, 4, 5].map((n) => alice.send({ To: bob.email, Subject: `quick ${n}`, Security: 'L4' }, 'x\n')));
    for (const n of [1, 2, 3, 4, 5]) await bob.receives(`quick ${n}`);
  });

  it('comes back by itself, and soon, after an outage that its look for mail ran into', async () => {
    const states: QuMailEvent[] = [];
    proxy.admit('refuse');
    proxy.faultNow({ how: 'reset' });
    const offline = Promise.withResolvers<void>();
    const online = Promise.withResolvers<void>();
    const subscription = bob.engine.onEvent((event) => {
      if (event.kind !== 'accounts') return;
      states.push(event);
      void bob.engine.listAccounts().then(([account]) => (account?.state === 'offline' ? offline : online).resolve());
    });
    await assert.rejects(bob.engine.fetchMail({ accountId: bob.account.id }), { code: 'net.cut' });
    await offline.promise;
    await bob.engine.nudge({ reason: 'network' });
    proxy.admit('accept');
    await online.promise;
    subscription.dispose();
  });
});
