import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import type { Transporter } from 'nodemailer';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { createAuthority } from '../../../src/core/lab/certificates.ts';
import { startMailHost } from '../../../src/core/lab/mailHost.ts';
import type { MailHost } from '../../../src/core/lab/mailHost.ts';
import { outerHeadersOf, writeOuter, writePlain } from '../../../src/core/mail/writeMime.ts';
import { readPayloads } from '../../../src/core/mail/readMime.ts';

const alice = { email: 'alice@lab.example', password: 'p"äss\\', displayName: 'Alice' };
const bob = { email: 'bob@lab.example', password: 'hunter2', displayName: 'Bob' };
const message = {
  from: { name: 'Alice', address: alice.email },
  to: [{ name: 'Bob', address: bob.email }],
  cc: [],
  subject: 'Grüße',
  date: new Date('2026-11-22T18:16:00Z'),
  messageId: '<1@lab.example>',
  references: [],
  markdown: 'hello **you**\n',
  body: 'text+html' as const,
  attachments: [{ name: 'लेख.bin', mimeType: 'application/octet-stream', content: Buffer.from([0, 1, 2, 255]) }],
};

describe('the lab’s mail host', () => {
  let host: MailHost;
  let ca: string;
  const opened: ImapFlow[] = [];

  before(async () => {
    const authority = await createAuthority({ commonName: 'test', organization: 'QuMail Lab SIMULATED' });
    ca = authority.caPem;
    const tls = await authority.issue({ commonName: 'mail', ips: ['127.0.0.1'], usage: 'server' });
    host = await startMailHost({ users: [alice, bob], tls });
  });
  afterEach(() => {
    for (const client of opened.splice(0)) client.close();
  });
  after(() => host.dispose());

  async function imap(user: { email: string; password: string }): Promise<ImapFlow> {
    const client = new ImapFlow({
      host: host.imap.host,
      port: host.imap.port,
      secure: true,
      tls: { ca },
      auth: { user: user.email, pass: user.password },
      logger: false,
    });
    client.on('error', () => {});
    opened.push(client);
    await client.connect();
    return client;
  }
  function smtp(user: { email: string; password: string }): Transporter {
    return createTransport({
      host: host.smtp.host,
      port: host.smtp.port,
      secure: true,
      tls: { ca },
      auth: { user: user.email, pass: user.password },
    });
  }
  async function counts(client: ImapFlow, path: string): Promise<{ messages: number; unseen: number }> {
    const status = await client.status(path, { messages: true, unseen: true });
    assert.ok(status);
    return { messages: status.messages ?? -1, unseen: status.unseen ?? -1 };
  }
  const send = (raw: Buffer, to = bob.email, from = alice): Promise<unknown> =>
    smtp(from).sendMail({ envelope: { from: from.email, to }, raw });

  it('lets two users write to each other, byte for byte, and shows mail only to whom it belongs', async () => {
    const [a, b] = [await imap(alice), await imap(bob)];
    const raw = await writePlain(message);
    await send(raw);
    await b.mailboxOpen('INBOX');
    const got = await b.fetchOne(
      '*',
      { source: true, uid: true, envelope: true, flags: true, size: true, bodyStructure: true, internalDate: true },
      {},
    );
    assert.ok(got);
    assert.ok(got.source?.subarray(-raw.length).equals(raw));
    assert.equal(got.size, got.source?.length);
    assert.equal(got.envelope?.subject, 'Grüße');
    assert.deepEqual(got.envelope?.from, [{ name: 'Alice', address: alice.email }]);
    assert.equal(got.envelope?.messageId, '<1@lab.example>');
    assert.equal(got.bodyStructure?.type, 'multipart/mixed');
    assert.equal(got.bodyStructure?.childNodes?.[0]?.type, 'multipart/alternative');
    assert.equal(got.bodyStructure?.childNodes?.[1]?.disposition, 'attachment');
    assert.equal(got.bodyStructure?.childNodes?.[1]?.dispositionParameters?.['filename'], 'लेख.bin');
    assert.equal((await counts(a, 'INBOX')).messages, 0);
    await send(await writePlain({ ...message, from: message.to[0]!, to: [message.from] }), alice.email, bob);
    assert.equal((await counts(a, 'INBOX')).unseen, 1);
  });

  it('announces new mail to an idling client at once', async () => {
    const b = await imap(bob);
    await b.mailboxOpen('INBOX');
    const announced = once(b, 'exists');
    void b.idle();
    await send(await writePlain(message));
    const [event] = await announced;
    assert.equal((event as { count: number }).count, (event as { prevCount: number }).prevCount + 1);
  });

  it('has the special folders', async () => {
    const a = await imap(alice);
    const folders = await a.list();
    assert.deepEqual(Object.fromEntries(folders.map((f) => [f.path, f.specialUse])), {
      INBOX: '\\Inbox',
      Sent: '\\Sent',
      Drafts: '\\Drafts',
      Trash: '\\Trash',
      Archive: '\\Archive',
    });
  });

  it('appends, flags, searches, copies, moves and expunges by UID', async () => {
    const a = await imap(alice);
    const raw = await writePlain(message);
    const first = await a.append('Sent', raw, ['\\Seen'], new Date('2020-02-03T04:05:06Z'));
    const second = await a.append('Sent', raw, []);
    assert.ok(first && second);
    await a.mailboxOpen('Sent');
    const kept = await a.fetchOne(String(first.uid), { flags: true, internalDate: true, source: true }, { uid: true });
    assert.ok(kept && kept.flags?.has('\\Seen') && kept.source?.equals(raw));
    assert.equal(new Date(kept.internalDate ?? 0).toISOString(), '2020-02-03T04:05:06.000Z');
    assert.deepEqual(await a.search({ seen: true }, { uid: true }), [first.uid]);
    assert.deepEqual(await a.search({ subject: 'grüße', before: new Date('2021-01-01') }, { uid: true }), [first.uid]);
    assert.deepEqual(await a.search({ or: [{ uid: String(second.uid) }, { flagged: true }], not: { deleted: true } }, { uid: true }), [
      second.uid,
    ]);
    await a.messageFlagsAdd(String(second.uid), ['\\Flagged', '$Forwarded'], { uid: true });
    await a.messageFlagsRemove(String(second.uid), ['\\Flagged'], { uid: true });
    const flags = await a.fetchOne(String(second.uid), { flags: true }, { uid: true });
    assert.deepEqual([...((flags && flags.flags) || [])], ['$Forwarded']);
    const copied = await a.messageCopy(String(second.uid), 'Archive', { uid: true });
    const moved = await a.messageMove(String(first.uid), 'Trash', { uid: true });
    assert.ok(copied && moved && copied.uidMap?.has(second.uid ?? 0) && moved.uidMap?.has(first.uid ?? 0));
    assert.equal((await counts(a, 'Sent')).messages, 1);
    await a.messageDelete(String(second.uid), { uid: true });
    assert.deepEqual(await a.search({ all: true }, { uid: true }), []);
    assert.equal((await counts(a, 'Archive')).messages, 1);
    assert.equal((await counts(a, 'Trash')).messages, 1);
  });

  it('tells one client what another did: flags, removals, arrivals', async () => {
    const [one, two] = [await imap(alice), await imap(alice)];
    await one.append('Drafts', 'Subject: a\r\n\r\nx');
    await one.append('Drafts', 'Subject: b\r\n\r\nx');
    await one.mailboxOpen('Drafts');
    await two.mailboxOpen('Drafts');
    const flagged = once(two, 'flags');
    const expunged = once(two, 'expunge');
    void two.idle();
    await one.messageFlagsAdd('2', ['\\Seen']);
    const [change] = await flagged;
    assert.equal((change as { seq: number }).seq, 2);
    await one.messageDelete('1');
    const [removal] = await expunged;
    assert.equal((removal as { seq: number }).seq, 1);
    assert.deepEqual(await two.search({ subject: 'b' }), [1]);
  });

  it('fetches parts and header fields without marking mail as seen', async () => {
    const a = await imap(alice);
    await a.append('Archive', await writePlain(message));
    await a.mailboxOpen('Archive');
    const got = await a.fetchOne('*', { headers: ['subject', 'to'], bodyParts: ['2', '1.1.mime', 'text'], flags: true });
    assert.ok(got);
    assert.match(got.headers?.toString() ?? '', /^To: Bob <bob@lab\.example>\r\nSubject: =\?UTF-8\?B\?[^\r]+\?=\r\n\r\n$/);
    assert.equal(got.bodyParts?.get('2')?.toString().trim(), 'AAEC/w==');
    assert.match(got.bodyParts?.get('1.1.mime')?.toString() ?? '', /^Content-Type: text\/plain/);
    assert.equal(got.flags?.has('\\Seen'), false);
    const { content, meta } = await a.download('*', '2');
    assert.ok(content && meta);
    assert.equal(meta.filename, 'लेख.bin');
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk as Buffer);
    assert.deepEqual(Buffer.concat(chunks), Buffer.from([0, 1, 2, 255]));
  });

  it('carries a sealed message of 8 MiB and keeps it intact', async () => {
    const bin = systemRandom.bytes(8 * 1024 * 1024);
    const raw = await writeOuter(outerHeadersOf(message), { json: Buffer.from('{"qumail":1}'), bin });
    await send(raw);
    const b = await imap(bob);
    await b.mailboxOpen('INBOX');
    const got = await b.fetchOne('*', { source: true });
    const payloads = await readPayloads((got && got.source) || Buffer.alloc(0));
    assert.ok(payloads?.parts.get('qumail_payload.bin')?.equals(bin));
  });

  it('creates and deletes mailboxes with any name, and protects those with a role', async () => {
    const a = await imap(alice);
    await a.mailboxCreate('QuMail Chat');
    assert.equal((await a.mailboxCreate('QuMail Chat')).created, false);
    await a.mailboxCreate('दोस्त & more');
    assert.ok((await a.list()).some((f) => f.path === 'दोस्त & more'));
    assert.equal((await counts(a, 'दोस्त & more')).messages, 0);
    await a.mailboxDelete('दोस्त & more');
    assert.ok(!(await a.list()).some((f) => f.path === 'दोस्त & more'));
    await assert.rejects(a.mailboxDelete('Sent'));
    await assert.rejects(a.mailboxOpen('No such mailbox'));
  });

  it('refuses wrong passwords, unknown users, foreign senders and unknown recipients by their codes', async () => {
    await assert.rejects(imap({ ...alice, password: 'wrong' }), { authenticationFailed: true });
    await assert.rejects(imap({ email: 'eve@lab.example', password: '' }), { authenticationFailed: true });
    await assert.rejects(smtp({ ...alice, password: 'wrong' }).verify(), { code: 'EAUTH', responseCode: 535 });
    const raw = await writePlain(message);
    await assert.rejects(send(raw, 'nobody@lab.example'), { responseCode: 550 });
    await assert.rejects(smtp(alice).sendMail({ envelope: { from: bob.email, to: bob.email }, raw }), { responseCode: 553 });
  });

  it('survives garbage, endless lines and huge literals, and cuts them off', async () => {
    for (const junk of [
      '\0\xff\xfe\r\n\r\n',
      'a LOGIN {999999999}\r\n',
      'x'.repeat(200_000),
      'a1 FETCH (((((((((((((((((((((((((\r\n',
      `a LIST "" "${'*a'.repeat(200)}"\r\n`,
      'a AUTHENTICATE PLAIN\r\n*\r\n',
    ]) {
      const socket = connectTls({ host: host.imap.host, port: host.imap.port, ca });
      await once(socket, 'data');
      const answered = once(socket, 'data');
      socket.on('error', () => {});
      socket.write(junk);
      assert.match(String((await answered)[0]), /^(?:\*|a1?|\+) ?(?:BAD|BYE|NO)?/);
      socket.destroy();
    }
    await imap(alice);
  });

  it('closes everything on dispose', async () => {
    const authority = await createAuthority({ commonName: 'test', organization: 'QuMail Lab SIMULATED' });
    const other = await startMailHost({
      users: [alice],
      tls: await authority.issue({ commonName: 'mail', ips: ['127.0.0.1'], usage: 'server' }),
    });
    const imapSocket = connectTls({ host: other.imap.host, port: other.imap.port, ca: authority.caPem });
    const smtpSocket = connectTls({ host: other.smtp.host, port: other.smtp.port, ca: authority.caPem });
    await Promise.all([once(imapSocket, 'data'), once(smtpSocket, 'data')]);
    const closed = Promise.all([once(imapSocket, 'close'), once(smtpSocket, 'close')]);
    other.dispose();
    other.dispose();
    await closed;
    await assert.rejects(once(connectTls({ host: other.imap.host, port: other.imap.port }), 'secureConnect'), { code: 'ECONNREFUSED' });
  });

  it('delivers what the lab puts there itself', async () => {
    host.deliver(alice.email, Buffer.from('Subject: Welcome\r\n\r\nhi'));
    assert.throws(() => host.deliver('eve@x', Buffer.alloc(0)), { code: 'smtp.recipient-rejected' });
    const a = await imap(alice);
    assert.ok((await counts(a, 'INBOX')).messages > 0);
  });
});
