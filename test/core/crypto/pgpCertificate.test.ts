import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError, type ErrorCode } from '../../../src/core/base/errors.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { loadPgpLibrary } from '../../../src/core/crypto/pgpLibrary.ts';
import { readPackets } from '../../../src/core/crypto/pgpPackets.ts';
import { certificateOf, DAY, foreignKey, NOW, pgp } from './pgpWorld.ts';

const date = new Date(NOW);
const V6 = { v6Keys: true, aeadProtect: true };

function refuses(certificate: Uint8Array, code: ErrorCode, now = NOW, details?: object): Promise<void> {
  return assert.rejects(pgp.inspect(certificate, { now }), details ? { code, details } : { code });
}

/** A packet of the new format with its body in five-octet length. */
function packet(tag: number, body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.byteLength);
  return Buffer.concat([Buffer.of(0xc0 | tag, 0xff), length, body]);
}

/** The packets of a certificate, each as it would be written alone. */
function split(certificate: Uint8Array): Buffer[] {
  return readPackets(certificate, 1000).map(({ tag, body }) => packet(tag, body));
}

describe('OpenPGP certificates', function () {
  this.timeout(20_000);

  it('whose primary key or subkey has expired are refused, and until then not', async () => {
    const { certificate } = await foreignKey({ keyExpirationTime: 86_400 });
    const facts = await pgp.inspect(certificate, { now: NOW + DAY / 2 });
    assert.equal(facts.expiresAt, NOW + DAY);
    await refuses(certificate, 'cert.expired', NOW + 2 * DAY);
    const alice = await certificateOf('alice');
    await pgp.inspect(alice.certificate, { now: NOW + 54 * DAY });
    await refuses(alice.certificate, 'cert.expired', NOW + 56 * DAY);
  });

  it('from the future are refused, unless a clock explains it', async () => {
    const alice = await certificateOf('alice');
    await pgp.inspect(alice.certificate, { now: NOW - 60_000 });
    await assert.rejects(
      pgp.inspect(alice.certificate, { now: NOW - DAY }),
      (error) => QuMailError.is(error) && error.code.startsWith('cert.'),
    );
  });

  it('that were revoked, whole or in their only encryption subkey, are refused', async () => {
    const library = await loadPgpLibrary();
    for (const [options, config] of [
      [{}, {}],
      [{ type: 'pqc', curve: undefined }, V6],
    ] as const) {
      const { privateKey } = await foreignKey(options as never, config);
      const revoked = await library.revokeKey({ key: privateKey, date, format: 'object' });
      await refuses(revoked.publicKey.write(), 'cert.revoked');
      const subkey = privateKey.subkeys[0]!;
      const compromised = library.enums.reasonForRevocation.keyCompromised;
      privateKey.subkeys[0] = await subkey.revoke(privateKey.keyPacket as never, { flag: compromised as never }, date);
      await refuses(privateKey.toPublic().write(), 'cert.revoked');
    }
  });

  it('with a subkey that its owner did not bind are refused', async () => {
    const [alice, bob] = [await certificateOf('alice'), await certificateOf('bob')];
    const own = split(alice.certificate);
    const foreign = split(bob.certificate);
    // The last two packets are the encryption subkey and its binding.
    await refuses(Buffer.concat([...own.slice(0, -2), ...foreign.slice(-2)]), 'cert.bad-binding');
    await refuses(Buffer.concat([...own.slice(0, -2), foreign.at(-2)!, own.at(-1)!]), 'cert.bad-binding');
    await refuses(Buffer.concat(own.slice(0, -1)), 'cert.bad-binding');
    await refuses(Buffer.concat(own.slice(0, -2)), 'cert.no-encryption');
    // With the true subkey beside it, the stolen one does no harm and is not used.
    const both = Buffer.concat([...own, ...foreign.slice(-2)]);
    const { message } = await pgp.seal({ plaintext: Buffer.from('x'), certificates: [both], now: NOW, profile: 'pq' });
    await pgp.open({ message, secretKeys: [alice.secretKey], verifyWith: [], now: NOW });
  });

  it('that name an address which the owner did not sign do not have it', async () => {
    const alice = await certificateOf('alice');
    const parts = split(alice.certificate);
    const at = readPackets(alice.certificate, 100).findIndex(({ tag }) => tag === 13);
    const forged = Buffer.concat([...parts.slice(0, at), packet(13, Buffer.from('bob@example.org')), ...parts.slice(at + 1)]);
    assert.deepEqual((await pgp.inspect(forged, { now: NOW })).addresses, []);
    await assert.rejects(pgp.inspect(forged, { now: NOW, address: 'bob@example.org' }), { code: 'cert.address-mismatch' });
    const added = Buffer.concat([
      ...parts.slice(0, at + 2),
      packet(13, Buffer.from('<bob@example.org>')),
      parts[at + 1]!,
      ...parts.slice(at + 2),
    ]);
    assert.deepEqual((await pgp.inspect(added, { now: NOW })).addresses, ['alice@example.org']);
  });

  it('without any signature of their own are refused', async () => {
    const [first] = split((await certificateOf('alice')).certificate);
    await refuses(first!, 'cert.bad-binding');
    const friend = split((await foreignKey({})).certificate);
    await refuses(Buffer.concat([friend[0]!, friend[1]!]), 'cert.bad-binding');
  });

  it('of weak or unknown algorithms are refused by the name of the algorithm', async () => {
    const library = await loadPgpLibrary();
    const small = await foreignKey({ type: 'rsa', rsaBits: 1024 }, { minRSABits: 1024 });
    await refuses(small.certificate, 'cert.weak', NOW, { algorithm: 'rsaEncryptSign 1024' });
    const nist = await foreignKey({ curve: 'nistP256' });
    const oid = '082a8648ce3d030107';
    for (const [other, curve] of [
      ['052b8104000a', 'secp256k1'],
      ['092b2403030208010107', 'brainpoolP256r1'],
    ] as const) {
      const parts = readPackets(nist.certificate, 100).map(({ tag, body }) => {
        return packet(tag, Buffer.from(Buffer.from(body).toString('hex').replace(oid, other), 'hex'));
      });
      await refuses(Buffer.concat(parts), 'cert.weak', NOW, { algorithm: `ecdsa ${curve}` });
    }
    const friend = await foreignKey({ type: 'rsa', rsaBits: 2048 });
    const user = friend.publicKey.users[0]!;
    const broken = new library.SignaturePacket();
    const { publicKeyAlgorithm, keyFlags, signatureType } = user.selfCertifications[0]!;
    Object.assign(broken, { signatureType, publicKeyAlgorithm, keyFlags, hashAlgorithm: library.enums.hash.sha1, rawNotations: [] });
    const key = friend.privateKey.keyPacket;
    // The library would salt the signature by a notation, and knows no salt for so short a hash.
    const config = { ...library.config, nonDeterministicSignaturesViaNotation: false };
    await Reflect.apply(broken.sign, broken, [key, { userID: user.userID, key }, date, false, config]);
    user.selfCertifications = [broken];
    await refuses(friend.publicKey.write(), 'cert.weak', NOW, { algorithm: 'sha1' });
    for (const algorithm of [0, 16, 17, 20, 24, 29, 36, 99, 110]) {
      const odd = split((await certificateOf('alice')).certificate);
      odd[0]![6 + 5] = algorithm;
      await refuses(Buffer.concat(odd), 'cert.weak', NOW, { algorithm: `algorithm ${algorithm}` });
    }
    for (const version of [2, 3, 5, 7]) {
      const odd = split((await certificateOf('alice')).certificate);
      odd[0]![6] = version;
      await refuses(Buffer.concat(odd), 'cert.weak', NOW, { algorithm: `version ${version}` });
    }
  });

  it('whose ML-KEM key is out of range are refused, though the library would take them', async () => {
    const alice = await certificateOf('alice');
    const library = await loadPgpLibrary();
    const key = await library.readPrivateKey({ binaryKey: Uint8Array.from(alice.secretKey) });
    const subkey = key.subkeys[0]!;
    const params = subkey.keyPacket.publicParams as { mlkemPublicKey: Uint8Array };
    params.mlkemPublicKey = params.mlkemPublicKey.slice();
    params.mlkemPublicKey.set([0xff, 0xff, 0xff], 300);
    const binding = new library.SignaturePacket();
    const { publicKeyAlgorithm, keyFlags, signatureType, hashAlgorithm } = subkey.bindingSignatures[0]!;
    Object.assign(binding, { signatureType, publicKeyAlgorithm, keyFlags, hashAlgorithm, rawNotations: [] });
    const data = { key: key.keyPacket, bind: subkey.keyPacket };
    await Reflect.apply(binding.sign, binding, [key.keyPacket, data, date, false, library.config]);
    subkey.bindingSignatures = [binding];
    const certificate = key.toPublic().write();
    const reread = await library.readKey({ binaryKey: certificate });
    await reread.getEncryptionKey(undefined, date, undefined, library.config);
    await refuses(certificate, 'cert.malformed');
  });

  it('that only sign are refused for sealing', async () => {
    const signer = await foreignKey({ subkeys: [] });
    await refuses(signer.certificate, 'cert.no-encryption');
  });

  it('of a megabyte of names, of too many packets, users or subkeys are refused before they are parsed', async () => {
    const parts = split((await certificateOf('alice')).certificate);
    const started = Date.now();
    const names = Buffer.concat(Array.from({ length: 1024 }, (_, i) => packet(13, Buffer.from(`${i}`.padEnd(1018, 'x')))));
    assert.ok(names.length >= 1_048_576);
    await refuses(Buffer.concat([parts[0]!, names]), 'cert.too-large', NOW, {
      what: 'octets',
      limit: 262_144,
      size: names.length + parts[0]!.length,
    });
    const few = (count: number, tag: number) =>
      Buffer.concat([parts[0]!, ...Array.from({ length: count }, () => packet(tag, Buffer.from('a@b.c')))]);
    await refuses(few(65, 13), 'cert.too-large', NOW, { what: 'user IDs', limit: 64, size: 65 });
    await refuses(few(65, 14), 'cert.too-large', NOW, { what: 'subkeys', limit: 64, size: 65 });
    await refuses(few(400, 2), 'cert.too-large', NOW, { what: 'packets', limit: 400, size: 401 });
    await refuses(packet(6, Buffer.alloc(300_000)), 'cert.too-large');
    assert.ok(Date.now() - started < 1000);
  });

  it('that are made to keep a verifier busy are judged within seconds', async () => {
    const alice = await certificateOf('alice');
    const parts = split(alice.certificate);
    // As many wrong bindings of the one subkey as fit; each has to be looked at.
    const binding = Buffer.from(parts.at(-1)!);
    binding[binding.length - 1] = binding.at(-1)! ^ 1;
    const busy = Buffer.concat([...parts.slice(0, -1), ...Array.from({ length: 60 }, () => binding)]);
    const started = Date.now();
    await refuses(busy, 'cert.bad-binding');
    assert.ok(Date.now() - started < 5000, `${Date.now() - started} ms`);
  });

  it('that are something else are refused as such', async () => {
    const alice = await certificateOf('alice');
    await refuses(alice.secretKey, 'cert.malformed');
    await refuses(Buffer.concat([alice.certificate, alice.certificate]), 'cert.malformed');
    await refuses(Buffer.from(await pgp.armor('certificate', alice.certificate)), 'cert.malformed');
    for (const bad of ['', 'hello', '-----BEGIN PGP']) await refuses(Buffer.from(bad), 'cert.malformed');
    for (let length = 1; length < alice.certificate.length; length += 313) {
      await assert.rejects(pgp.inspect(alice.certificate.subarray(0, length), { now: NOW }), (error) => {
        return QuMailError.is(error) && ['cert.malformed', 'cert.bad-binding', 'cert.no-encryption'].includes(error.code);
      });
    }
  });

  it('give a cert.* name or the same facts for any altered octet, and never another address', async () => {
    const alice = await certificateOf('alice');
    const facts = await pgp.inspect(alice.certificate, { now: NOW });
    for (let i = 0; i < 150; i++) {
      const at = systemRandom.bytes(2).readUInt16BE() % alice.certificate.length;
      const altered = Buffer.from(alice.certificate);
      altered[at] = altered[at]! ^ (1 << (i % 8));
      const outcome = await pgp.inspect(altered, { now: NOW }).catch((error: unknown) => error);
      if (outcome instanceof Error) assert.ok(QuMailError.is(outcome) && outcome.code.startsWith('cert.'), `octet ${at}: ${outcome.stack}`);
      else
        assert.ok(
          (outcome as typeof facts).addresses.every((address) => facts.addresses.includes(address)),
          `octet ${at}`,
        );
    }
  });

  it('and packets of any octets are read within bounds or refused by name', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.constantFrom(0xc1, 0xd2, 0xff, 0xe9, 0x88, 0x02, 0, 200), { maxLength: 60 }),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        const whole = Uint8Array.from(input);
        let packets;
        try {
          packets = readPackets(whole, 20);
        } catch (error) {
          return QuMailError.is(error, 'open.malformed') || QuMailError.is(error, 'open.limit');
        }
        return packets.length <= 20 && packets.reduce((sum, { body }) => sum + body.byteLength, 0) <= whole.byteLength;
      }),
      { numRuns: 5000 },
    );
  });

  it('and packets are read in the old format, the new one, and in partial lengths', () => {
    const old = Buffer.from([0x98, 3, 1, 2, 3, 0x99, 0, 2, 4, 5, 0x9a, 0, 0, 0, 1, 6, 0x9b, 7, 8]);
    assert.deepEqual(
      readPackets(old, 9).map(({ tag, body }) => [tag, [...body]]),
      [
        [6, [1, 2, 3]],
        [6, [4, 5]],
        [6, [6]],
        [6, [7, 8]],
      ],
    );
    const long = packet(2, Buffer.alloc(200, 9));
    const twoOctets = Buffer.concat([Buffer.of(0xc2, 0xc0, 200 - 192), Buffer.alloc(200, 9)]);
    assert.deepEqual(readPackets(long, 1), readPackets(twoOctets, 1));
    const partial = Buffer.concat([Buffer.of(0xd2, 0xe9), Buffer.alloc(512, 1), Buffer.of(0xe1, 2, 2, 0x01, 3, 0xcd, 1, 65)]);
    assert.deepEqual(
      readPackets(partial, 9).map(({ tag, whole, body }) => [tag, whole, body.byteLength]),
      [
        [18, false, 512],
        [13, true, 1],
      ],
    );
  });
});
