import assert from 'node:assert/strict';
import { readMessage } from '../../../src/core/mail/readMime.ts';
import type { ReadMessage } from '../../../src/core/mail/readMime.ts';
import { replyFields } from '../../../src/core/mail/reply.ts';
import { parseDraft, writeDraftText } from '../../../src/core/mail/draft.ts';

const mail = (header: string, body = 'first\n\n> older\nlast\n'): Promise<ReadMessage> =>
  readMessage(Buffer.from(`${header}\r\n\r\n${body}`));
const header = [
  'From: Alice <alice@x.org>',
  'To: Bob <bob@x.org>, Carol <carol@x.org>, alice@x.org',
  'Cc: dave@x.org, carol@x.org',
  'Subject: Lunch',
  'Date: Sun, 22 Nov 2026 18:16:00 +0000',
  'Message-ID: <2@x.org>',
  'References: <1@x.org>',
].join('\r\n');
const names = (list: readonly { address: string }[]): string[] => list.map((a) => a.address);

describe('replyFields', () => {
  it('answers the author, quotes, and keeps the thread', async () => {
    const r = replyFields(await mail(header), 'BOB@x.org'.replace('BOB', 'bob'), 'reply');
    assert.deepEqual(r, {
      to: [{ name: 'Alice', address: 'alice@x.org' }],
      cc: [],
      subject: 'Re: Lunch',
      body: '\n\nAlice <alice@x.org>, 2026-11-22 18:16 UTC:\n\n> first\n>\n>> older\n> last\n',
      inReplyTo: '<2@x.org>',
      references: ['<1@x.org>', '<2@x.org>'],
    });
  });

  it('answers all, nobody twice and never oneself', async () => {
    const r = replyFields(await mail(header), 'bob@x.org', 'reply-all');
    assert.deepEqual(names(r.to), ['alice@x.org', 'carol@x.org']);
    assert.deepEqual(names(r.cc), ['dave@x.org']);
  });

  it('goes where Reply-To says', async () => {
    const r = replyFields(await mail(`${header}\r\nReply-To: list@x.org`), 'bob@x.org', 'reply');
    assert.deepEqual(names(r.to), ['list@x.org']);
  });

  it('answers own mail to whom it went', async () => {
    const source = await mail(header);
    assert.deepEqual(names(replyFields(source, 'alice@x.org', 'reply').to), ['bob@x.org', 'carol@x.org']);
    const note = await mail('From: alice@x.org\r\nTo: alice@x.org');
    assert.deepEqual(names(replyFields(note, 'alice@x.org', 'reply').to), ['alice@x.org']);
  });

  it('forwards with who, when and what, to nobody yet and in a thread of its own', async () => {
    const r = replyFields(await mail(header), 'bob@x.org', 'forward');
    assert.deepEqual([r.to, r.cc, r.inReplyTo, r.references], [[], [], '', []]);
    assert.match(r.body, /^\n\n> From: Alice <alice@x\.org>\n> Date: 2026-11-22 18:16 UTC\n> Subject: Lunch\n> To: Bob <bob@x\.org>, /);
    assert.match(r.body, />\n> first\n/);
  });

  for (const [subject, kind, result] of [
    ['Re: Re: AW: x', 'reply', 'Re: x'],
    ['RE[2]: x', 'reply', 'Re: x'],
    ['Fwd: x', 'reply', 'Re: Fwd: x'],
    ['Regarding x', 'reply', 'Re: Regarding x'],
    ['', 'reply', 'Re:'],
    ['Fwd: Fw: x', 'forward', 'Fwd: x'],
    ['Re: x', 'forward', 'Fwd: Re: x'],
  ] as const) {
    it(`makes ${JSON.stringify(subject)} ${JSON.stringify(result)} on ${kind}`, async () => {
      assert.equal(replyFields(await mail(`From: a@x.org\r\nSubject: ${subject}`), 'b@x.org', kind).subject, result);
    });
  }

  it('fills a draft that parses, also from mail without any header', async () => {
    const r = replyFields(await readMessage(Buffer.from('\r\n')), 'b@x.org', 'reply-all');
    const draft = parseDraft(writeDraftText({ from: { name: '', address: 'b@x.org' }, bcc: [], level: 'L4', attach: [], ...r }));
    assert.deepEqual(draft.problems, []);
    assert.equal(draft.body, r.body);
    assert.deepEqual([r.inReplyTo, r.references], ['', []]);
  });

  it('bounds what it quotes and how long a thread it names', async () => {
    const source = await mail(`${header}\r\n`, 'y'.repeat(1_000_000));
    assert.ok(replyFields(source, 'b@x.org', 'reply').body.length < 210_000);
    const long = { ...source, references: Array.from({ length: 200 }, (_, i) => `<${i}@y>`) };
    const { references } = replyFields(long, 'b@x.org', 'reply');
    assert.deepEqual([references.length, references[0], references.at(-1)], [100, '<0@y>', '<2@x.org>']);
  });
});
