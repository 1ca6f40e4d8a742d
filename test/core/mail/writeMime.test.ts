import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { mimeTree } from '../../../src/core/lab/mailHostStructure.ts';
import type { MimePart } from '../../../src/core/lab/mailHostStructure.ts';
import { fieldValue, readHeaderSection } from '../../../src/core/mail/headerSection.ts';
import { hasAttachments, readMessage, readPayloads, readProtected } from '../../../src/core/mail/readMime.ts';
import { newMessageId, OUTER_SUBJECT, outerHeadersOf, writeInner, writeOuter, writePlain } from '../../../src/core/mail/writeMime.ts';
import type { OutgoingMessage } from '../../../src/core/mail/writeMime.ts';

const alice = { name: 'Alice Årgang', address: 'alice@example.org' };
const bob = { name: 'Bob, "the" Builder', address: 'bob@example.net' };
const carol = { name: '', address: 'carol@example.com' };
const base: OutgoingMessage = {
  from: alice,
  to: [bob],
  cc: [carol],
  subject: 'Plan für Montag ✓',
  date: new Date('2026-11-22T18:16:05Z'),
  messageId: '<0123456789abcdef@example.org>',
  inReplyTo: '<parent@example.net>',
  references: ['<root@example.net>', '<parent@example.net>'],
  markdown: '# Hello\n\n*world* & <script>alert(1)</script>\nsecond line https://example.org/x\n',
  body: 'text+html',
  attachments: [],
};
/** What SMTP servers of 1982 carry: 7-bit, CRLF only, no NUL, lines of at most 998 octets. */
function assertTransportable(raw: Buffer): void {
  const text = raw.toString('latin1');
  assert.doesNotMatch(text, /[\x00\x80-\xff]/);
  assert.doesNotMatch(text, /(?:^|[^\r])\n|\r(?!\n)/);
  for (const line of text.split('\r\n')) assert.ok(line.length <= 998);
}
const names = (raw: Buffer): string[] => readHeaderSection(raw).fields.map((f) => f.name);

describe('writePlain', () => {
  it('writes a message that reads back to the same fields', async () => {
    const raw = await writePlain(base);
    assertTransportable(raw);
    const read = await readMessage(raw);
    assert.deepEqual(read.from, alice);
    assert.deepEqual(read.to, [bob]);
    assert.deepEqual(read.cc, [carol]);
    assert.equal(read.subject, base.subject);
    assert.equal(read.date, base.date.getTime());
    assert.equal(read.messageId, base.messageId);
    assert.equal(read.inReplyTo, base.inReplyTo);
    assert.deepEqual(read.references, base.references);
    assert.equal(read.text, base.markdown);
    assert.deepEqual(names(raw), [
      'From',
      'To',
      'Cc',
      'Subject',
      'Date',
      'Message-ID',
      'In-Reply-To',
      'References',
      'MIME-Version',
      'Content-Type',
    ]);
  });

  it('makes HTML without raw tags, images or typography of its own', async () => {
    const { html } = await readMessage(
      await writePlain({ ...base, markdown: `${base.markdown}\n![x](https://tracker.example/p.png) -- "q"` }),
    );
    assert.match(html ?? '', /<h1>Hello<\/h1>/);
    assert.match(html ?? '', /<em>world<\/em> &amp; &lt;script&gt;/);
    assert.match(html ?? '', /<a href="https:\/\/example.org\/x">/);
    assert.doesNotMatch(html ?? '', /<img|<script/);
    assert.match(html ?? '', /-- &quot;q&quot;/);
  });

  it('writes text alone when asked to', async () => {
    const raw = await writePlain({ ...base, body: 'text' });
    assert.match(raw.toString(), /\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
    const read = await readMessage(raw);
    assert.equal(read.html, undefined);
    assert.equal(read.text, base.markdown);
  });

  it('names no Bcc and has no way to', async () => {
    const raw = await writePlain({ ...base, bcc: [carol] } as OutgoingMessage);
    assert.ok(!names(raw).includes('Bcc'));
  });

  it('writes an empty recipient list as the empty group', async () => {
    const raw = await writePlain({ ...base, to: [], cc: [] });
    assert.match(raw.toString(), /\r\nTo: undisclosed-recipients:;\r\n/);
    assert.deepEqual((await readMessage(raw)).to, []);
  });

  it('keeps an internationalised domain 7-bit', async () => {
    const raw = await writePlain({ ...base, to: [{ name: '', address: 'x@jõgeva.ee' }] });
    assertTransportable(raw);
    assert.match(raw.toString(), /\r\nTo: x@xn--jgeva-dua\.ee\r\n/);
  });

  it('refuses an address that is none', async () => {
    await assert.rejects(writePlain({ ...base, to: [{ name: 'x', address: 'a@b\r\nBcc: eve@x.org' }] }), {
      code: 'engine.bad-request',
      details: { field: 'address' },
    });
  });

  it('refuses a Message-ID that is none, and leaves foreign ids out that are none', async () => {
    await assert.rejects(writePlain({ ...base, messageId: '<a@b>\r\nBcc: eve@x.org' }), { code: 'engine.bad-request' });
    const raw = await writePlain({ ...base, inReplyTo: 'x\r\nBcc: e@x', references: ['<ok@x>', '<b ad@x>', '<a@b>\r\nX: y'] });
    assert.ok(!names(raw).includes('In-Reply-To'));
    assert.deepEqual((await readMessage(raw)).references, ['<ok@x>']);
  });

  it('keeps the first and the latest of a very long thread', async () => {
    const references = Array.from({ length: 5000 }, (_, i) => `<id-${i}@example.org>`);
    const read = await readMessage(await writePlain({ ...base, references }));
    assert.equal(read.references.length, 100);
    assert.equal(read.references[0], '<id-0@example.org>');
    assert.equal(read.references.at(-1), '<id-4999@example.org>');
  });

  it('lets no name, subject or file name add a header', async () => {
    const evil = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom(
        'x\r\nBcc: eve@example.org',
        'x\nX-Evil: 1',
        'x\r\n\r\nbody',
        '=?utf-8?Q?a=0D=0AX-Evil:_1?=',
        'a"; x="b',
        "a'; name*=utf-8''x",
        '../../x',
      ),
    );
    await fc.assert(
      fc.asyncProperty(evil, evil, evil, evil, async (name, subject, file, mimeType) => {
        const raw = await writePlain({
          ...base,
          from: { name, address: alice.address },
          to: [{ name, address: bob.address }],
          subject,
          attachments: [{ name: file, mimeType, content: Buffer.from('x') }],
        });
        assertTransportable(raw);
        assert.deepEqual(names(raw), [
          'From',
          'To',
          'Cc',
          'Subject',
          'Date',
          'Message-ID',
          'In-Reply-To',
          'References',
          'MIME-Version',
          'Content-Type',
        ]);
        const read = await readMessage(raw);
        assert.deepEqual(
          read.to.map((a) => a.address),
          [bob.address],
        );
        assert.equal(read.attachments.length, 1);
        assert.equal(read.attachments[0]?.content.toString(), 'x');
      }),
      { numRuns: 150 },
    );
  });

  it('brings any subject and any name back as written', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 120 }).map((s) =>
      s
        .replace(/[\p{C}\u2028\u2029]/gu, '')
        .trim()
        .normalize('NFC'),
    );
    await fc.assert(
      fc.asyncProperty(line, line, async (subject, name) => {
        const read = await readMessage(await writePlain({ ...base, body: 'text', subject, from: { name, address: alice.address } }));
        assert.equal(read.subject, subject);
        assert.equal(read.from.name, name);
      }),
      { numRuns: 200 },
    );
  });

  it('brings any text back, line ends and blank lines at the end aside', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (markdown) => {
        const clean = markdown.replace(/[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]/g, '').toWellFormed();
        const raw = await writePlain({ ...base, body: 'text', markdown: clean });
        assertTransportable(raw);
        assert.equal((await readMessage(raw)).text, clean.replace(/\r\n?/g, '\n').replace(/\n*$/, '\n'));
      }),
      { numRuns: 200 },
    );
  });
});

describe('attachments', () => {
  for (const size of [0, 1, 2, 3, 56, 57, 58, 75, 76, 77, 4095, 65_536, 1_048_577]) {
    it(`come back byte for byte at ${size} octets, in the clear and sealed`, async () => {
      const content = systemRandom.bytes(size);
      const message = { ...base, attachments: [{ name: 'लेख.bin', mimeType: 'application/octet-stream', content }] };
      for (const raw of [await writePlain(message), await writeInner(message, outerHeadersOf(message))]) {
        assertTransportable(raw);
        const read = await readMessage(raw);
        assert.equal(read.attachments.length, 1);
        assert.equal(read.attachments[0]?.name, 'लेख.bin');
        assert.ok(read.attachments[0]?.content.equals(content));
        assert.ok(hasAttachments(read));
      }
    });
  }

  for (const mimeType of [
    'text/plain',
    'text/html',
    'text/calendar',
    'application/ics',
    'message/rfc822',
    'multipart/mixed',
    'image/png',
    'not a type',
    'x/y\r\nX: z',
  ]) {
    it(`of type ${JSON.stringify(mimeType)} come back byte for byte`, async () => {
      const content = Buffer.from('From x\r\nline\nlone\rNUL\0 \u00e9 \xff\r\n\r\n.\r\n--edge\r\n\n\n', 'latin1');
      const read = await readMessage(await writePlain({ ...base, attachments: [{ name: 'f.dat', mimeType, content }] }));
      assert.equal(read.attachments.length, 1);
      assert.ok(read.attachments[0]?.content.equals(content));
      assert.equal(read.text, base.markdown);
    });
  }

  it('named like a payload are not lost inside a sealed message', async () => {
    const m = { ...base, attachments: [{ name: 'qumail_payload.json', mimeType: 'application/json', content: Buffer.from('{}') }] };
    const { attachments } = await readProtected(await writeInner(m, outerHeadersOf(m)));
    assert.deepEqual(
      attachments.map(({ name, content }) => [name, content.toString()]),
      [['qumail_payload.json', '{}']],
    );
  });

  it('keep their order and their names, also long and hostile ones, made safe', async () => {
    const given = [
      'a.txt',
      `${'ल'.repeat(300)}.pdf`,
      'C:\\temp\\x.doc',
      'in"quo;tes\\.txt',
      'evil\u202egpj.exe',
      '...',
      'tab\there.txt',
      "it's 100%.txt",
    ];
    const attachments = given.map((name) => ({ name, mimeType: 'application/pdf', content: Buffer.from(name) }));
    const read = await readMessage(await writePlain({ ...base, attachments }));
    assert.deepEqual(
      read.attachments.map((a) => a.name),
      ['a.txt', `${'ल'.repeat(65)}.pdf`, 'x.doc', 'txt', 'evilgpj.exe', 'attachment-6', 'tabhere.txt', "it's 100%.txt"],
    );
    assert.deepEqual(
      read.attachments.map((a) => a.content.toString()),
      given,
    );
  });
});

/** A second reader, written apart from the first: part contents by their offsets (lab's BODYSTRUCTURE) and Node's base64. */
function leaves(raw: Buffer, part: MimePart = mimeTree(raw)): { type: string; content: Buffer }[] {
  if (part.children.length > 0) return part.children.flatMap((child) => leaves(raw, child));
  const content = raw.subarray(part.body, part.end);
  const encoding = fieldValue(part.fields, 'Content-Transfer-Encoding');
  return [{ type: `${part.type}/${part.subtype}`, content: encoding === 'base64' ? Buffer.from(content.toString(), 'base64') : content }];
}

describe('what is written', () => {
  it('reads the same to another MIME reader', async () => {
    const contents = [0, 1, 1000, 70_001].map((size) => systemRandom.bytes(size));
    const attachments = contents.map((content, i) => ({ name: `${i}.bin`, mimeType: 'application/octet-stream', content }));
    for (const raw of [await writePlain({ ...base, attachments }), await writeInner({ ...base, attachments }, outerHeadersOf(base))]) {
      const parts = leaves(raw);
      assert.deepEqual(
        parts.map((p) => p.type),
        ['TEXT/PLAIN', 'TEXT/HTML', ...contents.map(() => 'APPLICATION/OCTET-STREAM')],
      );
      assert.equal(parts[0]?.content.toString(), base.markdown.replaceAll('\n', '\r\n'));
      for (const [i, content] of contents.entries()) assert.ok(parts[i + 2]?.content.equals(content));
    }
  });

  it('is, for the inner entity of a text, byte for byte the golden file', async () => {
    const message = { ...base, body: 'text' as const, markdown: 'Namaste नमस्ते\n\n* one\n* two' };
    const golden = readFileSync(new URL('../../data/qumail-inner-entity.eml', import.meta.url));
    assert.equal((await writeInner(message, outerHeadersOf(message))).toString(), golden.toString());
  });
});

describe('writeInner', () => {
  it('protects every header field of PROTOCOL 1 and lists what stands outside (RFC 9788)', async () => {
    const inner = await writeInner(base, outerHeadersOf(base));
    const read = await readProtected(inner);
    assert.equal(read.subject, base.subject);
    assert.deepEqual(read.from, alice);
    assert.deepEqual(read.to, [bob]);
    assert.deepEqual(read.cc, [carol]);
    assert.equal(read.messageId, base.messageId);
    assert.deepEqual(read.protection, {
      hp: 'cipher',
      hpOuter: [
        { name: 'From', value: 'alice@example.org' },
        { name: 'To', value: 'bob@example.net, carol@example.com' },
        { name: 'Subject', value: OUTER_SUBJECT },
        { name: 'Date', value: 'Sun, 22 Nov 2026 18:16:05 +0000' },
        { name: 'Message-ID', value: base.messageId },
      ],
    });
    assert.match(inner.toString(), /\r\nContent-Type: multipart\/alternative;\s[^\r]*(?:\r\n\s[^\r]*)?hp="cipher"\r\n/);
  });

  it('lists exactly the fields the container shows, structural fields aside', async () => {
    const many = { ...base, to: Array.from({ length: 40 }, (_, i) => ({ name: `Person ${i}`, address: `person-${i}@example.org` })) };
    const outer = outerHeadersOf(many);
    const container = readHeaderSection(await writeOuter(outer, { json: Buffer.from('{}') })).fields;
    const { protection } = await readProtected(await writeInner(many, outer));
    assert.deepEqual(
      protection.hpOuter,
      container.filter((f) => !/^(?:MIME-Version|Content-)/.test(f.name)),
    );
  });

  it('marks single-part text, too', async () => {
    const inner = await writeInner({ ...base, body: 'text', markdown: 'hi' }, outerHeadersOf(base));
    assert.match(inner.toString(), /\r\nContent-Type: text\/plain; charset=utf-8; hp="cipher"\r\n/);
    assert.equal((await readProtected(inner)).text, 'hi\n');
  });
});

describe('writeOuter', () => {
  const json = Buffer.from('{"qumail":1}');

  it('shows nothing but addresses, date, id and the fixed subject', async () => {
    const raw = await writeOuter(outerHeadersOf(base), { json });
    assertTransportable(raw);
    const text = raw.toString();
    for (const secret of ['Plan', 'Hello', 'Builder', 'rgang', 'parent@', 'root@', 'Cc:']) assert.ok(!text.includes(secret), secret);
    assert.deepEqual(names(raw), ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type']);
    assert.match(text, /\r\nSubject: QuMail Secure Message\r\n/);
  });

  it('carries the payload as PROTOCOL 2 wants it', async () => {
    const bin = systemRandom.bytes(200_001);
    const raw = await writeOuter(outerHeadersOf(base), { json, bin });
    assertTransportable(raw);
    assert.match(raw.toString(), /\r\nContent-Type: application\/octet-stream; name=qumail_payload.json\r\n/);
    assert.match(raw.toString(), /\r\nContent-Disposition: attachment; filename=qumail_payload.bin\r\n/);
    const payloads = await readPayloads(raw);
    assert.ok(payloads?.json.equals(json));
    assert.deepEqual([...(payloads?.parts.keys() ?? [])], ['qumail_payload.bin']);
    assert.ok(payloads?.parts.get('qumail_payload.bin')?.equals(bin));
    assert.equal(hasAttachments(await readMessage(raw)), false);
  });
});

describe('newMessageId', () => {
  it('ends in the sender’s domain, is new every time and always valid', async () => {
    assert.match(newMessageId(systemRandom, 'a@example.org'), /^<[0-9a-f]{32}@example\.org>$/);
    assert.match(newMessageId(systemRandom, 'a@jõgeva.ee'), /^<[0-9a-f]{32}@xn--jgeva-dua\.ee>$/);
    assert.match(newMessageId(systemRandom, 'a@[127.0.0.1]'), /^<[0-9a-f]{32}@localhost>$/);
    assert.notEqual(newMessageId(systemRandom, 'a@b'), newMessageId(systemRandom, 'a@b'));
  });
});
