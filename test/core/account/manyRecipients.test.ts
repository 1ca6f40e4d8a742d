import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('sealed mail to several people', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    carol = await world.person('carol');
    await carol.signInWithPassword();
    await carol.connectKeyManager();
    await alice.knows(carol);
    await carol.knows(alice);
  });

  after(() => world?.dispose());

  afterEach(() => {
    world.kme.pair.faults('KME-A').multicast = 'on';
  });

  const keyIdsServedTo = (person: Person): string[] =>
    world.kme.pair.deliveries.filter(({ saeId }) => saeId === person.saeId).map(({ keyId }) => keyId);

  for (const level of ['L1', 'L2'] as const) {
    it(`uses one multi-SAE key at ${level} where the key manager offers it`, async () => {
      const subject = `one key ${level}`;
      const result = await alice.send({ To: bob.email, Cc: carol.email, Subject: subject, Security: level }, 'to you both\n');
      assert.equal(result.replies.length, 1);
      for (const person of [bob, carol]) {
        const message = await person.receives(subject);
        assert.equal(message.text.trim(), 'to you both');
        assert.deepEqual(
          message.cc.map(({ address }) => address),
          [carol.email],
        );
        assert.deepEqual(message.security.keyIds, result.keyIds);
        for (const keyId of result.keyIds) assert.ok(keyIdsServedTo(person).includes(keyId));
      }
    });
  }

  it('wraps one content key per person at L2 where there is no multicast', async () => {
    world.kme.pair.faults('KME-A').multicast = 'off';
    const result = await alice.send({ To: `${bob.email}, ${carol.email}`, Subject: 'wrapped', Security: 'L2' }, 'to each of you\n');
    assert.equal(result.replies.length, 1);
    const [toBob, toCarol] = [await bob.receives('wrapped'), await carol.receives('wrapped')];
    assert.equal(toBob.text, toCarol.text);
    assert.ok(!toBob.security.keyIds.some((keyId) => toCarol.security.keyIds.includes(keyId)));
  });

  it('writes separate messages at L1 where there is no multicast', async () => {
    world.kme.pair.faults('KME-A').multicast = 'off';
    const result = await alice.send({ To: `${bob.email}, ${carol.email}`, Subject: 'apart', Security: 'L1' }, 'to each, apart\n');
    assert.equal(result.replies.length, 2);
    for (const person of [bob, carol]) {
      const message = await person.receives('apart');
      assert.equal(message.text.trim(), 'to each, apart');
      assert.deepEqual(
        message.summary.to.map(({ address }) => address),
        [bob.email, carol.email],
      );
    }
  });

  it('never tells the others who got a blind copy', async () => {
    const result = await alice.send({ To: bob.email, Bcc: carol.email, Subject: 'blind', Security: 'L2' }, 'nobody else?\n');
    assert.equal(result.replies.length, 2);
    const [toBob, toCarol] = [await bob.receives('blind'), await carol.receives('blind')];
    assert.ok(!JSON.stringify(toBob).includes(carol.email));
    assert.equal(toCarol.text.trim(), 'nobody else?');
    const stored = await world.mail.storedMessages(bob.email);
    const lastToBob = stored
      .at(-1)!
      .toString('latin1')
      .replace(/^(Received|Return-Path|Delivered-To):.*\r?\n([ \t].*\r?\n)*/gim, '');
    assert.ok(!lastToBob.includes(carol.email));
    assert.ok(!Buffer.from(lastToBob.replace(/[\r\n]/g, ''), 'base64').includes(carol.email));
  });

  it('names everyone who cannot be reached at a level before a key is spent', async () => {
    const asked = world.kme.pair.deliveries.length;
    const draft = await alice.draft({ To: `${bob.email}, stranger@other.test`, Subject: 'half known', Security: 'L2' }, 'hello\n');
    const check = await alice.engine.checkDraft(draft);
    assert.deepEqual(
      check.problems.map(({ code, details }) => [code, details['address']]),
      [['seal.no-contact', 'stranger@other.test']],
    );
    assert.deepEqual(check.possible, ['L4']);
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'seal.no-contact' });
    assert.equal(world.kme.pair.deliveries.length, asked);
  });

  it('never goes below a contact’s minimum level', async () => {
    await alice.knows(carol, 'L2');
    const draft = await alice.draft({ To: carol.email, Subject: 'too open', Security: 'L4' }, 'hello\n');
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'seal.below-minimum' });
    const automatic = await alice.draft({ To: carol.email, Subject: 'follows the contact', Security: '' }, 'hello\n');
    assert.equal((await alice.engine.sendDraft(automatic)).level, 'L2');
    assert.equal((await carol.receives('follows the contact')).security.level, 'L2');
    await alice.knows(carol);
  });
});
