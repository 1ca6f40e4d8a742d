import assert from 'node:assert/strict';
import type { MessageSummary, QuMailApi } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('one sealed message, opened from two sides at once', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let twin: QuMailApi;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    twin = await bob.window();
  });

  after(async () => {
    await twin?.[Symbol.asyncDispose]();
    await world?.dispose();
  });

  afterEach(() => {
    Object.assign(world.kme.pair.faults('KME-B'), { delayMs: 0, keepCollected: 0 });
  });

  const fetched = (): number => world.kme.pair.deliveries.filter(({ saeId, verb }) => saeId === bob.saeId && verb === 'dec_keys').length;

  async function newest(engine: QuMailApi): Promise<MessageSummary | undefined> {
    return (await engine.getEmailList({ accountId: bob.account.id, folder: 'INBOX', limit: 1 })).messages[0];
  }

  async function send(subject: string): Promise<void> {
    await alice.send({ To: bob.email, Subject: subject, Security: 'L2' }, `body of ${subject}\n`);
  }

  /** Both windows look for mail until each has tried the newest message, and then once more. */
  async function bothLook(subject: string): Promise<void> {
    const look = (engine: QuMailApi) => engine.fetchMail({ accountId: bob.account.id });
    for (;;) {
      await Promise.all([look(bob.engine), look(twin)]);
      const message = await newest(bob.engine);
      if (message?.subject === subject || message?.failure) break;
    }
  }

  async function bothShow(subject: string): Promise<void> {
    for (const engine of [bob.engine, twin]) {
      const summary = await newest(engine);
      assert.deepEqual(
        { subject: summary?.subject, seal: summary?.seal, failure: summary?.failure },
        { subject, seal: 'opened', failure: undefined },
      );
      const { text, security } = await engine.openMessage({ messageId: summary!.id });
      assert.equal(text.trim(), `body of ${subject}`);
      assert.equal(security.seal, 'opened');
    }
  }

  for (const round of [1, 2, 3]) {
    it(`shows the message in both windows, which asked for its key at the same moment (${round})`, async () => {
      world.kme.pair.faults('KME-B').delayMs = 120 * round;
      const before = fetched();
      await send(`race ${round}`);
      await bothLook(`race ${round}`);
      await bothShow(`race ${round}`);
      assert.equal(fetched(), before + 1);
    });
  }

  it('shows the message in both windows where the key manager delivered its key to each', async () => {
    Object.assign(world.kme.pair.faults('KME-B'), { delayMs: 150, keepCollected: 1 });
    await send('delivered twice');
    await bothLook('delivered twice');
    await bothShow('delivered twice');
  });

  it('asks for the key once where a person opens the message in the moment it arrives', async () => {
    world.kme.pair.faults('KME-B').delayMs = 200;
    const before = fetched();
    await twin[Symbol.asyncDispose]();
    await send('impatient');
    let clicked: Promise<unknown> | undefined;
    while (!clicked) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const arrived = await newest(bob.engine);
      if (arrived && arrived.seal === 'unopened') clicked = bob.engine.openMessage({ messageId: arrived.id });
      else if (arrived?.subject === 'impatient') clicked = Promise.resolve();
    }
    await clicked;
    await bob.engine.fetchMail({ accountId: bob.account.id });
    twin = await bob.window();
    await bothShow('impatient');
    assert.equal(fetched(), before + 1);
  });
});
