import { globSync, readFileSync } from 'node:fs';
import { decodeChatPart, encodeChatPart, type ChatPart } from '../../src/core/chat/chatPart.ts';
import { decodeGroupEvent, groupIdOf } from '../../src/core/chat/groupEvent.ts';
import { groupState } from '../../src/core/chat/group.ts';
import { parseAddressList } from '../../src/core/mail/address.ts';
import { completeQuery } from '../../src/core/mail/completeQuery.ts';
import { parseDraft } from '../../src/core/mail/draft.ts';
import { mimeLeaves } from '../../src/core/mail/mimeLeaves.ts';
import { readMbox, writeMbox } from '../../src/core/mail/mbox.ts';
import { parseQuery } from '../../src/core/mail/parseQuery.ts';
import { readPgpEncrypted, readPgpSigned } from '../../src/core/mail/pgpMime.ts';
import { writePgpMime } from '../../src/core/mail/pgpMimeWriting.ts';
import { readMessage, readPayloads, readProtected } from '../../src/core/mail/readMime.ts';
import { gmailQuery, namedFolders, serverCriteria } from '../../src/core/mail/serverQuery.ts';
import { summaryOfSource } from '../../src/core/mail/sourceSummary.ts';
import { unsubscribeOffer } from '../../src/core/mail/unsubscribe.ts';
import { writeInner, writeOuter } from '../../src/core/mail/writeMime.ts';
import { beginGroup } from '../core/chat/groupWorld.ts';
import { sealFor } from '../core/crypto/sealed.ts';
import { texts, type Parser } from './parser.ts';

const SELF = { name: 'Bob', address: 'bob@example.org' };
const OUTER = { from: SELF, to: [SELF], date: new Date(0), messageId: '<1@example.org>' };
const MIME_WORDS = [
  'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n',
  '--a--\r\n',
  'Content-Type: message/rfc822\r\n\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  'charset=utf-7',
  '=?utf-8?B?',
  '?=',
  '\r\n\r\n',
  "filename*0*=utf-8''%",
  'qumail_payload.json',
  'hp="cipher"',
  'List-Unsubscribe: <https://',
];
const SAID = 'qumail inner entity';

/** Everything that mail, its search and its chats are read by. */
export async function mailParsers(): Promise<readonly Parser[]> {
  const data = globSync('test/data/*.eml')
    .toSorted()
    .map((path) => readFileSync(path));
  const inner = await writeInner(
    {
      from: SELF,
      to: [SELF],
      cc: [],
      subject: SAID,
      date: new Date(0),
      messageId: OUTER.messageId,
      references: [],
      markdown: 'text',
      body: 'text+html',
      attachments: [],
    },
    OUTER,
  );
  const small = sealFor('L1', Buffer.alloc(10)).payload;
  const containers = [await writeOuter(OUTER, small), await writeOuter(OUTER, { json: small.json, bin: Buffer.alloc(600) })];
  const pgpMime = writePgpMime(OUTER, '-----BEGIN PGP MESSAGE-----\r\n\r\nAAAA\r\n-----END PGP MESSAGE-----\r\n', 'b');
  const signed = Buffer.from(
    'Content-Type: multipart/signed; boundary=s; protocol="application/pgp-signature"; micalg=pgp-sha512\r\n\r\n--s\r\n\r\ntext\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nxx\r\n--s--\r\n',
  );
  const refused = /^(?:open|mail|message)\./;
  return [
    { name: 'message', samples: data, words: MIME_WORDS, codes: refused, parse: message },
    { name: 'payload mime', samples: containers, words: MIME_WORDS, codes: refused, parse: readPayloads },
    { name: 'protected mime', samples: [inner], words: MIME_WORDS, codes: refused, parse: readProtected },
    {
      name: 'pgp/mime',
      samples: [pgpMime, signed],
      words: ['application/pgp-encrypted', 'multipart/signed', ...MIME_WORDS],
      codes: refused,
      parse: pgp,
    },
    {
      name: 'mbox',
      samples: [
        Buffer.concat(data.filter(({ length }) => length < 700).flatMap((raw) => [...writeMbox(raw, { date: 0, flags: ['seen'] })])),
      ],
      words: ['\n\nFrom ', '>From ', 'From x Thu Jan  1 00:00:00 1970\n', 'Status: RO\n'],
      parse: mbox,
    },
    {
      name: 'query',
      samples: texts('from:bob "two words" -is:unread (subject:x OR level:L2) before:2024-01-01 larger:1M pre*'),
      words: ['(', ')', 'OR', '-', '"', 'from:', 'has:attachment', 'before:', 'larger:', 'in:"', 'tag:', '*', 'after:7d'],
      codes: /^search\.server-cannot$/,
      parse: query,
    },
    {
      name: 'addresses',
      samples: texts('Bob <bob@example.org>, "Al, ice" <a@b.c>; group: x@y.z;, =?utf-8?B?w6k=?= <e@f.g>, q@[127.0.0.1] (note)'),
      words: ['<', '>', '"', '@', ',', ':', ';', '(', ')', 'xn--'],
      parse: (bytes) => parseAddressList(bytes.toString()),
    },
    {
      name: 'draft',
      samples: texts('From: a@b.c\nTo: Bob <bob@example.org>\nCc: \nSubject: x\nSecurity: L2\nAttach: ~/x\n\nHello **you**\n'),
      words: ['Security: PGP\n', 'Attach: /', 'To: ', '\n\n', 'Bcc: '],
      parse: (bytes) => parseDraft(bytes.toString()),
    },
    ...chatParsers(),
  ];
}

function chatParsers(): readonly Parser[] {
  const [alice] = beginGroup(3).copies;
  const events = [...alice!.events.values()];
  const id = (n: number): string => `<Chat.${'A'.repeat(21)}${n}@example.org>`;
  const hash = 'A'.repeat(43);
  const part: ChatPart = {
    group: alice!.groupId,
    messageId: id(1),
    author: SELF.address,
    key: 'A'.repeat(64),
    at: 5,
    text: 'hello',
    files: [],
    act: { kind: 'message' },
    heads: [hash],
    state: hash,
    events: events.map(({ encoded }) => ({ encoded, signature: 'abc' })),
    timer: 0,
  };
  return [
    {
      name: 'group event',
      samples: events.map(({ encoded }) => Buffer.from(encoded)),
      words: ['"parents":[]', '"kind":"add"', '"kind":"remove"', '"admin":true', '__proto__', '\\u0000'],
      parse: (bytes) => {
        const event = decodeGroupEvent(bytes.toString());
        if (!event) return undefined;
        // One event has one spelling, and whatever is taken in can be looked at.
        if (event.encoded !== bytes.toString()) throw new Error('two spellings of one event');
        return groupState(groupIdOf(event), new Map([[event.id, event]]));
      },
    },
    {
      name: 'chat part',
      samples: [encodeChatPart(part)],
      words: ['"kind":"edit"', '"kind":"reaction"', '"emoji":"', '"events":[', '__proto__', '"v":2'],
      parse: decodeChatPart,
    },
  ];
}

async function message(octets: Buffer): Promise<unknown> {
  const read = await readMessage(octets);
  mimeLeaves(octets);
  summaryOfSource(octets);
  return unsubscribeOffer(read.headers);
}

async function pgp(octets: Buffer): Promise<void> {
  readPgpSigned(octets);
  await readPgpEncrypted(octets);
}

async function mbox(octets: Buffer): Promise<void> {
  // Chunks of lengths that the input itself chooses.
  const step = octets.length < 200 ? 1 : 100 + ((octets.at(-1) ?? 0) % 7) * 100;
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < octets.length; at += step) yield octets.subarray(at, at + step);
  };
  let total = 0;
  for await (const item of readMbox(chunks(), { maxMessage: 100_000 })) total += item.kind === 'message' ? item.raw.length : item.octets;
  if (total > octets.length) throw new Error('more came out than went in');
}

function query(octets: Buffer): void {
  const text = octets.toString();
  const { node } = parseQuery(text);
  const sources = { folders: () => ['INBOX'], accounts: () => ['a@b.c'], people: () => [SELF], tags: () => ['x'] };
  completeQuery(text, text.length >> 1, sources);
  if (!node) return;
  namedFolders(node);
  try {
    gmailQuery(node, 0);
  } finally {
    serverCriteria(node, 0);
  }
}
