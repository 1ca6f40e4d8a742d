import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('two people with a pad and no key manager', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  const sticks = mkdtempSync(join(tmpdir(), 'qumail-sticks-'));
  const stick = join(sticks, 'for-bob.pad');

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob, carol] = [await world.person('alice'), await world.person('bob'), await world.person('carol')];
    for (const person of [alice, bob, carol]) await person.signInWithPassword();
  });

  after(async () => {
    await world?.dispose();
    rmSync(sticks, { recursive: true, force: true });
  });

  it('Alice makes a pad, Bob imports it, and each is a contact of the other with L1 and L2', async () => {
    await alice.engine.createPad({ accountId: alice.account.id, address: bob.email, path: stick, octets: 1024 * 1024 });
    copyFileSync(stick, `${stick}.copy`);
    await bob.engine.importPad({ accountId: bob.account.id, address: alice.email, path: stick });
    assert.ok(!existsSync(stick));
    for (const person of [alice, bob]) {
      const [contact] = await person.engine.listContacts({ accountId: person.account.id });
      assert.equal(contact?.startLevel, 'L2');
      const [pad] = await person.engine.listPads({ accountId: person.account.id });
      assert.equal(pad?.bits, 512 * 1024 * 8);
      assert.equal(pad?.leftBits, pad?.bits);
    }
  });

  for (const level of ['L1', 'L2'] as const) {
    it(`they write at ${level} both ways`, async () => {
      for (const [from, to] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        const subject = `${level} from ${from.name}`;
        const result = await from.send({ To: to.email, Subject: subject, Security: level }, `a word from ${from.name}\n`);
        assert.equal(result.level, level);
        const message = await to.receives(subject);
        assert.equal(message.text.trim(), `a word from ${from.name}`);
        assert.equal(message.security.level, level);
        assert.equal(message.security.seal, 'opened');
        assert.deepEqual(message.security.keyIds, result.keyIds);
        assert.equal(message.security.senderSaeId, `pad:${from.email}`);
      }
    });
  }

  it('nothing on the wire names the pad, an SAE, or an octet of it', async () => {
    const raw = Buffer.concat([
      ...(await world.mail.storedMessages(bob.email)),
      ...(await world.mail.storedMessages(alice.email)),
    ]).toString('latin1');
    const decoded = [...raw.matchAll(/(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]*=*/g)]
      .map(([text]) => Buffer.from(text, 'base64').toString('latin1'))
      .join('\n');
    const [pad] = await alice.engine.listPads({ accountId: alice.account.id });
    for (const text of [raw, decoded]) {
      assert.ok(!text.includes(pad!.name));
      assert.ok(!text.includes('"sae"'));
    }
    const octets = readFileSync(`${stick}.copy`);
    for (let at = 400; at < 20_000; at += 32) assert.ok(!decoded.includes(octets.toString('latin1', at, at + 16)));
    assert.equal(world.kme.pair.deliveries.length, 0);
  });

  it('mail that came before the pad is opened when the pad is imported', async () => {
    const later = join(sticks, 'for-carol.pad');
    await alice.engine.createPad({ accountId: alice.account.id, address: carol.email, path: later, octets: 64 * 1024 });
    await alice.send({ To: carol.email, Subject: 'ahead of the stick', Security: 'L1' }, 'you will read this\n');
    await until(async () => (await carol.list()).some(({ failure }) => failure?.code === 'pad.missing'));
    await carol.engine.importPad({ accountId: carol.account.id, address: alice.email, path: later });
    assert.equal((await carol.receives('ahead of the stick')).text.trim(), 'you will read this');
  });

  it('a message to both takes from both pads: one text at L2, separate messages at L1', async () => {
    const to = `${bob.email}, ${carol.email}`;
    assert.equal((await alice.send({ To: to, Subject: 'both L2', Security: 'L2' }, 'one\n')).replies.length, 1);
    assert.equal((await alice.send({ To: to, Subject: 'both L1', Security: 'L1' }, 'each\n')).replies.length, 2);
    for (const person of [bob, carol]) {
      assert.equal((await person.receives('both L2')).text.trim(), 'one');
      assert.equal((await person.receives('both L1')).text.trim(), 'each');
    }
  });

  it('says that the pad is too short before anything is spent, and the draft stays', async () => {
    const draft = await alice.draft({ To: carol.email, Subject: 'too long', Security: 'L1' }, `${'long '.repeat(8000)}\n`);
    const left = async () => (await alice.engine.listPads({ accountId: alice.account.id })).map(({ leftBits }) => leftBits);
    const before = await left();
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'pad.exhausted' });
    assert.deepEqual(await left(), before);
    assert.equal((await alice.engine.loadDraft({ draftId: draft.draftId })).text, draft.text);
    await alice.engine.deleteDraft({ draftId: draft.draftId });
  });

  it('a copy of the file is refused, and a pad that was discarded never comes back', async () => {
    await assert.rejects(bob.engine.importPad({ accountId: bob.account.id, address: alice.email, path: `${stick}.copy` }), {
      code: 'pad.already-imported',
    });
    const [pad] = await bob.engine.listPads({ accountId: bob.account.id });
    await bob.engine.discardPad({ accountId: bob.account.id, name: pad!.name });
    assert.equal((await bob.engine.listPads({ accountId: bob.account.id }))[0]?.state, 'discarded');
    await assert.rejects(bob.engine.importPad({ accountId: bob.account.id, address: alice.email, path: `${stick}.copy` }), {
      code: 'pad.already-imported',
    });
    assert.notEqual((await bob.engine.listContacts({ accountId: bob.account.id }))[0]?.startLevel, 'L2');
    // What was opened before stays readable: it is kept sealed here.
    assert.equal((await bob.receives('L1 from alice')).text.trim(), 'a word from alice');
  });

  it('beside a QKD link the link is used, and mail sealed with the pad is still opened', async () => {
    for (const person of [alice, carol]) await person.connectKeyManager();
    await carol.send({ To: alice.email, Subject: 'still the pad', Security: 'L2' }, 'pad\n');
    await alice.knows(carol);
    assert.equal((await alice.receives('still the pad')).security.senderSaeId, `pad:${carol.email}`);
    await carol.knows(alice);
    await alice.send({ To: carol.email, Subject: 'now the link', Security: 'L2' }, 'link\n');
    assert.equal((await carol.receives('now the link')).security.senderSaeId, alice.saeId);
  });

  it('signing out destroys what is left of a pad', async () => {
    await bob.engine.createPad({ accountId: bob.account.id, address: carol.email, path: join(sticks, 'last.pad'), octets: 64 * 1024 });
    assert.equal(readdirSync(join(bob.storageDir, 'pads')).length, 1);
    await bob.engine.signOut({ accountId: bob.account.id });
    assert.deepEqual(readdirSync(join(bob.storageDir, 'pads')), []);
  });

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
