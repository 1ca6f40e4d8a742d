import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hasAttachments, readMessage, readPayloads, readProtected } from '../../../src/core/mail/readMime.ts';
import type { ReadMessage } from '../../../src/core/mail/readMime.ts';

const sample = (name: string): Buffer => readFileSync(new URL(`../../data/${name}.eml`, import.meta.url));
const read = (name: string): Promise<ReadMessage> => readMessage(sample(name));
const people = (list: readonly { name: string; address: string }[]): string[] => list.map((a) => `${a.name}|${a.address}`);

describe('readMessage on the messages of RFC 5322 appendix A', () => {
  it('A.1.1: a simple message', async () => {
    const m = await read('rfc5322-a1.1-simple');
    assert.deepEqual(m.from, { name: 'John Doe', address: 'jdoe@machine.example' });
    assert.deepEqual(people(m.to), ['Mary Smith|mary@example.net']);
    assert.equal(m.subject, 'Saying Hello');
    assert.equal(m.date, Date.UTC(1997, 10, 21, 15, 55, 6));
    assert.equal(m.messageId, '<1234@local.machine.example>');
    assert.equal(m.text, 'This is a message just to say hello.\nSo, "Hello".\n');
    assert.equal(m.html, undefined);
    assert.equal(hasAttachments(m), false);
  });

  it('A.1.2: different types of mailboxes', async () => {
    const m = await read('rfc5322-a1.2-mailbox-types');
    assert.deepEqual(people([m.from]), ['Joe Q. Public|john.q.public@example.com']);
    assert.deepEqual(people(m.to), ['Mary Smith|mary@x.test', '|jdoe@example.org', 'Who?|one@y.test']);
    assert.deepEqual(people(m.cc), ['|boss@nil.test', 'Giant; "Big" Box|sysservices@example.net']);
  });

  it('A.1.3: groups', async () => {
    const m = await read('rfc5322-a1.3-groups');
    assert.deepEqual(people(m.to), ['Ed Jones|c@a.test', '|joe@where.test', 'John|jdoe@one.test']);
    assert.deepEqual(m.cc, []);
  });

  it('A.2: replies', async () => {
    const m = await read('rfc5322-a2-reply');
    assert.deepEqual(people(m.replyTo), ['Mary Smith: Personal Account|smith@home.example']);
    assert.equal(m.inReplyTo, '<1234@local.machine.example>');
    assert.deepEqual(m.references, ['<1234@local.machine.example>']);
  });

  it('A.5: white space, comments, and other oddities', async () => {
    const m = await read('rfc5322-a5-comments');
    assert.deepEqual(people([m.from]), ['Pete|pete@silly.test']);
    assert.deepEqual(people(m.to), ['Chris Jones|c@public.example', '|joe@example.org', 'John|jdoe@one.test']);
    assert.deepEqual(m.cc, []);
    assert.equal(m.messageId, '<testabcd.1234@silly.test>');
  });

  it('A.6.1: obsolete addressing', async () => {
    assert.deepEqual(people((await read('rfc5322-a6.1-obsolete-addressing')).to), ['Mary Smith|mary@example.net', '|jdoe@test.example']);
  });

  it('A.6.2: obsolete dates', async () => {
    assert.equal((await read('rfc5322-a6.2-obsolete-dates')).date, Date.UTC(1997, 10, 21, 9, 55, 6));
  });

  it('A.6.3: obsolete white space and comments', async () => {
    const m = await read('rfc5322-a6.3-obsolete-whitespace');
    assert.deepEqual(people([m.from]), ['John Doe|jdoe@machine.example']);
    assert.deepEqual(people(m.to), ['Mary Smith|mary@example.net']);
    assert.equal(m.date, Date.UTC(1997, 10, 21, 15, 55, 6));
    assert.equal(m.subject, 'Saying Hello');
  });
});

describe('readMessage on encodings', () => {
  it('decodes the encoded words of RFC 2047 section 8', async () => {
    const m = await read('rfc2047-section8-encoded-words');
    assert.equal(m.subject, 'If you can read this you understand the example.');
    assert.deepEqual(people([m.from, ...m.to, ...m.cc]), [
      'Keith Moore|moore@cs.utk.edu',
      'Keld Jørn Simonsen|keld@dkuug.dk',
      'André Pirard|PIRARD@vm1.ulg.ac.be',
    ]);
  });

  for (const [encoded, text] of [
    ['(=?ISO-8859-1?Q?a?=)', '(a)'],
    ['=?ISO-8859-1?Q?a?= b', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a_b?=', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=', 'a b'],
  ] as const) {
    it(`shows ${JSON.stringify(encoded)} as ${JSON.stringify(text)} (RFC 2047 section 8)`, async () => {
      assert.equal((await readMessage(Buffer.from(`Subject: ${encoded}\r\n\r\n`))).subject, text);
    });
  }

  it('lets no encoded word smuggle syntax into an address list', async () => {
    const m = await readMessage(Buffer.from('From: =?utf-8?Q?Bank_=3Cboss=40bank.example=3E=2C?= <eve@example.org>\r\n\r\n'));
    assert.equal(m.from.address, 'eve@example.org');
    const bare = await readMessage(Buffer.from('From: =?utf-8?Q?boss=40bank.example?=\r\n\r\n'));
    assert.equal(bare.from.address, '');
  });

  it('reads raw 8-bit headers as UTF-8 or Windows-1252', async () => {
    const m = await read('latin1-bytes-in-headers');
    assert.equal(m.subject, 'Grüße aus München');
    assert.equal(m.from.name, 'Jürgen Groß');
    assert.equal(m.text, 'Schöne Grüße\n');
    assert.equal((await read('utf8-body-labelled-us-ascii')).subject, 'raw UTF-8 Zażółć');
  });

  it('trusts the bytes more than a charset that cannot be', async () => {
    assert.equal((await read('utf8-body-labelled-us-ascii')).text, 'Zażółć gęślą jaźń\n');
    assert.equal((await read('unknown-charset')).text, 'café\n');
    assert.equal((await read('koi8-r-base64')).text, 'Привет, мир');
  });

  it('makes NULs and other controls visible, and never part of a name or subject', async () => {
    const m = await read('nul-bytes');
    assert.equal(m.text, 'one\ufffdtwo\n');
    assert.doesNotMatch(m.subject + m.from.name + m.from.address, /\0/);
    assert.equal(m.from.address, '');
  });

  it('makes text of HTML where there is no other, and leaves the HTML as it came', async () => {
    const m = await read('html-with-inline-image-and-pdf-in-related');
    assert.match(m.html ?? '', /<img src="cid:pic@x">/);
    assert.equal(m.text, 'Offer\n\nLook:');
  });
});

describe('readMessage on attachments', () => {
  it('reads names in RFC 2231, RFC 2047 and no form at all, and takes paths off them', async () => {
    const m = await read('rfc2231-file-names');
    assert.deepEqual(
      m.attachments.map((a) => a.name),
      ['हिन्दी.txt', 'लेख.txt', 'passwd', 'attachment-4.png'],
    );
    assert.deepEqual(
      m.attachments.map((a) => a.content.toString('hex')),
      ['010203', '040506', '070809', '0a'],
    );
  });

  it('tells pictures in the text from files beside it', async () => {
    const m = await read('html-with-inline-image-and-pdf-in-related');
    assert.deepEqual(
      m.attachments.map((a) => [a.name, a.inline, a.contentId]),
      [
        ['pic.png', true, 'pic@x'],
        ['terms.pdf', false, 'terms@x'],
      ],
    );
    assert.ok(hasAttachments(m));
    assert.equal(hasAttachments({ ...m, attachments: m.attachments.slice(0, 1) }), false);
  });

  it('hands out calendar files exactly as they were attached', async () => {
    const m = await read('calendar-invitation');
    assert.equal(m.attachments[0]?.content.toString(), 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n\r\n\r\n');
  });

  it('keeps an attached message a file, and does not take its payload for its own', async () => {
    const raw = sample('sealed-message-forwarded-as-attachment');
    const m = await readMessage(raw);
    assert.equal(m.text, 'I cannot read this, can you?\n');
    assert.deepEqual(
      m.attachments.map((a) => [a.name, a.mimeType]),
      [['attachment-1.eml', 'message/rfc822']],
    );
    assert.equal(await readPayloads(raw), undefined);
    assert.ok(await readPayloads(m.attachments[0]?.content ?? Buffer.alloc(0)));
  });

  it('shows what there is of a message that was cut or lost its boundary', async () => {
    const cut = await read('multipart-never-closed');
    assert.equal(cut.text, 'the text is here\n');
    assert.equal(cut.attachments[0]?.content.toString('hex'), '00010203040506070809');
    assert.match((await read('boundary-missing')).text, /lost\?/);
  });
});

describe('readPayloads', () => {
  it('finds the payload below what a mailing list wrapped around it', async () => {
    const payloads = await readPayloads(sample('sealed-under-list-footer'));
    assert.equal(payloads?.json.toString(), '{"qumail":1}');
    assert.deepEqual(
      [...(payloads?.parts ?? [])].map(([n, b]) => [n, b.toString('hex')]),
      [['qumail_payload.bin', '000102']],
    );
    assert.deepEqual((await read('sealed-under-list-footer')).attachments, []);
  });

  it('says undefined for ordinary mail, also when it speaks of payloads', async () => {
    assert.equal(await readPayloads(sample('rfc5322-a1.1-simple')), undefined);
    assert.equal(await readPayloads(Buffer.from('Subject: x\r\n\r\nsee qumail_payload.json\r\n')), undefined);
    assert.equal((await readPayloads(sample('sealed-under-list-footer').subarray(0, 1500))) === undefined, false);
  });

  it('refuses two payloads, whatever they are labelled', async () => {
    await assert.rejects(readPayloads(sample('two-payloads')), { code: 'open.two-payloads' });
    const twice = sample('sealed-under-list-footer').toString().replaceAll('qumail_payload.json', 'qumail_payload.bin');
    await assert.rejects(readPayloads(Buffer.from(twice)), { code: 'open.two-payloads' });
  });

  it('refuses more than 1 MiB of JSON', async () => {
    const big = sample('sealed-under-list-footer')
      .toString()
      .replace('eyJxdW1haWwiOjF9', `${'QUFB'.repeat(19)}\r\n`.repeat(18_500));
    await assert.rejects(readPayloads(Buffer.from(big)), { code: 'open.limit', details: { what: 'payload', limit: 1_048_576 } });
  });
});

describe('readProtected', () => {
  it('reads the payload of RFC 9788 appendix C.3.1.2', async () => {
    const m = await readProtected(sample('rfc9788-c3.1.2-payload'));
    assert.equal(m.subject, 'smime-signed-enc-hp-baseline');
    assert.deepEqual(people([m.from, ...m.to]), ['Alice|alice@smime.example', 'Bob|bob@smime.example']);
    assert.equal(m.protection.hp, 'cipher');
    assert.deepEqual(m.protection.hpOuter, [
      { name: 'Subject', value: '[...]' },
      { name: 'Message-ID', value: '<smime-signed-enc-hp-baseline@example>' },
      { name: 'From', value: 'Alice <alice@smime.example>' },
      { name: 'To', value: 'Bob <bob@smime.example>' },
      { name: 'Date', value: 'Sat, 20 Feb 2021 10:09:02 -0500' },
      { name: 'User-Agent', value: 'Sample MUA Version 1.0' },
    ]);
  });

  it('reads a folded hp parameter (RFC 9788 appendix E.1)', async () => {
    assert.equal((await readProtected(sample('rfc9788-e1-folded-hp-parameter'))).subject, 'Dinner plans');
  });

  for (const [what, from, to] of [
    ['hp="clear"', 'hp="cipher"', 'hp="clear"'],
    ['no hp at all', '; hp="cipher"', ''],
    ['hp in another parameter’s value', '; hp="cipher"', '; name="x; hp=cipher"'],
    ['two Subject fields', 'Subject: smime', 'Subject: other\r\nSubject: smime'],
    ['two From fields', 'From: Alice', 'From: Eve <eve@x.example>\r\nFrom: Alice'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const text = sample('rfc9788-c3.1.2-payload').toString();
      assert.ok(text.includes(from));
      await assert.rejects(readProtected(Buffer.from(text.replace(from, to))), { code: 'open.malformed' });
    });
  }
});
