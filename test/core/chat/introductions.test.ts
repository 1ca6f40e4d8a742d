import assert from 'node:assert/strict';
import { markOf, planLearning, type Evidence } from '../../../src/core/account/trustPlan.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { removeTempFolders } from '../store/vaultFixture.ts';
import { arrivalOf, deliverAll, openSide, type Side } from './memoryWorld.ts';

const pgp = new OpenPgpEngine({ random: systemRandom });

describe('chat/somebody introduced by another member', function () {
  this.timeout(20_000);
  let bob: Side;
  let carol: Side;
  let dave: Side;
  let mallory: Side;

  beforeEach(async () => {
    const names = ['bob', 'carol', 'dave', 'mallory'];
    [bob, carol, dave, mallory] = (await Promise.all(names.map((name) => openSide(`${name}@example.test`)))) as [Side, Side, Side, Side];
    for (const [one, other] of [
      [bob, carol],
      [bob, mallory],
      [carol, mallory],
    ] as const) {
      one.meet(other);
      other.meet(one);
    }
    bob.known.set(carol.address, { ...bob.known.get(carol.address)!, verified: 'verified' });
  });
  afterEach(() => {
    for (const side of [bob, carol, dave, mallory]) side.dispose();
    removeTempFolders();
  });

  /** Mallory holds a certificate that says it is somebody else's, and begins a group with it. */
  async function forge(victim: Side) {
    const forged = await pgp.generate({ addresses: [victim.address], name: victim.accountId, now: Date.now() - 60_000 });
    const { fingerprint, certificate } = forged;
    mallory.known.set(victim.address, { name: 'not really', fingerprint, certificate, verified: 'no' });
    const chat = await mallory.changes.startChat({ accountId: 'mallory', members: [bob.address, victim.address], name: 'Trap' });
    await deliverAll(mallory, bob);
    return { forged, atBob: `bob/${chat.id.slice(-22)}` };
  }

  it('changes nothing about who is known already, and counts as verified nowhere', async () => {
    const before = { ...bob.known.get(carol.address)! };
    const { forged, atBob } = await forge(carol);
    assert.deepEqual(bob.known.get(carol.address), before);
    const { members, verified } = await bob.book.getChat({ chatId: atBob });
    const shown = members.find(({ address }) => address === carol.address);
    assert.deepEqual([shown?.fingerprint, shown?.verified, verified], [forged.fingerprint, 'no', 'none']);
    // The name stays the one that this person calls her.
    assert.equal(shown?.name, 'carol');
  });

  it('does not let the forged certificate speak for who is known', async () => {
    const { forged, atBob } = await forge(carol);
    await mallory.service.sendChatMessage({ chatId: atBob.replace('bob', 'mallory'), text: 'I am Carol' });
    const letter = mallory.letters.pop()!;
    const asCarol = await mallory.forgeAs(carol.address, forged, letter);
    const mail = { ...arrivalOf(asCarol, mallory, bob), from: { name: '', address: carol.address } };
    assert.equal((await bob.receiver.receive(mail)).outcome, 'waiting');
    assert.deepEqual(await bob.lines(atBob), []);
  });

  it('is known by that certificate alone, as nobody verified, where nobody knew them', async () => {
    const { forged, atBob } = await forge(dave);
    assert.deepEqual([bob.known.get(dave.address)?.fingerprint, bob.known.get(dave.address)?.verified], [forged.fingerprint, 'no']);
    assert.equal((await bob.book.getChat({ chatId: atBob })).verified, 'none');
  });

  it('is never oneself', async () => {
    mallory.known.set(bob.address, { ...mallory.known.get(bob.address)!, fingerprint: 'A'.repeat(64) });
    await mallory.changes.startChat({ accountId: 'mallory', members: [bob.address], name: 'You' });
    await deliverAll(mallory, bob);
    assert.equal(bob.known.has(bob.address), false);
  });
});

describe('account/another member’s word about a certificate and an SAE ID', () => {
  const [own, other] = ['A'.repeat(64), 'B'.repeat(64)] as const;
  const word = (more: Partial<Evidence> = {}): Evidence => ({ fingerprint: other, source: 'introduction', under: 'L3', at: 2, ...more });
  const pinned = planLearning(undefined, 'SAE-OWN', { fingerprint: own, source: 'card', under: 'L1', at: 1, saeId: 'SAE-OWN' }, 'c').state!;

  it('replaces no pin and no SAE ID, blocks nothing, and takes no mark away', () => {
    for (const evidence of [word(), word({ saeId: 'SAE-EVIL' }), word({ fingerprint: own, saeId: 'SAE-EVIL' })]) {
      const { outcome, state } = planLearning(pinned, 'SAE-OWN', evidence, 'd');
      assert.equal(outcome, 'refused');
      assert.deepEqual([state?.pin, state && markOf(state)], [pinned.pin, 'qkd']);
      assert.equal(state?.change?.effect, 'notice');
    }
  });

  it('confirms nothing, whatever level it came under', () => {
    const said = planLearning(undefined, undefined, { fingerprint: own, source: 'wkd', under: 'none', at: 1 }, 'c').state!;
    for (const under of ['L1', 'L2', 'L3'] as const) {
      const { state } = planLearning(said, undefined, word({ fingerprint: own, under }), 'd');
      assert.equal(state && markOf(state), 'unverified');
    }
  });

  it('is no first use against the SAE ID that the person entered', () => {
    const { outcome, state, reason } = planLearning(undefined, 'SAE-OWN', word({ saeId: 'SAE-EVIL' }), 'd');
    assert.deepEqual([outcome, state, reason], ['refused', undefined, 'trust.weaker']);
  });

  it('is contradicted by the contact’s own card, and then nothing is sealed until the person decides', () => {
    const first = planLearning(undefined, undefined, word({ saeId: 'SAE-EVIL' }), 'c').state!;
    assert.equal(markOf(first), 'unverified');
    for (const card of [
      { fingerprint: own, saeId: 'SAE-OWN' },
      { fingerprint: other, saeId: 'SAE-OWN' },
    ]) {
      const { state } = planLearning(first, 'SAE-EVIL', { ...card, source: 'card', under: 'L2', at: 3 }, 'd');
      assert.equal(state && markOf(state), 'changed');
    }
  });
});
