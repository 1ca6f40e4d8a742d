import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('quantum keys combined with a post-quantum share', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
  });

  after(() => world?.dispose());

  const send = (from: Person, to: Person, subject: string, level: string) =>
    from.send({ To: to.email, Subject: subject, Security: level }, `body of ${subject}\n`);
  const contact = async (whose: Person, other: Person) =>
    (await whose.engine.listContacts({ accountId: whose.account.id })).find(({ address }) => address === other.email);

  it('is left out while the other’s card is not known, and the report says so', async () => {
    await send(alice, bob, 'introduction', 'L2');
    const { security } = await bob.receives('introduction');
    assert.deepEqual([security.level, security.suite, security.postQuantum], ['L2', 'QM1-CB256', false]);
    assert.equal((await contact(bob, alice))?.certificate?.mark, 'first-use');
  });

  it('is added by itself from the first answer on, in both directions', async () => {
    await send(bob, alice, 'combined answer', 'L2');
    const answer = (await alice.receives('combined answer')).security;
    assert.deepEqual([answer.level, answer.suite, answer.postQuantum], ['L2', 'QM1-CB256+PQ', true]);
    await send(alice, bob, 'combined', 'L2');
    assert.equal((await bob.receives('combined')).security.suite, 'QM1-CB256+PQ');
  });

  it('needs the key of the link as well: each was asked for once on each side', () => {
    const byKey = new Map<string, number>();
    for (const { keyId } of world.kme.pair.deliveries) byKey.set(keyId, (byKey.get(keyId) ?? 0) + 1);
    assert.equal(byKey.size, 3);
    assert.ok([...byKey.values()].every((count) => count === 2));
  });

  it('confirms the certificate where a one-time pad names its fingerprint', async () => {
    await send(bob, alice, 'under the pad', 'L1');
    const { security } = await alice.receives('under the pad');
    assert.deepEqual([security.suite, security.postQuantum], ['QM1-OTP-P1305', undefined]);
    assert.equal((await contact(alice, bob))?.certificate?.mark, 'qkd');
  });

  it('reaches nobody when the other’s certificate has changed, at any sealed level, until the person has decided', async () => {
    const before = await contact(alice, bob);
    // Bob starts over on a new machine.
    await bob.engine.signOut({ accountId: bob.account.id });
    await bob.signInWithPassword();
    await bob.connectKeyManager();
    await bob.knows(alice);
    await send(bob, alice, 'from the new machine', 'L2');
    assert.equal((await alice.receives('from the new machine')).text.trim(), 'body of from the new machine');
    const change = (await contact(alice, bob))?.keyChange;
    assert.equal(change?.effect, 'blocks');

    const asked = world.kme.pair.deliveries.length;
    for (const level of ['L1', 'L2', 'L3']) {
      const draft = await alice.draft({ To: bob.email, Subject: 'blocked', Security: level }, 'x\n');
      const check = await alice.engine.checkDraft(draft);
      assert.deepEqual(
        check.problems.map(({ code }) => code),
        ['seal.key-changed'],
        level,
      );
      await assert.rejects(alice.engine.sendDraft(draft), { code: 'seal.key-changed' });
    }
    const fresh = await alice.engine.createDraft({ accountId: alice.account.id, source: { kind: 'new', to: [bob.email] } });
    assert.match(fresh.text, /^Security: L2/m);
    assert.equal(world.kme.pair.deliveries.length, asked);

    const decided = { accountId: alice.account.id, address: bob.email, changeId: change!.id, decision: 'accept' as const };
    const accepted = await alice.engine.resolveKeyChange(decided);
    assert.notEqual(accepted.certificate?.fingerprint, before?.certificate?.fingerprint);
    await send(alice, bob, 'unblocked', 'L2');
    assert.equal((await bob.receives('unblocked')).security.suite, 'QM1-CB256+PQ');
  });

  it('keeps mail at L3 shut that another certificate than the known one signed, and opens it once the person has accepted that', async () => {
    await alice.engine.signOut({ accountId: alice.account.id });
    await alice.signInWithPassword();
    await alice.connectKeyManager();
    await alice.knows(bob);
    const { file } = await bob.engine.exportCard({ accountId: bob.account.id });
    await alice.engine.importCard({ accountId: alice.account.id, content: file });
    await send(alice, bob, 'new signature', 'L3');
    const shut = await until(async () => (await bob.list()).find(({ failure }) => failure?.code === 'open.sender-changed'));
    assert.deepEqual([shut.seal, shut.subject], ['unopened', 'QuMail Secure Message']);
    const { security, text } = await bob.engine.openMessage({ messageId: shut.id });
    assert.deepEqual([security.nextStep, security.failure?.details['address'], text], ['verify', alice.email, '']);
    const changeId = (await contact(bob, alice))!.keyChange!.id;
    await bob.engine.resolveKeyChange({ accountId: bob.account.id, address: alice.email, changeId, decision: 'accept' });
    assert.equal((await bob.engine.openMessage({ messageId: shut.id })).text.trim(), 'body of new signature');
  });
});

async function until<T>(found: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await found();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
