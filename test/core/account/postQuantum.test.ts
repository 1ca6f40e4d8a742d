import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('post-quantum mail between people without a key manager', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  const files = mkdtempSync(join(tmpdir(), 'qumail-files-'));

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    alice = await world.person('alice');
    bob = await world.person('bob');
    await alice.signInWithPassword();
    await bob.signInWithPassword();
    // Alice has Bob's card from a stick; Bob knows nothing of Alice yet.
    const { file } = await bob.engine.exportCard({ accountId: bob.account.id });
    await alice.engine.importCard({ accountId: alice.account.id, content: file, name: 'Bob' });
  });

  after(async () => {
    await world?.dispose();
    rmSync(files, { recursive: true, force: true });
  });

  it('starts at L3 where the certificate is known, and at L4 where none is', async () => {
    const known = await alice.engine.createDraft({ accountId: alice.account.id, source: { kind: 'new', to: [bob.email] } });
    assert.match(known.text, /^Security: L3/m);
    const check = await alice.engine.checkDraft({ draftId: known.id, text: known.text });
    assert.deepEqual([check.level, check.possible, check.keyCost], ['L3', ['L3', 'L4'], 0]);
    const unknown = await bob.engine.createDraft({ accountId: bob.account.id, source: { kind: 'new', to: [alice.email] } });
    assert.match(unknown.text, /^Security: L4/m);
    const text = unknown.text.replace(/^Security:.*$/m, 'Security: L3');
    const refused = await bob.engine.checkDraft({ draftId: unknown.id, text });
    assert.deepEqual(
      refused.problems.map(({ code, details }) => [code, details]),
      [['seal.no-certificate', { addresses: [alice.email] }]],
    );
    await assert.rejects(bob.engine.sendDraft({ draftId: unknown.id, text }), { code: 'seal.no-certificate' });
  });

  it('brings a text to somebody who had never heard of the sender, signed, and pins the sender', async () => {
    const sent = await alice.send({ To: bob.email, Subject: 'First post-quantum', Security: 'L3' }, 'the **lattice** holds\n');
    assert.equal(sent.level, 'L3');
    assert.deepEqual(sent.keyIds, []);
    const message = await bob.receives('First post-quantum');
    assert.match(message.text, /lattice/);
    const { level, seal, suite, signature, postQuantum } = message.security;
    assert.deepEqual([level, seal, suite, signature?.state, postQuantum], ['L3', 'opened', 'QM1-PGP9980', 'valid', true]);
    const own = await alice.engine.getOwnCertificate({ accountId: alice.account.id });
    assert.equal(signature?.fingerprint, own.fingerprint);
    assert.deepEqual(message.attachments, []);
  });

  it('lets the other answer at L3 without any further exchange, and never below it', async () => {
    const message = await bob.receives('First post-quantum');
    const draft = await bob.engine.createDraft({ accountId: bob.account.id, source: { kind: 'reply', messageId: message.summary.id } });
    assert.match(draft.text, /^Security: L3/m);
    const weaker = draft.text.replace(/^Security:.*$/m, 'Security: L4');
    await assert.rejects(bob.engine.sendDraft({ draftId: draft.id, text: weaker }), { code: 'seal.quotes-sealed' });
    await bob.engine.sendDraft({ draftId: draft.id, text: draft.text.replace(/\n\n/, '\n\nit does\n') });
    const reply = await alice.receives('Re: First post-quantum');
    assert.match(reply.text, /it does/);
    assert.equal(reply.security.signature?.state, 'valid');
  });

  it('carries attachments byte for byte, and forwards them sealed', async () => {
    const content = randomBytes(1024 * 1024);
    writeFileSync(join(files, 'plans.bin'), content);
    await alice.send({ To: bob.email, Subject: 'With plans', Security: 'L3', Attach: join(files, 'plans.bin') }, 'see the plans\n');
    const message = await bob.receives('With plans');
    const attachment = await bob.engine.getAttachment({ messageId: message.summary.id, index: 0 });
    assert.ok(content.equals(Buffer.from(attachment.content)));
    const forward = await bob.engine.createDraft({ accountId: bob.account.id, source: { kind: 'forward', messageId: message.summary.id } });
    const text = forward.text.replace(/^To:.*$/m, `To: ${alice.email}`).replace(/^Security:.*$/m, 'Security: L3');
    await bob.engine.sendDraft({ draftId: forward.id, text });
    assert.match((await alice.receives('Fwd: With plans')).text, /see the plans/);
  });

  it('reaches several people in one message and a blind copy in one of its own, and names everyone whose certificate is missing', async () => {
    const carol = await world.person('carol');
    await carol.signInWithPassword();
    const draft = await alice.draft({ To: bob.email, Bcc: carol.email, Subject: 'to both', Security: 'L3' }, 'both of you\n');
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'seal.no-certificate', details: { addresses: [carol.email] } });
    const { file } = await carol.engine.exportCard({ accountId: carol.account.id });
    await alice.engine.importCard({ accountId: alice.account.id, content: file, name: 'Carol' });
    const result = await alice.engine.sendDraft(draft);
    assert.equal(result.replies.length, 2);
    for (const person of [bob, carol]) {
      const message = await person.receives('to both');
      assert.deepEqual([message.text.trim(), message.security.signature?.state], ['both of you', 'valid']);
      assert.deepEqual(
        message.summary.to.map(({ address }) => address),
        [bob.email],
      );
    }
    for (const raw of await world.mail.storedMessages(bob.email)) assert.ok(!raw.includes(carol.email));
  });

  it('keeps a readable copy in Sent and over a restart', async () => {
    const sent = (await alice.engine.listFolders({ accountId: alice.account.id })).find(({ specialUse }) => specialUse === 'sent')!.path;
    const copy = await alice.receives('First post-quantum', sent);
    assert.deepEqual([copy.security.seal, copy.security.level, copy.security.signature?.state], ['opened', 'L3', 'valid']);
    await bob.reopen();
    assert.match((await bob.receives('First post-quantum')).text, /lattice/);
  });

  it('leaves neither subject, body nor file name in the clear on the server', async () => {
    const sealed = (await world.mail.storedMessages(bob.email)).filter((raw) => raw.includes('qumail_payload.json'));
    assert.ok(sealed.length >= 2);
    for (const raw of sealed) {
      for (const secret of ['First post-quantum', 'lattice', 'With plans', 'plans.bin', 'qumail_card']) assert.ok(!raw.includes(secret));
      assert.match(raw.toString('latin1'), /^Subject: QuMail Secure Message\r?$/m);
    }
  });

  it('asked no key manager for anything', () => assert.equal(world.kme.pair.deliveries.length, 0));
});
