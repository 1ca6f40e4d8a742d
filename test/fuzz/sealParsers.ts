import { randomBytes } from 'node:crypto';
import { readAutocrypt } from '../../src/core/account/autocrypt.ts';
import { readCopy, writeCopy } from '../../src/core/account/draftCopy.ts';
import { decodeCardQr, decodeVerifyQr, encodeCardQr, encodeVerifyQr } from '../../src/core/account/qrTexts.ts';
import { decodeCard, decodeSignedCard, encodeCard, encodeSignedCard, type ContactCard } from '../../src/core/crypto/contactCard.ts';
import { readPayload } from '../../src/core/crypto/envelope.ts';
import { decodeHeader } from '../../src/core/crypto/header.ts';
import { readIJson } from '../../src/core/crypto/ijson.ts';
import { armorPgp, dearmorPgp } from '../../src/core/crypto/pgpArmor.ts';
import { readPackets } from '../../src/core/crypto/pgpPackets.ts';
import { foreignKey, NOW, pgp } from '../core/crypto/pgpWorld.ts';
import { partsOf, sealFor, type Sealed } from '../core/crypto/sealed.ts';
import { texts, type Parser } from './parser.ts';

const ADDRESS = 'bob@example.org';
const JSON_WORDS = ['{', '}', '[', ']', '""', '{"a":', '[[[[[[[[', ',"a":1,"a":2', '\\u0000', '\\ud800', '1e3', '-0', '1.0', 'null'];
const HEADER_WORDS = [
  '"v":1',
  '"lvl":"L1"',
  '"suite":"QM1-CB256+PQ"',
  '"suite":"QM1-PGP9980"',
  '"crit":["x"]',
  '"w":"',
  '"kp":"',
  '"to":[0]',
  '"bits":',
];
const CARD_WORDS = ['"crit":["x"]', '"v":2', ...JSON_WORDS];
const QR_WORDS = ['qumail-card:', 'qumail-verify:', 'otpauth:', '&a=', '%', '%00', '%zz', '&v=2'];

/** Envelopes, cards, certificates, messages of OpenPGP, and the texts that carry them. */
export async function sealParsers(): Promise<readonly Parser[]> {
  const sealed = [sealFor('L1', Buffer.from('text')), sealFor('L2', Buffer.from('text')), sealFor('L2 wrapped', randomBytes(3000))];
  const own = await pgp.generate({ addresses: [ADDRESS], name: 'Bob', now: NOW });
  const foreign = (await foreignKey({ userIDs: [{ name: 'Bob', email: ADDRESS }] })).certificate;
  const plaintext = Buffer.from('From: bob@example.org\r\n\r\ntext\r\n');
  const { message, sessionKey } = await pgp.seal({
    plaintext,
    certificates: [own.certificate],
    signWith: own.secretKey,
    now: NOW,
    profile: 'pq',
  });
  const signature = await pgp.sign({ data: plaintext, secretKey: own.secretKey, now: NOW, detached: true });
  const card: ContactCard = {
    addr: ADDRESS,
    saeId: 'SAE-B',
    kmeId: 'KME-B',
    fingerprint: own.fingerprint,
    minimumLevel: 'L3',
    suites: ['QM1-PGP9980'],
    issuedAt: NOW,
  };
  const octets = encodeCard(card);
  const verify = { addr: ADDRESS, fingerprint: own.fingerprint, peerAddr: ADDRESS, peerFingerprint: own.fingerprint };
  const limits = { what: 'json', maxBytes: 1_048_576, maxNesting: 6 };
  const refused = /^open\./;
  const certificate = /^cert\./;
  return [
    { name: 'i-json', samples: sealed.map(jsonOf), words: JSON_WORDS, codes: refused, parse: (bytes) => readIJson(bytes, limits) },
    {
      name: 'envelope',
      samples: sealed.map(jsonOf),
      words: ['"part":{', '"tag":"', '"qumail":2', ...JSON_WORDS],
      codes: refused,
      parse: envelope(sealed),
    },
    { name: 'header', samples: sealed.map(headerOf), words: [...HEADER_WORDS, ...JSON_WORDS], codes: refused, parse: decodeHeader },
    { name: 'card', samples: [octets], words: CARD_WORDS, codes: /^card\./, parse: decodeCard },
    { name: 'card file', samples: [encodeSignedCard({ octets, signature })], words: CARD_WORDS, codes: /^card\./, parse: decodeSignedCard },
    { name: 'qr', samples: texts(encodeCardQr(card)), words: QR_WORDS, codes: /^qr\./, parse: (bytes) => decodeCardQr(bytes.toString()) },
    {
      name: 'verify qr',
      samples: texts(encodeVerifyQr(verify)),
      words: QR_WORDS,
      codes: /^qr\./,
      parse: (bytes) => decodeVerifyQr(bytes.toString()),
    },
    {
      name: 'autocrypt',
      samples: texts(`addr=${ADDRESS}; prefer-encrypt=mutual; keydata=${foreign.toString('base64')}`),
      words: ['addr=', 'keydata=', ';', '_x=', 'prefer-encrypt=', '\r\n '],
      parse: (bytes) => readAutocrypt(bytes.toString('latin1')),
    },
    {
      name: 'certificate',
      samples: [own.certificate, foreign],
      words: [],
      codes: certificate,
      parse: (bytes) => pgp.inspect(bytes, { now: NOW, address: ADDRESS }),
    },
    {
      name: 'openpgp',
      samples: [message],
      words: [],
      codes: refused,
      parse: (bytes) => pgp.open({ message: bytes, secretKeys: [], sessionKey, verifyWith: [own.certificate], now: NOW }),
    },
    {
      name: 'signature',
      samples: [signature],
      words: [],
      codes: refused,
      // One that holds still may: packets beside it, and its unsigned part, are nobody's word. Flips are tried in test/faults.
      parse: (bytes) => pgp.verify({ data: plaintext, signature: bytes, verifyWith: [own.certificate], now: NOW }),
    },
    {
      name: 'packets',
      samples: [message, own.certificate, foreign],
      words: [],
      codes: /^open\.|^cert\./,
      parse: (bytes) => readPackets(bytes, 256),
    },
    {
      name: 'armor',
      samples: texts(armorPgp('message', message), armorPgp('certificate', foreign)),
      words: ['-----BEGIN PGP MESSAGE-----', '-----END PGP', '\n=', '\n\n'],
      codes: /^(?:open|cert)\./,
      parse: (bytes) => dearmorPgp(bytes.toString('latin1')),
    },
    {
      name: 'draft copy',
      samples: [
        writeCopy({
          v: 1,
          name: 'a'.repeat(36),
          revision: 'b'.repeat(36),
          ancestors: ['c'.repeat(36)],
          updatedAt: 1,
          content: { text: 'x', inReplyTo: '', references: [] },
        }),
      ],
      words: JSON_WORDS,
      parse: readCopy,
    },
  ];
}

function jsonOf({ payload }: Sealed): Buffer {
  return payload.json;
}

function headerOf({ payload }: Sealed): Buffer {
  const { protected: header } = JSON.parse(payload.json.toString()) as { protected: string };
  return Buffer.from(header, 'base64url');
}

function envelope(sealed: readonly Sealed[]): (octets: Buffer) => unknown {
  const parts = partsOf(sealed[2]!.payload);
  return (octets) => readPayload(octets, parts);
}
