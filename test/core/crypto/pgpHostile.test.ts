import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { loadPgpLibrary } from '../../../src/core/crypto/pgpLibrary.ts';
import { readPackets } from '../../../src/core/crypto/pgpPackets.ts';
import { certificateOf, NOW, pgp } from './pgpWorld.ts';

/** Nothing foreign may come out as anything but a named refusal. */
async function refused(run: Promise<unknown>, prefix: string): Promise<boolean> {
  try {
    await run;
    return false;
  } catch (error) {
    if (QuMailError.is(error) && error.code.startsWith(prefix)) return true;
    throw error;
  }
}

/** Octets that begin like OpenPGP often enough to get somewhere. */
const packets = fc
  .array(
    fc.tuple(fc.constantFrom(1, 2, 3, 4, 6, 8, 11, 13, 14, 18, 21, 60), fc.uint8Array({ maxLength: 80 }), fc.constantFrom(1, 2, 3, 4, 6)),
    { maxLength: 6 },
  )
  .map((list) =>
    Buffer.concat(list.map(([tag, body, version]) => Buffer.concat([Buffer.of(0xc0 | tag, body.length + 1, version), Buffer.from(body)]))),
  );
const octets = fc.oneof(
  packets,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

describe('Hostile OpenPGP', function () {
  this.timeout(20_000);

  it('is refused by name where a signature is of no known type, which the library reads without a word', async () => {
    const bob = await certificateOf('bob');
    const data = Buffer.from('x');
    const signature = await pgp.sign({ data, secretKey: bob.secretKey, now: NOW, detached: true });
    // New packet format, length in two or five octets, then version and type.
    const type = (signature[1]! < 192 ? 2 : signature[1]! < 224 ? 3 : 6) + 1;
    assert.equal(signature[type - 1], 6);
    const refusedTypes: number[] = [];
    for (let each = 0; each < 256; each += 1) {
      const changed = Buffer.from(signature);
      changed[type] = each;
      try {
        const { state } = await pgp.verify({ data, signature: changed, verifyWith: [bob.certificate], now: NOW });
        assert.equal(state === 'valid', each === signature[type], `type ${each}`);
      } catch (error) {
        assert.ok(QuMailError.is(error, 'open.malformed'), `type ${each}: ${String(error)}`);
        refusedTypes.push(each);
      }
    }
    assert.ok(refusedTypes.includes(0x7f));
  });

  it('is refused by name, whatever the octets: messages, certificates, signatures, session keys', async () => {
    const bob = await certificateOf('bob');
    const sessionKey = Buffer.concat([Buffer.of(9), Buffer.alloc(32)]);
    await fc.assert(
      fc.asyncProperty(octets, async (bytes) => {
        assert.ok(await refused(pgp.open({ message: bytes, secretKeys: [bob.secretKey], verifyWith: [], now: NOW }), 'open.'));
        assert.ok(await refused(pgp.open({ message: bytes, secretKeys: [], sessionKey, verifyWith: [], now: NOW }), 'open.'));
        assert.ok(await refused(pgp.inspect(bytes, { now: NOW }), 'cert.'));
        assert.ok(await refused(pgp.rotateSubkey({ secretKey: bytes, now: NOW, dropBefore: 0 }), 'cert.'));
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(octets, async (signature) => {
        try {
          const { state } = await pgp.verify({ data: Buffer.from('x'), signature, verifyWith: [bob.certificate], now: NOW });
          assert.notEqual(state, 'valid');
        } catch (error) {
          assert.ok(QuMailError.is(error) && error.code.startsWith('open.'), String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('armor of any text is read or refused, in time that grows with its length', async () => {
    const part = fc.constantFrom(
      '-----BEGIN PGP MESSAGE-----',
      '-----END PGP MESSAGE-----',
      '\n',
      '\r\n',
      'Version: 1',
      '=abcd',
      'AAAA',
      ' ',
      '-',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(part, fc.string({ maxLength: 12 })), { maxLength: 30 }), async (parts) => {
        await pgp.dearmor(parts.join('')).catch((error: unknown) => assert.ok(QuMailError.is(error) && error.code.startsWith('open.')));
      }),
      { numRuns: 2000 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        assert.deepEqual(new Uint8Array((await pgp.dearmor(await pgp.armor('message', bytes))).bytes), bytes);
      }),
    );
    const started = Date.now();
    for (const text of [
      '-----BEGIN PGP '.repeat(100_000),
      `-----BEGIN PGP MESSAGE-----\n${'='.repeat(2_000_000)}`,
      '\n'.repeat(3_000_000),
    ]) {
      assert.ok(await refused(pgp.dearmor(text), 'open.'));
    }
    assert.ok(Date.now() - started < 3000, `${Date.now() - started} ms`);
  });

  it('a message that unpacks to more than 64 MiB is refused', async () => {
    const library = await loadPgpLibrary();
    const bob = await certificateOf('bob');
    const bomb = Buffer.from(
      await library.encrypt({
        message: await library.createMessage({ binary: new Uint8Array(70 << 20) }),
        encryptionKeys: await library.readKey({ binaryKey: Uint8Array.from(bob.certificate) }),
        date: new Date(NOW),
        format: 'binary',
        config: { preferredCompressionAlgorithm: library.enums.compression.zlib },
      }),
    );
    assert.ok(bomb.length < 1 << 20);
    await assert.rejects(pgp.open({ message: bomb, secretKeys: [bob.secretKey], verifyWith: [], now: NOW }), { code: 'open.tampered' });
  });

  it('a message with session keys for thousands is refused before any is tried', async () => {
    const bob = await certificateOf('bob');
    const { message } = await pgp.seal({ plaintext: Buffer.from('x'), certificates: [bob.certificate], now: NOW, profile: 'pq' });
    const data = readPackets(message, 5)[1]!.body;
    const one = message.subarray(0, data.byteOffset - message.byteOffset - 6);
    const started = Date.now();
    const many = Buffer.concat([...Array.from({ length: 5000 }, () => one), message]);
    await assert.rejects(pgp.open({ message: many, secretKeys: [bob.secretKey], verifyWith: [], now: NOW }), { code: 'open.limit' });
    assert.ok(Date.now() - started < 1000);
  });
});
