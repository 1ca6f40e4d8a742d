import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createTransport } from 'nodemailer';
import type { ErrorCode } from '../../../src/core/api.ts';
import { mayPass } from '../../../src/core/account/openMessage.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

/** What servers write on top of a message on its way. */
const TRACE = /^(Return-Path|Delivered-To|Received|X-Original-To):.*\r?\n([ \t].*\r?\n)*/gim;

describe('receiving when something is wrong', function () {
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

  /** Sealed mail from Alice as it lies on the server, taken out of Bob's mailbox before he saw it. */
  async function intercepted(subject: string, level: 'L1' | 'L2'): Promise<string> {
    await bob.engine[Symbol.asyncDispose]();
    await emptyInbox();
    await alice.send({ To: bob.email, Subject: subject, Security: level }, `body of ${subject}\n`);
    const raw = await untilStored();
    await emptyInbox();
    return raw.replace(TRACE, '');
  }

  async function emptyInbox(): Promise<void> {
    await world.mail.doveadm(['expunge', '-u', bob.email, 'mailbox', 'INBOX', 'ALL']);
  }

  const untilStored = (): Promise<string> => stored(bob.email);

  async function stored(email: string): Promise<string> {
    for (;;) {
      const raw = (await world.mail.storedMessages(email)).find((each) => each.includes('qumail_payload.json'));
      if (raw) return raw.toString('latin1');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function deliver(raw: string): Promise<void> {
    const { host, port } = world.mail.smtp;
    const transport = createTransport({
      host,
      port,
      secure: true,
      tls: { ca: world.kme.pair.caPem },
      auth: { user: alice.email, pass: 'alice-password' },
    });
    await transport.sendMail({ raw: Buffer.from(raw, 'latin1'), envelope: { from: alice.email, to: [bob.email] } });
    transport.close();
  }

  /** What Bob's list says of the sealed messages that lie there, newest first, once `count` have come. */
  async function standing(count: number): Promise<{ seal: string; code: ErrorCode | undefined; subject: string }[]> {
    for (;;) {
      const list = await bob.list();
      if (list.length >= count) return list.map(({ seal, failure, subject }) => ({ seal, code: failure?.code, subject }));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The message with its payload changed by `change`, which sees the JSON text. */
  function withPayload(raw: string, change: (json: string) => string): string {
    const [whole, base64] = /name="?qumail_payload\.json"?[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)/.exec(raw) ?? [];
    assert.ok(whole !== undefined && base64 !== undefined);
    const json = Buffer.from(base64, 'base64').toString('latin1');
    const changed = Buffer.from(change(json), 'latin1').toString('base64').replace(/.{76}/g, '$&\r\n');
    return raw.replace(base64, `${changed}\r\n`);
  }

  const withHeader = (json: string, change: (header: Record<string, unknown>) => void): string => {
    const payload = JSON.parse(json) as { protected: string };
    const header = JSON.parse(Buffer.from(payload.protected, 'base64url').toString()) as Record<string, unknown>;
    change(header);
    return JSON.stringify({ ...payload, protected: Buffer.from(JSON.stringify(header)).toString('base64url') });
  };

  const alterations: readonly { what: string; code: ErrorCode; change: (raw: string) => string }[] = [
    {
      what: 'an unknown version',
      code: 'open.unknown-version',
      change: (raw) => withPayload(raw, (json) => withHeader(json, (header) => (header['v'] = 2))),
    },
    {
      what: 'an unknown suite',
      code: 'open.unknown-suite',
      change: (raw) => withPayload(raw, (json) => withHeader(json, (header) => (header['suite'] = 'QM9-NEW'))),
    },
    {
      what: 'an unknown critical member',
      code: 'open.unknown-critical',
      change: (raw) => withPayload(raw, (json) => withHeader(json, (header) => (header['crit'] = ['future']))),
    },
    {
      what: 'its body altered',
      code: 'open.tampered',
      change: (raw) =>
        withPayload(raw, (json) => json.replace(/("body":"....)(.)/, (_, head: string, byte: string) => head + (byte === 'A' ? 'B' : 'A'))),
    },
    {
      what: 'its time altered',
      code: 'open.tampered',
      change: (raw) => withPayload(raw, (json) => withHeader(json, (header) => (header['ts'] = '2020-01-01T00:00:00Z'))),
    },
    {
      what: 'its body cut',
      code: 'open.truncated',
      change: (raw) => withPayload(raw, (json) => json.replace(/("body":"[^"]{40})[^"]*/, '$1')),
    },
    {
      what: 'a member twice',
      code: 'open.duplicate-member',
      change: (raw) => withPayload(raw, (json) => json.replace('{', '{"qumail":1,')),
    },
    {
      what: 'two payloads',
      code: 'open.two-payloads',
      change: (raw) => {
        const boundary = /boundary="?([^"\r\n;]+)"?/.exec(raw)![1]!;
        const part = raw.split(`--${boundary}`).find((each) => each.includes('qumail_payload.json'))!;
        return raw.replace(`--${boundary}--`, `--${boundary}${part}--${boundary}--`);
      },
    },
    {
      what: 'another recipient',
      code: 'open.not-for-you',
      change: (raw) =>
        withPayload(raw, (json) => withHeader(json, (header) => (header['to'] = [{ addr: 'carol@example.test', sae: 'SAE-CAROL' }]))),
    },
  ];

  for (const { what, code, change } of alterations) {
    it(`refuses a message with ${what} as ${code}, and still opens the true one with the same keys`, async () => {
      const subject = `true one beside ${what}`;
      const raw = await intercepted(subject, 'L2');
      const before = world.kme.pair.deliveries.filter(({ saeId }) => saeId === bob.saeId).length;
      await deliver(change(raw));
      await bob.reopen();
      const [altered] = await standing(1);
      assert.equal(altered?.code, code);
      assert.notEqual(altered?.seal, 'opened');
      assert.equal(altered?.subject, 'QuMail Secure Message');
      await deliver(raw);
      assert.equal((await bob.receives(subject)).text.trim(), `body of ${subject}`);
      assert.equal(world.kme.pair.deliveries.filter(({ saeId }) => saeId === bob.saeId).length, before + 1);
    });
  }

  it('never renders an altered message, whichever byte of it was altered', async () => {
    const raw = await intercepted('every byte', 'L1');
    const json = payloadOf(raw);
    // A spread of positions over the whole payload; the crypto tests flip each one.
    const positions = Array.from({ length: 12 }, (_, index) => Math.floor(((index + 0.5) * json.length) / 12));
    for (const at of positions) {
      await deliver(withPayload(raw, (text) => text.slice(0, at) + (text[at] === 'x' ? 'y' : 'x') + text.slice(at + 1)));
    }
    await bob.reopen();
    for (const { seal, code } of await standing(positions.length)) {
      assert.notEqual(seal, 'opened');
      assert.notEqual(seal, 'plain');
      assert.match(code ?? '', /^open\./);
    }
    await deliver(raw);
    assert.equal((await bob.receives('every byte')).text.trim(), 'body of every byte');
  });

  function payloadOf(raw: string): string {
    let found = '';
    withPayload(raw, (json) => (found = json));
    return found;
  }

  it('shows a second copy of a message as the same, and a replay of its keys as a replay', async () => {
    const raw = await intercepted('once', 'L2');
    await deliver(raw);
    await bob.reopen();
    await bob.receives('once');
    const asked = world.kme.pair.deliveries.length;
    await deliver(raw);
    await deliver(withPayload(raw, (json) => withHeader(json, (header) => (header['id'] = Buffer.alloc(16, 7).toString('base64url')))));
    const list = await standing(3);
    assert.equal(list.filter(({ subject }) => subject === 'once').length, 2);
    assert.equal(list.filter(({ code }) => code === 'open.replayed').length, 1);
    assert.equal(world.kme.pair.deliveries.length, asked);
  });

  it('shows its own mail thrown back at it only as long as no byte of it was altered', async () => {
    await bob.send({ To: alice.email, Subject: 'mine', Security: 'L2' }, 'written by me\n');
    const raw = (await stored(alice.email)).replace(TRACE, '');
    await emptyInbox();
    await deliver(
      withPayload(raw, (json) => json.replace(/("body":"....)(.)/, (_, head: string, byte: string) => head + (byte === 'A' ? 'B' : 'A'))),
    );
    const [altered] = await standing(1);
    assert.deepEqual(altered, { seal: 'failed', code: 'open.tampered', subject: 'QuMail Secure Message' });
    await deliver(raw);
    assert.equal((await bob.receives('mine')).text.trim(), 'written by me');
  });

  it('shows no subject that somebody wrote on the outside of a sealed message', async () => {
    const raw = await intercepted('inside', 'L2');
    const outside = raw.replace(/^Subject: .*$/m, 'Subject: Your account is locked');
    await deliver(
      withPayload(outside, (json) =>
        json.replace(/("body":"....)(.)/, (_, head: string, byte: string) => head + (byte === 'A' ? 'B' : 'A')),
      ),
    );
    await bob.reopen();
    assert.deepEqual(await standing(1), [{ seal: 'failed', code: 'open.tampered', subject: 'QuMail Secure Message' }]);
  });

  it('takes a failure for lasting only where it says something of the message itself', () => {
    const passes = (code: ErrorCode, details = {}): boolean => mayPass({ code, details });
    for (const code of [
      'net.refused',
      'net.host-unknown',
      'auth.token-refused',
      'imap.rejected',
      'store.secret-missing',
      'key.not-held',
    ] as const)
      assert.ok(passes(code), code);
    for (const code of ['open.tampered', 'open.replayed', 'open.not-for-you', 'open.limit', 'key.reused', 'key.betrayed'] as const)
      assert.ok(!passes(code), code);
    assert.ok(passes('open.sender-unknown'));
    assert.ok(passes('open.not-for-you', { what: 'sae' }));
  });

  it('keeps a message unopened while the key manager is away, and opens it when it is back', async () => {
    await deliver(await intercepted('waits for keys', 'L2'));
    await world.kme.pair.stop('KME-B');
    await bob.reopen();
    const list = await standing(1);
    assert.deepEqual(list[0], { seal: 'unopened', code: 'kme.unreachable', subject: 'QuMail Secure Message' });
    await world.kme.pair.start('KME-B');
    await until(async () => (await bob.list())[0]?.seal === 'opened');
    assert.equal((await bob.receives('waits for keys')).text.trim(), 'body of waits for keys');
  });

  it('names a sender it does not know, and opens the message once the contact is saved', async () => {
    await bob.engine.deleteContact({ accountId: bob.account.id, address: alice.email });
    await alice.send({ To: bob.email, Subject: 'from whom', Security: 'L2' }, 'it is me\n');
    await until(async () => (await bob.list()).some(({ failure }) => failure?.code === 'open.sender-unknown'));
    await bob.knows(alice);
    assert.equal((await bob.receives('from whom')).security.senderSaeId, alice.saeId);
  });

  it('says that a key is unknown to the key manager, and does not show the message', async () => {
    const raw = await intercepted('lost key', 'L2');
    await deliver(
      withPayload(raw, (json) =>
        json.replace(/"protected":"([^"]+)"/, (_, text: string) => {
          const header = Buffer.from(text, 'base64url')
            .toString()
            .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/, '00000000-0000-4000-8000-000000000000');
          return `"protected":"${Buffer.from(header).toString('base64url')}"`;
        }),
      ),
    );
    await bob.reopen();
    await until(async () => (await bob.list()).some(({ failure }) => failure?.code === 'kme.key-not-found'));
  });

  it('stops asking for the key of an old message at each look, but asks when it is opened', async () => {
    const raw = await intercepted('long ago', 'L2');
    const old = raw.replace(/^Date: .*$/m, 'Date: Mon, 01 Jan 2024 00:00:00 +0000');
    await deliver(
      withPayload(old, (json) =>
        withHeader(json, (header) => ((header['keys'] as { k: string[] }[])[0]!.k[0] = '00000000-0000-4000-8000-000000000001')),
      ),
    );
    await bob.reopen();
    const tried = (): number =>
      bob.log.filter(({ event, facts }) => event === 'engine.mail.not-opened' && facts['code'] === 'kme.key-not-found').length;
    const [message] = await (async () => {
      for (;;) {
        const list = await bob.list();
        if (list.length === 1 && list[0]?.failure?.code === 'kme.key-not-found') return list;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const before = tried();
    await bob.list();
    await bob.list();
    assert.equal(tried(), before);
    const { security } = await bob.engine.openMessage({ messageId: message!.id });
    assert.equal(security.failure?.code, 'kme.key-not-found');
    assert.equal(tried(), before + 1);
  });

  it('offers the way out as data, and makes the draft that asks the sender to seal it again', async () => {
    await deliver(
      withPayload(await intercepted('never opened', 'L2'), (json) => withHeader(json, (header) => (header['ts'] = '2020-01-01T00:00:00Z'))),
    );
    await bob.reopen();
    await until(async () => (await bob.list()).some(({ failure }) => failure?.code === 'open.tampered'));
    const [altered] = await bob.list();
    const { security } = await bob.engine.openMessage({ messageId: altered!.id });
    assert.equal(security.nextStep, 'ask-again');
    const draft = await bob.engine.askToSealAgain({ messageId: altered!.id });
    assert.match(draft.text, new RegExp(`^To: .*${alice.email}`, 'm'));
    assert.match(draft.text, /^Security: L2/m);
    assert.match(draft.text, /incomplete or was altered/);
    assert.ok(!draft.text.includes('never opened'));
    await bob.engine.sendDraft({ draftId: draft.id, text: draft.text });
    assert.match((await alice.receives('Please send your sealed message again')).text, /could not open it/);
    await assert.rejects(bob.engine.askToSealAgain({ messageId: 999_999 }), { code: 'message.missing' });
  });

  it('tries once more after an upgrade what an older version could not read', async () => {
    const raw = await intercepted('ahead of its time', 'L2');
    await deliver(raw);
    await bob.reopen();
    await bob.receives('ahead of its time');
    const [message] = await bob.list();
    await bob.engine[Symbol.asyncDispose]();
    const db = new DatabaseSync(join(bob.storageDir, 'mail.db'));
    const failure = JSON.stringify({ code: 'open.level-unsupported', details: {} });
    db.prepare("UPDATE messages SET seal = 'failed', envelope_id = NULL, failure = ? WHERE id = ?").run(failure, message!.id);
    db.close();
    await bob.reopen();
    await until(async () => (await bob.list())[0]?.seal === 'opened');
    assert.equal((await bob.list())[0]?.subject, 'ahead of its time');
  });

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
