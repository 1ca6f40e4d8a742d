import assert from 'node:assert/strict';
import { createTransport } from 'nodemailer';
import type { Contact } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { pgp } from './trustWorld.ts';

const contactOf = async (who: Person, address: string): Promise<Contact | undefined> =>
  (await who.engine.listContacts({ accountId: who.account.id })).find((contact) => contact.address === address);
const fingerprintOf = async (who: Person): Promise<string> =>
  (await who.engine.getOwnCertificate({ accountId: who.account.id })).fingerprint;

/** Ordinary mail that says it is from `from`, as anybody can send it who has an account on the server. */
async function forge(world: PeopleWorld, from: Person, to: Person, header: string, subject: string): Promise<void> {
  const { host, port } = world.mail.smtp;
  const auth = { user: from.email, pass: `${from.name}-password` };
  const transport = createTransport({ host, port, secure: true, tls: { ca: world.kme.pair.caPem }, auth });
  const raw = `From: ${from.email}\r\nTo: ${to.email}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@x>\r\n${header}\r\n\r\nhello\r\n`;
  await transport.sendMail({ raw, envelope: { from: from.email, to: [to.email] } });
  transport.close();
}

describe('two people get to know each other’s certificates', function () {
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

  const about = (who: Person, other: Person) => ({ accountId: who.account.id, address: other.email });

  it('by a fingerprint under the one-time pad, which costs no card', async () => {
    await alice.engine.getOwnCertificate({ accountId: alice.account.id });
    await alice.send({ To: bob.email, Subject: 'first pad', Security: 'L1' }, 'pad\n');
    await bob.receives('first pad');
    const contact = await contactOf(bob, alice.email);
    assert.equal(contact?.certificate?.fingerprint, await fingerprintOf(alice));
    assert.equal(contact?.certificate?.mark, 'qkd');
    assert.equal(contact?.certificate?.facts, undefined, 'the certificate itself has not come yet');
  });

  it('by cards inside L2, once; what came is no attachment', async () => {
    await alice.send({ To: bob.email, Subject: 'first quantum', Security: 'L2' }, 'with card\n');
    const message = await bob.receives('first quantum');
    assert.deepEqual(message.attachments, []);
    const contact = await contactOf(bob, alice.email);
    assert.deepEqual(
      [contact?.certificate?.mark, contact?.certificate?.source, contact?.certificate?.facts?.postQuantum],
      ['qkd', 'card', true],
    );
    assert.deepEqual(
      [contact?.certificate?.saeId, contact?.certificate?.kmeId],
      [alice.saeId, (await world.kme.profile(alice.saeId)).kmeId],
    );
    const sizes = async (): Promise<number[]> => (await world.mail.storedMessages(bob.email)).map((raw) => raw.length);
    const before = await sizes();
    await alice.send({ To: bob.email, Subject: 'second quantum', Security: 'L2' }, 'without card\n');
    await bob.receives('second quantum');
    const [size] = (await sizes()).filter((length) => !before.includes(length));
    assert.ok(size !== undefined && size < 15_000, `${size} octets hold no card`);
  });

  it('and go on at L3, in both directions', async () => {
    await bob.send({ To: alice.email, Subject: 'post-quantum', Security: 'L3' }, 'signed\n');
    const message = await alice.receives('post-quantum');
    assert.equal(message.security.level, 'L3');
    const contact = await contactOf(alice, bob.email);
    assert.deepEqual([contact?.certificate?.fingerprint, contact?.certificate?.mark], [await fingerprintOf(bob), 'first-use']);
    await alice.send({ To: bob.email, Subject: 'answer', Security: 'L3' }, 'signed\n');
    assert.equal((await bob.receives('answer')).security.level, 'L3');
  });

  it('compare one safety number, and are verified by its digits or by the QR code', async () => {
    const [hers, his] = await Promise.all([alice.engine.getSafetyNumber(about(alice, bob)), bob.engine.getSafetyNumber(about(bob, alice))]);
    assert.match(hers.digits, /^[0-9]{60}$/);
    assert.equal(hers.digits, his.digits);
    const wrong = hers.digits.replace(/.$/, (last) => String((Number(last) + 1) % 10));
    await assert.rejects(alice.engine.verifyContact({ ...about(alice, bob), proof: { digits: wrong } }), { code: 'trust.mismatch' });
    const grouped = hers.digits.replace(/.{5}/g, '$& ');
    const verified = await alice.engine.verifyContact({ ...about(alice, bob), proof: { digits: grouped } });
    assert.equal(verified.certificate?.mark, 'verified');
    await assert.rejects(bob.engine.verifyContact({ ...about(bob, alice), proof: { qr: his.qr } }), { code: 'qr.other-person' });
    const scanned = await bob.engine.verifyContact({ ...about(bob, alice), proof: { qr: hers.qr } });
    assert.equal(scanned.certificate?.mark, 'verified');
  });

  it('are told apart from a man in the middle by the QR code', async () => {
    const { qr } = await alice.engine.getSafetyNumber(about(alice, bob));
    const another = 'AB'.repeat(32);
    for (const [text, details] of [
      [qr.replace(await fingerprintOf(alice), another), { whose: 'theirs' }],
      [qr.replace(await fingerprintOf(bob), another), { whose: 'own' }],
    ] as const) {
      await assert.rejects(bob.engine.verifyContact({ ...about(bob, alice), proof: { qr: text } }), { code: 'trust.mismatch', details });
    }
    const proof = { qr: 'https://example.org/alice' };
    await assert.rejects(bob.engine.verifyContact({ ...about(bob, alice), proof }), {
      code: 'qr.other-protocol',
      details: { scheme: 'https' },
    });
  });

  it('are not parted by a certificate that somebody put into ordinary mail', async () => {
    const mallory = await pgp.generate({ addresses: [bob.email], name: 'Bob', now: Date.now() });
    const keydata = mallory.certificate.toString('base64').replace(/.{70}/g, '$&\r\n ');
    await forge(world, bob, alice, `Autocrypt: addr=${bob.email}; prefer-encrypt=mutual; keydata=\r\n ${keydata}`, 'swapped');
    await alice.receives('swapped');
    const contact = await contactOf(alice, bob.email);
    assert.deepEqual([contact?.certificate?.fingerprint, contact?.certificate?.mark], [await fingerprintOf(bob), 'verified']);
    assert.deepEqual([contact?.keyChange?.effect, contact?.keyChange?.after.fingerprint], ['notice', mallory.fingerprint]);
    await alice.send({ To: bob.email, Subject: 'still sealed to Bob', Security: 'L3' }, 'not to Mallory\n');
    assert.equal((await bob.receives('still sealed to Bob')).text.trim(), 'not to Mallory');
  });

  it('stop when a certificate changes, until one of them has decided', async () => {
    const second = await pgp.generate({ addresses: [bob.email], name: 'Bob', now: Date.now() });
    const content = await pgp.armor('certificate', second.certificate);
    assert.equal((await alice.engine.importCertificate({ ...about(alice, bob), content })).outcome, 'changed');
    for (const Security of ['L2', 'L3']) {
      await assert.rejects(alice.send({ To: bob.email, Subject: 'blocked', Security }, 'x\n'), { code: 'seal.key-changed' });
    }
    const draft = await alice.draft({ To: bob.email, Subject: 'blocked', Security: 'L2' }, 'x\n');
    assert.deepEqual(
      (await alice.engine.checkDraft(draft)).problems.map(({ code }) => code),
      ['seal.key-changed'],
    );
    const contact = await contactOf(alice, bob.email);
    assert.deepEqual([contact?.certificate?.mark, contact?.keyChange?.fields], ['changed', ['fingerprint']]);
    await assert.rejects(alice.engine.verifyContact({ ...about(alice, bob), proof: { digits: '' } }), { code: 'seal.key-changed' });
    const proposed = await alice.engine.getSafetyNumber({ ...about(alice, bob), of: 'changed' });
    assert.equal(proposed.fingerprint, second.fingerprint);
    const changeId = contact!.keyChange!.id;
    const resolved = await alice.engine.resolveKeyChange({ ...about(alice, bob), changeId, decision: 'reject' });
    assert.deepEqual([resolved.certificate?.mark, resolved.keyChange], ['verified', undefined]);
    await alice.send({ To: bob.email, Subject: 'going on', Security: 'L2' }, 'x\n');
    await bob.receives('going on');
  });

  it('keep the pin when the contact is deleted, so that another certificate is a change still', async () => {
    await alice.engine.deleteContact(about(alice, bob));
    const mallory = await pgp.generate({ addresses: [bob.email], name: 'Bob', now: Date.now() });
    const content = await pgp.armor('certificate', mallory.certificate);
    const { outcome, contact } = await alice.engine.importCertificate({ ...about(alice, bob), content });
    assert.equal(outcome, 'changed');
    assert.equal(contact.certificate?.fingerprint, await fingerprintOf(bob));
    assert.equal(contact.saeId, bob.saeId, 'whoever is added again comes with what the card stated');
    await alice.engine.forgetCertificate(about(alice, bob));
    assert.equal((await contactOf(alice, bob.email))?.certificate, undefined);
  });

  it('meet through files and QR codes as well', async () => {
    const [file, code] = await Promise.all([
      bob.engine.exportCard({ accountId: bob.account.id }),
      alice.engine.exportCard({ accountId: alice.account.id }),
    ]);
    assert.equal(file.fileName, 'bob@other.test.qumailcard');
    const imported = await alice.engine.importCard({ accountId: alice.account.id, content: file.file, name: 'Bob' });
    assert.deepEqual([imported.outcome, imported.contact.certificate?.mark], ['new', 'first-use']);
    await assert.rejects(alice.engine.importCard({ accountId: alice.account.id, content: code.file }), { code: 'card.other-address' });
    const scanned = await bob.engine.importCard({ accountId: bob.account.id, content: code.qr });
    assert.deepEqual([scanned.outcome, scanned.contact.certificate?.mark], ['same', 'verified']);
    const carol = await world.person('carol');
    await carol.signInWithPassword();
    const { contact } = await carol.engine.importCard({ accountId: carol.account.id, content: code.qr, name: 'Alice' });
    assert.deepEqual([contact.name, contact.saeId, contact.certificate?.facts], ['Alice', alice.saeId, undefined]);
    assert.deepEqual(contact.startLevel, 'L4', 'the certificate has yet to come');
  });
});
