import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('closing the engine', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
  });

  after(() => world?.dispose());

  it('waits for keys that are on their way, since they are delivered once', async () => {
    const { deliveries } = world.kme.pair;
    world.kme.pair.faults('KME-B').delayMs = 400;
    await alice.send({ To: bob.email, Subject: 'at the last moment', Security: 'L2' }, 'still readable\n');
    // The key manager has handed the key out, and its answer is on the way.
    while (!deliveries.some(({ saeId }) => saeId === bob.saeId)) await new Promise((resolve) => setTimeout(resolve, 5));
    await bob.reopen();
    world.kme.pair.faults('KME-B').delayMs = 0;
    assert.equal((await bob.receives('at the last moment')).text.trim(), 'still readable');
    assert.equal(deliveries.filter(({ saeId }) => saeId === bob.saeId).length, 1);
  });
});
