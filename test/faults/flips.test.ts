import assert from 'node:assert/strict';
import { QuMailError } from '../../src/core/base/errors.ts';
import { systemRandom } from '../../src/core/base/systemPorts.ts';
import type { SealKey } from '../../src/core/crypto/cipherManager.ts';
import { readPayload, writePayload, type Payload } from '../../src/core/crypto/envelope.ts';
import { paddedLength } from '../../src/core/crypto/padding.ts';
import { readPackets } from '../../src/core/crypto/pgpPackets.ts';
import { makeShare, openPostQuantum, openShare, sealPostQuantum } from '../../src/core/crypto/postQuantum.ts';
import { readHeaderSection } from '../../src/core/mail/headerSection.ts';
import { requireControlDigest, writeSignedInner } from '../../src/core/mail/signedInner.ts';
import { outerHeadersOf } from '../../src/core/mail/writeMime.ts';
import { certificateOf, NOW, pgp } from '../core/crypto/pgpWorld.ts';
import { ALICE, BOB, cipher, KeyNotFound, openAs, partsOf, sealFor, TS } from '../core/crypto/sealed.ts';

const LONG = process.env['QUMAIL_FAULTS'] === 'long';
/** Flips of each kind: a sample here; in the long form every octet of a small message and 10,000 random ones of a large one. */
const SAMPLE = 40;
const LONG_SAMPLE = 10_000;

/** A sealed message, and how its reader opens whatever came of it. */
interface Subject {
  readonly payload: Payload;
  readonly plaintext: Buffer;
  open(payload: Payload): Promise<Buffer> | Buffer;
  /** The body with two of its parts in another order. */
  reorder(body: Buffer): Buffer;
}

const CHUNK = 16_400;

function swapped(body: Buffer, a: number, b: number, length: number): Buffer {
  const out = Buffer.from(body);
  body.copy(out, a, b, b + length);
  body.copy(out, b, a, a + length);
  return out;
}

/** Two chunks of Cobblestone-256 change places; two blocks where there is but one chunk. */
function swapChunks(body: Buffer): Buffer {
  return body.length > 56 + 2 * CHUNK ? swapped(body, 56, 56 + CHUNK, CHUNK) : swapped(body, 56, 72, 16);
}

function withKeys(how: 'L1' | 'L2' | 'L2 wrapped', size: number): Subject {
  const { payload, keys, plaintext } = sealFor(how, systemRandom.bytes(size));
  return {
    payload,
    plaintext,
    open: (altered) => openAs(0, altered, keys),
    reorder: how === 'L1' ? (body) => swapped(body, 16, 48, 16) : swapChunks,
  };
}

async function withShare(size: number): Promise<Subject> {
  const bob = await certificateOf('bob');
  const share = await makeShare(pgp, systemRandom, { certificates: [bob.certificate], now: NOW });
  const keys: SealKey[] = [{ keyIds: ['key-1'], bytes: systemRandom.bytes(32), how: 'direct' }];
  const plaintext = systemRandom.bytes(size);
  const base = { level: 'L2' as const, id: systemRandom.bytes(16), ts: TS, from: ALICE, to: [BOB] };
  const { header, ...payload } = cipher.seal({ ...base, plaintext, keys, pqShare: share });
  const known = new Map([[header.pq!.toString('hex'), share.octets]]);
  return {
    payload,
    plaintext,
    reorder: swapChunks,
    async open(altered) {
      const read = readPayload(altered.json, partsOf(altered));
      const { entry } = cipher.entryFor(read.header, 0);
      if (entry.keyIds.join() !== 'key-1') throw new KeyNotFound();
      const pq = read.header.pq;
      // A share that was not touched need not be decrypted again for a flip elsewhere.
      const pqShare = pq && (known.get(pq.toString('hex')) ?? (await openShare(pgp, pq, { secretKeys: [bob.secretKey], now: NOW })));
      return cipher.open({ ...read, selfIndex: 0, keyBytes: keys[0]!.bytes, ...(pqShare && { pqShare }) });
    },
  };
}

async function postQuantum(size: number): Promise<Subject> {
  const [alice, bob] = [await certificateOf('alice'), await certificateOf('bob')];
  const message = {
    from: { name: 'Alice', address: ALICE.addr },
    to: [{ name: 'Bob', address: BOB.addr }],
    cc: [],
    subject: 'figures',
    date: new Date(NOW),
    messageId: '<1@example.org>',
    references: [],
    markdown: 'all of it',
    body: 'text' as const,
    attachments: [{ name: 'figures.bin', mimeType: 'application/octet-stream', content: systemRandom.bytes(size) }],
  };
  const inner = await writeSignedInner(message, outerHeadersOf(message), paddedLength);
  let plaintext = Buffer.alloc(0);
  const sealed = await sealPostQuantum(pgp, {
    id: systemRandom.bytes(16),
    ts: TS,
    from: { addr: ALICE.addr },
    to: [{ addr: BOB.addr }],
    length: inner.length,
    entity: (aad) => [(plaintext = Buffer.concat(inner.pieces(aad)))],
    certificates: [bob.certificate, alice.certificate],
    signWith: alice.secretKey,
    now: NOW,
  });
  const { body } = sealed;
  const data = readPackets(body, 10)[2]!.body.byteOffset - body.byteOffset;
  return {
    payload: { json: sealed.json, ...(sealed.bin && { bin: sealed.bin }) },
    plaintext,
    reorder: (whole) => swapped(whole, data + 40, data + 56, 16),
    async open(altered) {
      const read = readPayload(altered.json, partsOf(altered));
      const opened = await openPostQuantum(pgp, read, { secretKeys: [bob.secretKey], verifyWith: [alice.certificate], now: NOW });
      requireControlDigest(readHeaderSection(opened.plaintext).fields, read.aad);
      return opened.plaintext;
    },
  };
}

const SUBJECTS: Readonly<Record<string, (size: number) => Subject | Promise<Subject>>> = {
  L1: (size) => withKeys('L1', Math.min(size, 65_000)),
  L2: (size) => withKeys('L2', size),
  'L2 wrapped': (size) => withKeys('L2 wrapped', size),
  'L2 with a post-quantum share': withShare,
  L3: postQuantum,
};

/** Every position, or `SAMPLE` spread over them at random. */
function positions(length: number): number[] {
  const wanted = LONG ? LONG_SAMPLE : SAMPLE;
  if (length <= wanted) return [...Array(length).keys()];
  return Array.from({ length: wanted }, () => Math.floor(systemRandom.fraction() * length));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes);
  out[at] = out[at]! ^ (1 << Math.floor(systemRandom.fraction() * 8));
  return out;
}

/** Refused by an `open.*` name; or the key manager knows no such key. */
async function refused(subject: Subject, altered: Payload, what: string): Promise<void> {
  await assert.rejects(
    async () => subject.open(altered),
    (error) => error instanceof KeyNotFound || (QuMailError.is(error) && error.code.startsWith('open.')),
    what,
  );
}

for (const [name, make] of Object.entries(SUBJECTS)) {
  describe(`Flipped octets at ${name}`, function () {
    this.timeout(LONG ? 3_600_000 : 60_000);

    for (const [size, text] of [
      [300, 'a small message'],
      [120_000, 'a large message'],
    ] as const) {
      it(`are always refused in header, body, part and their order: ${text}`, async () => {
        const subject = await make(size);
        assert.ok(subject.plaintext.equals(await subject.open(subject.payload)));
        const { json, bin } = subject.payload;
        const counts = { json: 0, part: 0, body: 0, header: 0, order: 0 };
        for (const at of positions(json.length)) {
          const altered = { ...subject.payload, json: flipped(json, at) };
          await refused(subject, altered, `json octet ${at}`);
          counts.json++;
        }
        const { protectedHeader, body, tag } = readPayload(json, partsOf(subject.payload));
        if (bin) {
          for (const at of positions(bin.length)) {
            await refused(subject, { json, bin: flipped(bin, at) }, `part octet ${at}`);
            counts.part++;
          }
        }
        // With the part's hash made to fit, the body itself has to notice.
        for (const at of positions(body.length)) {
          // At L3 that includes the session keys of others, which OpenPGP does not authenticate and the tag does.
          await refused(subject, writePayload(protectedHeader, flipped(body, at), tag), `body octet ${at}`);
          counts.body++;
        }
        const header = Buffer.from(protectedHeader, 'base64url');
        for (const at of positions(header.length)) {
          await refused(subject, writePayload(flipped(header, at).toString('base64url'), body, tag), `header octet ${at}`);
          counts.header++;
        }
        await refused(subject, writePayload(protectedHeader, subject.reorder(body), tag), 'order');
        const members = JSON.parse(header.toString()) as Record<string, unknown>;
        const turned = JSON.stringify(Object.fromEntries(Object.entries(members).toReversed()));
        await refused(subject, writePayload(Buffer.from(turned).toString('base64url'), body, tag), 'order of members');
        counts.order += 2;
        console.log(`      ${JSON.stringify(counts)}`);
      });
    }
  });
}
