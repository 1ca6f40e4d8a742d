import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorCode } from '../../../src/core/api.ts';
import type { KmePair } from '../../../src/core/lab/kmePair.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

interface Row {
  readonly when: string;
  readonly code: ErrorCode;
  readonly level?: 'L1' | 'L2' | 'L4';
  readonly to?: string;
  readonly attach?: string;
  readonly spoil: (world: PeopleWorld) => unknown;
  readonly mend?: (world: PeopleWorld) => unknown;
}

const kme = (world: PeopleWorld): KmePair => world.kme.pair;

describe('sending when something is wrong', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  const files = mkdtempSync(join(tmpdir(), 'qumail-files-'));
  const huge = join(files, 'huge.bin');

  before(async function () {
    needMailWorld(this);
    writeFileSync(huge, Buffer.alloc(25 * 1024 * 1024 + 1));
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
  });

  after(async () => {
    await world?.dispose();
    rmSync(files, { recursive: true, force: true });
  });

  const rows: readonly Row[] = [
    {
      when: 'the key manager is unreachable',
      code: 'kme.unreachable',
      spoil: (w) => kme(w).stop('KME-A'),
      mend: (w) => kme(w).start('KME-A'),
    },
    {
      when: 'the key manager is short of keys',
      code: 'kme.exhausted',
      spoil: (w) => kme(w).setStock('KME-A', 'KME-B', 8),
      mend: (w) => kme(w).setStock('KME-A', 'KME-B', 2_000_000),
    },
    {
      when: 'the pad is larger than the stock',
      code: 'kme.exhausted',
      level: 'L1',
      spoil: (w) => kme(w).setStock('KME-A', 'KME-B', 512),
      mend: (w) => kme(w).setStock('KME-A', 'KME-B', 2_000_000),
    },
    {
      when: 'the key manager answers HTML',
      code: 'kme.bad-answer',
      spoil: (w) => (kme(w).faults('KME-A').htmlError = 100),
      mend: (w) => (kme(w).faults('KME-A').htmlError = 0),
    },
    {
      when: 'the key manager shows the certificate of another KME',
      code: 'kme.identity',
      spoil: (w) => kme(w).show('KME-A', 'wrong-id'),
      mend: (w) => kme(w).show('KME-A', 'right'),
    },
    {
      when: 'the key manager shows a certificate of another authority',
      code: 'kme.identity',
      spoil: (w) => kme(w).show('KME-A', 'foreign-authority'),
      mend: (w) => kme(w).show('KME-A', 'right'),
    },
    {
      when: 'the key manager’s certificate has expired',
      code: 'kme.certificate-expired',
      spoil: (w) => kme(w).show('KME-A', 'expired'),
      mend: (w) => kme(w).show('KME-A', 'right'),
    },
    { when: 'nobody is addressed', code: 'draft.no-recipient', to: '', spoil: () => {} },
    { when: 'an address is malformed', code: 'draft.bad-address', to: 'bob@@other', spoil: () => {} },
    { when: 'a file is missing', code: 'draft.file-missing', attach: join(files, 'not-there.txt'), spoil: () => {} },
    { when: 'a file is too large', code: 'draft.file-too-large', attach: huge, spoil: () => {} },
    { when: 'a stranger is to receive sealed mail', code: 'seal.no-contact', to: 'stranger@other.test', spoil: () => {} },
    {
      when: 'the mail host refuses the recipient',
      code: 'smtp.recipient-rejected',
      level: 'L4',
      to: 'rejected@other.test',
      spoil: () => {},
    },
    { when: 'the mail host defers the recipient', code: 'smtp.deferred', level: 'L4', to: 'deferred@other.test', spoil: () => {} },
    {
      when: 'the mail host cannot be reached',
      code: 'net.cut',
      spoil: (w) => (w.smtpProxy.faultNow({ how: 'reset' }), w.smtpProxy.admit('refuse')),
      mend: (w) => w.smtpProxy.admit('accept'),
    },
  ];

  rows.forEach((row, index) => {
    it(`says ${row.code} when ${row.when}, keeps draft and level, and sends once it is mended`, async () => {
      const subject = `Row ${index}`;
      const headers = {
        To: row.to ?? bob.email,
        Subject: subject,
        Security: row.level ?? 'L2',
        ...(row.attach !== undefined && { Attach: row.attach }),
      };
      const draft = await alice.draft(headers, 'kept\n');
      await row.spoil(world);
      await assert.rejects(alice.engine.sendDraft(draft), { name: 'QuMailError', code: row.code });
      assert.equal((await alice.engine.loadDraft({ draftId: draft.draftId })).text, draft.text);
      await row.mend?.(world);
      // What only the writer can mend is mended in the text.
      const text = draft.text.replace(/^To:.*$/m, `To: ${bob.email}`).replace(/^Attach:.*\n/m, '');
      await alice.engine.sendDraft({ draftId: draft.draftId, text });
      const message = await bob.receives(subject);
      assert.equal(message.security.level, row.level ?? 'L2');
      const copies = (await bob.list()).filter((each) => each.subject === subject);
      assert.equal(copies.length, 1);
      assert.deepEqual(await alice.engine.listOutbox(), []);
    });
  });

  it('keeps an open level as it was when first sent, though the key manager is disconnected since', async () => {
    const draft = await alice.draft({ To: bob.email, Subject: 'open line', Security: '' }, 'sealed or not at all\n');
    await kme(world).stop('KME-A');
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'kme.unreachable' });
    await alice.engine.disconnectKeyManager({ accountId: alice.account.id });
    assert.equal((await alice.engine.checkDraft(draft)).level, 'L2');
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'kme.not-configured' });
    await kme(world).start('KME-A');
    await alice.connectKeyManager();
    assert.equal((await alice.engine.sendDraft(draft)).level, 'L2');
    assert.equal((await bob.receives('open line')).security.level, 'L2');
  });

  it('refuses a key that was delivered before and spends it on nothing', async () => {
    await alice.send({ To: bob.email, Subject: 'first use', Security: 'L2' }, 'first\n');
    kme(world).faults('KME-A').redelivery = 1;
    const draft = await alice.draft({ To: bob.email, Subject: 'second use', Security: 'L2' }, 'second\n');
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'key.reused' });
    await alice.engine.sendDraft(draft);
    assert.equal((await bob.receives('second use')).text.trim(), 'second');
  });

  const changes: readonly { what: string; code: ErrorCode; change: () => Promise<unknown> }[] = [
    { what: 'asks for a stronger level', code: 'seal.below-minimum', change: () => alice.knows(bob, 'L1') },
    {
      what: 'has another SAE ID',
      code: 'seal.no-link',
      change: () =>
        alice.engine.saveContact({ accountId: alice.account.id, address: bob.email, name: '', saeId: 'SAE-OTHER', minimumLevel: 'L4' }),
    },
    {
      what: 'is gone',
      code: 'seal.no-contact',
      change: () => alice.engine.deleteContact({ accountId: alice.account.id, address: bob.email }),
    },
  ];
  for (const { what, code, change } of changes) {
    it(`queues nothing for a contact that ${what} by the time the keys are there`, async () => {
      const draft = await alice.draft({ To: bob.email, Subject: 'overtaken', Security: 'L2' }, 'too late\n');
      world.kme.pair.faults('KME-A').delayMs = 300;
      try {
        const reserving = new Promise<void>((resolve) => {
          const listening = alice.engine.onEvent((event) => {
            if (event.kind !== 'send-progress' || event.step !== 'keys') return;
            listening.dispose();
            resolve();
          });
        });
        const sending = assert.rejects(alice.engine.sendDraft(draft), { code });
        await reserving;
        await change();
        await sending;
        assert.deepEqual(await alice.engine.listOutbox(), []);
        assert.equal((await alice.engine.loadDraft({ draftId: draft.draftId })).text, draft.text);
      } finally {
        world.kme.pair.faults('KME-A').delayMs = 0;
        await alice.knows(bob);
        await alice.engine.deleteDraft({ draftId: draft.draftId });
      }
    });
  }

  it('never sends twice by itself when the answer to DATA never came, and resends the identical bytes when asked to', async () => {
    const draft = await alice.draft({ To: bob.email, Subject: 'unsure', Security: 'L2' }, 'was it accepted?\n');
    await alice.send({ To: bob.email, Subject: 'warm up', Security: 'L4' }, 'the connection is open now\n');
    // The answer to the message is the only large gap in what the server says: everything before it has passed by then.
    const stop = world.smtpProxy.observe('to-server', (chunk) => {
      if (chunk.length > 1000) world.smtpProxy.faultNow({ how: 'reset', direction: 'to-client' });
    });
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'smtp.acceptance-unknown' });
    stop();
    const [entry] = await alice.engine.listOutbox();
    assert.equal(entry?.state, 'acceptance-unknown');
    await assert.rejects(alice.engine.sendDraft(draft), { code: 'smtp.acceptance-unknown' });
    await alice.engine.retryOutbox({ outboxId: entry!.id });
    assert.equal((await bob.receives('unsure')).text.trim(), 'was it accepted?');
    const ids = (await world.mail.storedMessages(bob.email)).map((raw) => /^Message-ID: (.*)$/im.exec(raw.toString('latin1'))?.[1]);
    const sealed = (await world.mail.storedMessages(bob.email)).filter((raw) => raw.includes('qumail_payload.json'));
    const bodies = new Map<string, Set<string>>();
    sealed.forEach((raw) => {
      const text = raw.toString('latin1');
      const id = /^Message-ID: (.*)$/im.exec(text)?.[1] ?? '';
      bodies.set(id, (bodies.get(id) ?? new Set()).add(text.slice(text.indexOf('\r\n\r\n'))));
    });
    assert.ok(ids.length > 0);
    for (const [id, versions] of bodies) assert.equal(versions.size, 1, id);
    await assert.rejects(alice.engine.loadDraft({ draftId: draft.draftId }), { code: 'draft.missing' });
  });

  it('sends 50 messages back to back over one SMTP connection', async () => {
    const before = { smtp: world.smtpProxy.total };
    for (let index = 0; index < 50; index += 1)
      await alice.send({ To: bob.email, Subject: `burst ${index}`, Security: 'L2' }, `number ${index}\n`);
    await bob.receives('burst 49');
    assert.ok(world.smtpProxy.total - before.smtp <= 1, `${world.smtpProxy.total - before.smtp} SMTP connections`);
    const bursts = (await bob.list('INBOX', 200)).filter(({ subject }) => subject.startsWith('burst'));
    assert.equal(bursts.length, 50);
  });
});
