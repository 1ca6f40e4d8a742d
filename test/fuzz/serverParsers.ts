import { randomBytes } from 'node:crypto';
import { answerError } from '../../src/core/keys/kmeAnswers.ts';
import { decodeContainer, decodeProblem, decodeStatus } from '../../src/core/keys/etsi014.ts';
import { decodePadHeader, encodePadHeader, padHeaderLength, PAD_PREFIX_LENGTH } from '../../src/core/keys/padFile.ts';
import { backupKeys, HEADER_LENGTH, openChunk, readHeader, sealChunk, writeHeader } from '../../src/core/store/backupFormat.ts';
import { entropyOf } from '../../src/core/store/backupPhrase.ts';
import { readRecords, writeRecord } from '../../src/core/store/backupRecords.ts';
import { readAutoconfig } from '../../src/core/transport/autoconfig.ts';
import { texts, type Parser } from './parser.ts';

const MAILBOX = { email: 'bob@example.org', local: 'bob', domain: 'example.org' };
const AUTOCONFIG = `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="example.org"><domain>example.org</domain>
<displayName>A &amp; B</displayName>
<incomingServer type="imap"><hostname>imap.example.org</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILADDRESS%</username><authentication>OAuth2</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.example.org</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></outgoingServer></emailProvider></clientConfig>`;
const STATUS = {
  source_KME_ID: 'A',
  target_KME_ID: 'B',
  master_SAE_ID: 'a',
  slave_SAE_ID: 'b',
  key_size: 256,
  stored_key_count: 5,
  max_key_count: 10,
  max_key_per_request: 5,
  max_key_size: 1024,
  min_key_size: 8,
  max_SAE_ID_count: 0,
};
const CONTAINER = { keys: [{ key_ID: 'bc490419-7d60-487f-adc1-4ddcc177c139', key: 'wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s=' }] };
const JSON_WORDS = ['"keys":', '"Keys":', '"key_ID":1', '"key":"', 'null', '[', ']', '{"message":"not found"}', '<html>', '__proto__'];

/** What key managers and mail hosts answer, and the files that people bring: pads and backups. */
export function serverParsers(): readonly Parser[] {
  const pad = encodePadHeader({ secret: randomBytes(32), from: 'a@b.c', to: 'd@e.f', octets: 64 });
  const keys = backupKeys(Buffer.alloc(32, 7), Buffer.alloc(32, 8));
  const record = writeRecord({ kind: 'contacts', v: 1, account: 'a', data: { address: 'b@c.d' }, blobs: [Buffer.from('octets')] });
  const backup = Buffer.concat([writeHeader(record.length + 16, Buffer.alloc(32, 8), keys), sealChunk(keys, 0, Buffer.from(record))]);
  return [
    {
      name: 'autoconfig',
      samples: texts(AUTOCONFIG),
      words: [
        '<incomingServer type="imap">',
        '<![CDATA[',
        ']]>',
        '<!--',
        '<!DOCTYPE x [<!ENTITY a "b">]>',
        '&a;',
        '&#0;',
        '</',
        '%EMAILDOMAIN%',
      ],
      codes: /^net\./,
      parse: (bytes) => readAutoconfig(bytes, MAILBOX),
    },
    { name: 'etsi status', samples: texts(JSON.stringify(STATUS)), words: JSON_WORDS, codes: /^kme\./, parse: decodeStatus },
    { name: 'etsi keys', samples: texts(JSON.stringify(CONTAINER)), words: JSON_WORDS, codes: /^kme\./, parse: decodeContainer },
    {
      name: 'etsi error',
      samples: texts('{"message":"one or more keys specified are not found on KME","details":[{"a":"b"}]}', '<html>503</html>'),
      words: JSON_WORDS,
      parse: (body) => [decodeProblem(body), answerError('dec_keys', { status: 400 + ((body[0] ?? 0) % 105), body }, 256)],
    },
    {
      name: 'pad file',
      samples: [pad],
      words: ['"octets":', '"pad":"', '"v":1', '__proto__'],
      codes: /^pad\./,
      parse: (bytes) => decodePadHeader(bytes.subarray(PAD_PREFIX_LENGTH, PAD_PREFIX_LENGTH + padHeaderLength(bytes))),
    },
    {
      name: 'backup file',
      samples: [backup],
      words: [],
      codes: /^backup\./,
      parse: (bytes) => {
        readHeader(bytes.subarray(0, HEADER_LENGTH), bytes.length);
        const opened = openChunk(keys, 0, bytes.subarray(HEADER_LENGTH));
        if (!opened.equals(record)) throw new Error('a damaged backup opens');
      },
    },
    { name: 'backup records', samples: [record], words: ['"kind":"mail"', '"blobs":[1e9]', '"v":0'], codes: /^backup\./, parse: records },
    {
      name: 'recovery phrase',
      samples: texts(`${'abandon '.repeat(23)}art`),
      words: ['zoo', ' ', '\u3000', 'abandun'],
      codes: /^backup\.|^engine\.bad-request$/,
      parse: (bytes) => entropyOf(bytes.toString()),
    },
  ];
}

async function records(octets: Buffer): Promise<void> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from(octets.subarray(0, 10));
    yield Buffer.from(octets.subarray(10));
  };
  for await (const { blobs } of readRecords(chunks())) if (blobs.length > 8) throw new Error('more blobs than are allowed');
}
