import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message, QuMailApi } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('the main job', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  const files = mkdtempSync(join(tmpdir(), 'qumail-files-'));

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    alice = await world.person('alice');
    bob = await world.person('bob');
    await alice.signInWithBrowser();
    await bob.signInWithPassword();
    for (const person of [alice, bob]) await person.connectKeyManager();
    await alice.knows(bob);
    await bob.knows(alice);
  });

  after(async () => {
    await world?.dispose();
    rmSync(files, { recursive: true, force: true });
  });

  it('signs one person in through the browser and the other with a password', async () => {
    assert.equal(alice.account.provider, 'oidc');
    assert.equal(alice.account.email, 'alice@example.test');
    assert.equal((await bob.engine.listAccounts())[0]?.displayName, 'Bob');
  });

  it('lists folders with their special use', async () => {
    await bob.engine.fetchMail({ accountId: bob.account.id });
    const folders = await bob.engine.listFolders({ accountId: bob.account.id });
    for (const use of ['inbox', 'sent', 'trash'])
      assert.ok(
        folders.some(({ specialUse }) => specialUse === use),
        use,
      );
  });

  it('sends a text under a one-time pad, and the other reads it', async () => {
    const result = await alice.send({ To: bob.email, Subject: 'Pad subject', Security: 'L1' }, 'pad body, only for Bob\n');
    assert.equal(result.level, 'L1');
    assert.match(result.replies[0] ?? '', /^250/);
    const message = await bob.receives('Pad subject');
    assert.equal(message.text.trim(), 'pad body, only for Bob');
    assert.equal(message.security.level, 'L1');
    assert.equal(message.security.seal, 'opened');
    assert.equal(message.security.senderSaeId, alice.saeId);
    assert.deepEqual(message.security.keyIds, result.keyIds);
  });

  it('sends a 1 MiB attachment at L2, byte for byte', async () => {
    const content = randomBytes(1024 * 1024);
    writeFileSync(join(files, 'plans.bin'), content);
    await alice.send({ To: bob.email, Subject: 'L2 subject', Security: 'L2', Attach: join(files, 'plans.bin') }, 'see the **plans**\n');
    const message = await bob.receives('L2 subject');
    assert.equal(message.security.level, 'L2');
    assert.equal(message.attachments[0]?.name, 'plans.bin');
    assert.ok(content.equals(await attachmentOf(bob.engine, message)));
  });

  it('tells in full how a message is protected, and nothing of what is inside', async () => {
    const { summary, security } = await bob.receives('L2 subject');
    const told = await bob.engine.getProtection({ messageId: summary.id });
    assert.deepEqual(told.security, security);
    assert.deepEqual([told.keyOrigin, told.envelope?.level, told.envelope?.suite], ['key-manager', 'L2', security.suite]);
    assert.deepEqual(told.envelope?.to, [{ address: bob.email, saeId: bob.saeId }]);
    assert.deepEqual(
      told.envelope?.keys.map(({ keyIds, recipients }) => [keyIds, recipients]),
      [[security.keyIds, [bob.email]]],
    );
    assert.ok(Math.abs(told.openedAt! - Date.now()) < 600_000);
    assert.equal(told.outside.find(({ name }) => name === 'Subject')?.value, 'QuMail Secure Message');
    for (const secret of ['L2 subject', 'plans']) assert.ok(!JSON.stringify(told).includes(secret), secret);
    const [sent] = await alice.list('Sent', 1);
    const own = await alice.engine.getProtection({ messageId: sent!.id });
    assert.deepEqual([own.envelope?.id, own.openedAt], [told.envelope?.id, undefined], 'what was sealed here was never opened');
  });

  it('sends ordinary mail at L4, marked as such', async () => {
    await bob.send({ To: alice.email, Subject: 'Open subject', Security: 'L4' }, 'no secrets here\n');
    const message = await alice.receives('Open subject');
    assert.equal(message.security.level, 'L4');
    assert.equal(message.security.seal, 'plain');
    assert.equal(message.text.trim(), 'no secrets here');
    const told = await alice.engine.getProtection({ messageId: message.summary.id });
    assert.deepEqual([told.envelope, told.keyOrigin], [undefined, undefined]);
    assert.ok(told.outside.some(({ name, value }) => name === 'Subject' && value === 'Open subject'));
  });

  it('starts a new message at L2 where the contact has a QKD link', async () => {
    const draft = await alice.engine.createDraft({ accountId: alice.account.id, source: { kind: 'new', to: [bob.email] } });
    assert.match(draft.text, /^Security: L2/m);
    const check = await alice.engine.checkDraft({ draftId: draft.id, text: draft.text });
    assert.equal(check.level, 'L2');
    assert.deepEqual(check.possible, ['L1', 'L2', 'L4']);
    await alice.engine.deleteDraft({ draftId: draft.id });
  });

  it('answers a sealed message at least as strongly as it came', async () => {
    const message = await bob.receives('Pad subject');
    const draft = await bob.engine.createDraft({ accountId: bob.account.id, source: { kind: 'reply', messageId: message.summary.id } });
    assert.match(draft.text, /^Security: L1/m);
    assert.match(draft.text, /^> pad body/m);
    const weaker = draft.text.replace(/^Security:.*$/m, 'Security: L4');
    await assert.rejects(bob.engine.sendDraft({ draftId: draft.id, text: weaker }), { code: 'seal.quotes-sealed' });
    await bob.engine.sendDraft({ draftId: draft.id, text: draft.text.replace(/\n\n/, '\n\nagreed\n') });
    const reply = await alice.receives('Re: Pad subject');
    assert.match(reply.text, /agreed/);
    await assert.rejects(bob.engine.loadDraft({ draftId: draft.id }), { code: 'draft.missing' });
  });

  it('leaves neither subject, body nor file name in the clear on the server', async () => {
    const stored = await world.mail.storedMessages(bob.email);
    const sealed = stored.filter((raw) => raw.includes('qumail_payload.json'));
    assert.equal(sealed.length, 2);
    for (const raw of sealed) {
      for (const secret of ['Pad subject', 'pad body', 'L2 subject', 'plans.bin']) {
        assert.ok(!raw.includes(secret), secret);
        assert.ok(!raw.includes(Buffer.from(secret).toString('base64').slice(0, -4)), `${secret} in base64`);
      }
      assert.match(raw.toString('latin1'), /^Subject: QuMail Secure Message\r?$/m);
    }
  });

  it('was served each key once on each side', () => {
    const byKey = new Map<string, string[]>();
    for (const { keyId, saeId } of world.kme.pair.deliveries) byKey.set(keyId, [...(byKey.get(keyId) ?? []), saeId]);
    assert.ok(byKey.size >= 3);
    for (const saes of byKey.values()) assert.deepEqual(saes.toSorted(), [alice.saeId, bob.saeId].toSorted());
  });

  it('files a sealed copy in Sent that its writer can read', async () => {
    const sent = await alice.engine.listFolders({ accountId: alice.account.id });
    const path = sent.find(({ specialUse }) => specialUse === 'sent')!.path;
    const message = await alice.receives('L2 subject', path);
    assert.equal(message.security.seal, 'opened');
    assert.match(message.text, /plans/);
  });

  it('keeps accounts, folders and opened sealed mail over a restart, without asking for a key again', async () => {
    const before = world.kme.pair.deliveries.length;
    await bob.reopen();
    assert.equal(bob.account.email, 'bob@other.test');
    assert.ok((await bob.engine.listFolders({ accountId: bob.account.id })).length > 0);
    const message = await bob.receives('Pad subject');
    assert.equal(message.text.trim(), 'pad body, only for Bob');
    assert.equal((await attachmentOf(bob.engine, await bob.receives('L2 subject'))).length, 1024 * 1024);
    assert.equal(world.kme.pair.deliveries.length, before);
  });

  it('marks, moves and deletes, on the server too', async () => {
    const message = await alice.receives('Open subject');
    const ids = { messageIds: [message.summary.id] };
    await alice.engine.setFlags({ ...ids, add: ['seen', 'flagged'], remove: [] });
    assert.deepEqual((await alice.receives('Open subject')).summary.flags, ['seen', 'flagged']);
    await alice.engine.deleteMessages(ids);
    const trash = (await alice.engine.listFolders({ accountId: alice.account.id })).find(({ specialUse }) => specialUse === 'trash')!.path;
    const moved = await alice.receives('Open subject', trash);
    await alice.settled();
    assert.equal((await world.mail.storedMessages(alice.email, trash)).length, 1);
    await alice.engine.removeForGood({ messageIds: [moved.summary.id] });
    await alice.settled();
    assert.equal((await world.mail.storedMessages(alice.email, trash)).length, 0);
  });

  it('wrote no secret to its databases or its log', async () => {
    for (const person of [alice, bob]) {
      const secrets = ['Pad subject', 'pad body', 'L2 subject', 'bob-password', ...person.secrets.values()].filter(
        (secret) => secret.length > 7,
      );
      const written = [
        ...readdirSync(person.storageDir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => readFileSync(join(parentPath, name))),
        Buffer.from(JSON.stringify(person.log)),
      ];
      for (const secret of secrets) for (const bytes of written) assert.ok(!bytes.includes(secret), secret.slice(0, 12));
    }
  });
});

async function attachmentOf(engine: QuMailApi, message: Message): Promise<Buffer> {
  return Buffer.from((await engine.getAttachment({ messageId: message.summary.id, index: 0 })).content);
}
