import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import { readPackets } from '../../../src/core/crypto/pgpPackets.ts';
import { loadPgpLibrary, type PgpLibrary } from '../../../src/core/crypto/pgpLibrary.ts';
import { certificateOf, DAY, foreignKey, NOW, pgp } from './pgpWorld.ts';

const TEXT = Buffer.from('From: alice@example.org\r\nSubject: figures\r\n\r\nall of it\r\n');

describe('OpenPgpEngine', function () {
  this.timeout(20_000);

  it('makes a post-quantum certificate of version 6 that bears the addresses it was made for', async () => {
    const { certificate, fingerprint } = await pgp.generate({
      addresses: ['alice@example.org', 'Alice@xn--exmple-cua.org'],
      name: 'Alice <Evil> (x)',
      now: NOW,
    });
    const facts = await pgp.inspect(certificate, { now: NOW, address: 'ALICE@example.org' });
    assert.deepEqual(facts, {
      fingerprint,
      version: 6,
      addresses: ['alice@example.org', 'Alice@xn--exmple-cua.org'],
      createdAt: NOW,
      postQuantum: true,
      algorithms: ['pqc_mldsa_ed25519', 'pqc_mlkem_x25519'],
      encryptionSubkeyExpiresAt: NOW + 55 * DAY,
    });
    assert.match(fingerprint, /^[0-9A-F]{64}$/);
    assert.ok(certificate.length < 20_000);
    await assert.rejects(pgp.inspect(certificate, { now: NOW, address: 'bob@example.org' }), {
      code: 'cert.address-mismatch',
      details: { address: 'bob@example.org' },
    });
  });

  it('brings a signed message to everyone it was sealed to, and to nobody else', async () => {
    const [alice, bob, carol] = [await certificateOf('alice'), await certificateOf('bob'), await certificateOf('carol')];
    const before = Buffer.from(alice.secretKey);
    const { message } = await pgp.seal({
      plaintext: [TEXT.subarray(0, 10), TEXT.subarray(10)],
      certificates: [bob.certificate, alice.certificate],
      signWith: alice.secretKey,
      now: NOW,
      profile: 'pq',
    });
    assert.deepEqual(alice.secretKey, before, 'the caller keeps what it lent');
    for (const reader of [alice, bob]) {
      const opened = await pgp.open({
        message,
        secretKeys: [carol.secretKey, reader.secretKey],
        verifyWith: [alice.certificate],
        now: NOW,
      });
      assert.deepEqual(opened.plaintext, TEXT);
      assert.deepEqual(opened.signature, { state: 'valid', fingerprint: alice.fingerprint, postQuantum: true, signedAt: NOW });
      assert.equal(opened.recipients, 2);
    }
    await assert.rejects(pgp.open({ message, secretKeys: [carol.secretKey], verifyWith: [], now: NOW }), { code: 'open.no-secret-key' });
    await assert.rejects(pgp.open({ message, secretKeys: [], verifyWith: [], now: NOW }), { code: 'open.no-secret-key' });
  });

  it('writes algorithm 35 to each recipient and AES-256-GCM in packets of version 2', async () => {
    const alice = await certificateOf('alice');
    const { message } = await pgp.seal({ plaintext: TEXT, certificates: [alice.certificate], now: NOW, profile: 'pq' });
    const [session, data, ...rest] = readPackets(message, 10);
    assert.deepEqual([session?.tag, session?.body[0], session?.body[1], session?.body[2], session?.body[35]], [1, 6, 33, 6, 35]);
    assert.deepEqual([data?.tag, data?.body[0], data?.body[1], data?.body[2]], [18, 2, 9, 3]);
    assert.equal(rest.length, 0);
  });

  it('seals plaintext of any size, cut into any pieces, as the library reads it', async () => {
    const [alice, bob] = [await certificateOf('alice'), await certificateOf('bob')];
    const chunk = 262_144;
    // The literal has a header of its own, so the chunk's edge lies a little before these.
    for (const size of [0, 1, 100, chunk - 13, chunk - 12, chunk - 11, chunk, 2 * chunk - 12, 3 * chunk + 5]) {
      const plaintext = systemRandom.bytes(size);
      const cut = Math.floor(size / 3);
      const pieces = [plaintext.subarray(0, cut), Buffer.alloc(0), plaintext.subarray(cut)];
      for (const signWith of [undefined, alice.secretKey]) {
        const request = { plaintext: pieces, certificates: [bob.certificate], now: NOW, profile: 'pq' as const };
        const { message } = await pgp.seal({ ...request, ...(signWith && { signWith }) });
        const opened = await pgp.open({ message, secretKeys: [bob.secretKey], verifyWith: [alice.certificate], now: NOW });
        assert.ok(opened.plaintext.equals(plaintext), `${size} octets`);
        assert.equal(opened.signature.state, signWith ? 'valid' : 'none');
      }
    }
  });

  it('lets nothing be cut off, between chunks either', async () => {
    const bob = await certificateOf('bob');
    const chunk = 262_144 + 16;
    const plaintext = Buffer.alloc(3 * chunk, 'x');
    const { message, sessionKey } = await pgp.seal({ plaintext, certificates: [bob.certificate], now: NOW, profile: 'pq' });
    const data = readPackets(message, 5)[1]!.body;
    const start = message.length - data.length;
    for (const keep of [36 + chunk, 36 + 2 * chunk, data.length - 16, data.length - 1]) {
      for (const tail of [Buffer.alloc(0), message.subarray(-16)]) {
        const body = Buffer.concat([data.subarray(0, keep), tail]);
        if (body.length >= data.length) continue;
        const length = Buffer.alloc(4);
        length.writeUInt32BE(body.length);
        const cut = Buffer.concat([message.subarray(0, start - 4), length, body]);
        await assert.rejects(pgp.open({ message: cut, secretKeys: [], sessionKey, verifyWith: [], now: NOW }), { code: 'open.tampered' });
      }
    }
  });

  it('says of a signature whether it is valid, invalid, of someone unknown, or none', async () => {
    const [alice, bob] = [await certificateOf('alice'), await certificateOf('bob')];
    const base = { plaintext: TEXT, certificates: [bob.certificate], now: NOW, profile: 'pq' as const };
    const signed = await pgp.seal({ ...base, signWith: alice.secretKey });
    const open = async (message: Buffer, verifyWith: Buffer[], now = NOW) =>
      (await pgp.open({ message, secretKeys: [bob.secretKey], verifyWith, now })).signature;
    assert.equal((await open(signed.message, [bob.certificate, alice.certificate])).state, 'valid');
    assert.deepEqual(await open(signed.message, [bob.certificate]), { state: 'unknown-signer' });
    assert.deepEqual(await open(signed.message, []), { state: 'unknown-signer' });
    assert.deepEqual(await open((await pgp.seal(base)).message, [alice.certificate]), { state: 'none' });
    // Signed a day in the future: a clock that far off, or a lie.
    assert.deepEqual(await open(signed.message, [alice.certificate], NOW - DAY), { state: 'invalid' });
    assert.equal((await open(signed.message, [alice.certificate], NOW - 60_000)).state, 'valid');
  });

  it('opens a message by its session key long after the subkey is gone', async () => {
    const bob = await certificateOf('bob');
    const { message, sessionKey } = await pgp.seal({ plaintext: TEXT, certificates: [bob.certificate], now: NOW, profile: 'pq' });
    const opened = await pgp.open({ message, secretKeys: [bob.secretKey], verifyWith: [], now: NOW });
    assert.deepEqual(opened.sessionKey, sessionKey);
    const later = await pgp.open({ message, secretKeys: [], sessionKey, verifyWith: [], now: NOW + 1000 * DAY });
    assert.deepEqual(later.plaintext, TEXT);
    const wrong = Buffer.from(sessionKey);
    wrong[5] = wrong[5]! ^ 1;
    await assert.rejects(pgp.open({ message, secretKeys: [], sessionKey: wrong, verifyWith: [], now: NOW }), { code: 'open.tampered' });
    for (const bad of [Buffer.alloc(0), Buffer.alloc(33), sessionKey.subarray(1)]) {
      await assert.rejects(pgp.open({ message, secretKeys: [], sessionKey: bad, verifyWith: [], now: NOW }), {
        code: 'engine.bad-request',
      });
    }
  });

  it('rotates: new mail goes to the new subkey, old mail opens until its subkey is erased, and then says so', async () => {
    const alice = await pgp.generate({ addresses: ['alice@example.org'], name: 'Alice', now: NOW });
    const seal = (certificate: Buffer, now: number) => pgp.seal({ plaintext: TEXT, certificates: [certificate], now, profile: 'pq' });
    const first = await seal(alice.certificate, NOW + DAY);
    const month = await pgp.rotateSubkey({ secretKey: alice.secretKey, now: NOW + 30 * DAY, dropBefore: NOW - 30 * DAY });
    assert.equal(month.fingerprint, alice.fingerprint);
    assert.equal(month.certificate.length, alice.certificate.length);
    const second = await seal(month.certificate, NOW + 31 * DAY);
    const open = (message: Buffer, secretKey: Buffer) =>
      pgp.open({ message, secretKeys: [secretKey], verifyWith: [], now: NOW + 32 * DAY });
    for (const { message } of [first, second]) assert.deepEqual((await open(message, month.secretKey)).plaintext, TEXT);
    await assert.rejects(open(second.message, alice.secretKey), { code: 'open.no-secret-key' });

    const later = await pgp.rotateSubkey({ secretKey: month.secretKey, now: NOW + 61 * DAY, dropBefore: NOW + DAY });
    await assert.rejects(open(first.message, later.secretKey), { code: 'open.subkey-gone' });
    assert.deepEqual((await open(second.message, later.secretKey)).plaintext, TEXT);
    const facts = await pgp.inspect(later.certificate, { now: NOW + 61 * DAY });
    assert.equal(facts.encryptionSubkeyExpiresAt, NOW + (61 + 55) * DAY);
    assert.equal(facts.fingerprint, alice.fingerprint);
    const again = await pgp.rotateSubkey({ secretKey: later.secretKey, now: NOW + 91 * DAY, dropBefore: NOW + 100 * DAY });
    const signature = await pgp.sign({ data: TEXT, secretKey: again.secretKey, now: NOW + 92 * DAY, detached: true });
    assert.equal((await pgp.verify({ data: TEXT, signature, verifyWith: [alice.certificate], now: NOW + 92 * DAY })).state, 'valid');
    await assert.rejects(open(second.message, again.secretKey), { code: 'open.subkey-gone' });
  });

  it('signs and verifies apart from the text, and never throws for a signature that is merely wrong', async () => {
    const [alice, bob] = [await certificateOf('alice'), await certificateOf('bob')];
    const signature = await pgp.sign({ data: TEXT, secretKey: alice.secretKey, now: NOW, detached: true });
    const verify = (data: Buffer, verifyWith: Buffer[]) => pgp.verify({ data, signature, verifyWith, now: NOW });
    assert.equal((await verify(TEXT, [alice.certificate])).state, 'valid');
    assert.deepEqual(await verify(TEXT, [bob.certificate]), { state: 'unknown-signer' });
    assert.deepEqual(await verify(Buffer.concat([TEXT, Buffer.of(10)]), [alice.certificate]), { state: 'invalid' });
    for (const bad of [Buffer.alloc(0), Buffer.from('no signature'), signature.subarray(0, 100), Buffer.alloc(70_000, 0x88)]) {
      await assert.rejects(
        pgp.verify({ data: TEXT, signature: bad, verifyWith: [alice.certificate], now: NOW }),
        (error: { code?: string }) => ['open.malformed', 'open.limit'].includes(error.code ?? ''),
      );
    }
  });

  it('refuses every altered octet of a small message, with one name for whatever is wrong inside', async () => {
    const bob = await certificateOf('bob');
    const { message, sessionKey } = await pgp.seal({ plaintext: TEXT, certificates: [bob.certificate], now: NOW, profile: 'pq' });
    const data = message.length - readPackets(message, 5)[1]!.body.length;
    for (let at = data; at < message.length; at++) {
      const altered = Buffer.from(message);
      altered[at] = altered[at]! ^ (1 << (at % 8));
      await assert.rejects(
        pgp.open({ message: altered, secretKeys: [], sessionKey, verifyWith: [], now: NOW }),
        (error: { code?: string }) => error.code === 'open.tampered' || (at === data && error.code === 'open.malformed'),
        `octet ${at}`,
      );
    }
    for (let at = 0; at < data; at += 41) {
      const altered = Buffer.from(message);
      altered[at] = altered[at]! ^ (1 << (at % 8));
      await assert.rejects(
        pgp.open({ message: altered, secretKeys: [bob.secretKey], verifyWith: [], now: NOW }),
        (error: { code?: string }) => error.code?.startsWith('open.') === true,
        `octet ${at}`,
      );
    }
  });

  it('refuses what is no encrypted message, or one without integrity protection, before a key is touched', async () => {
    const bob = await certificateOf('bob');
    const unprotected = Buffer.from([0xc9, 20, ...systemRandom.bytes(20)]);
    const literal = Buffer.from([0xcb, 8, 0x62, 0, 0, 0, 0, 0, 0x41, 0x42]);
    const many = Buffer.concat(Array.from({ length: 300 }, () => Buffer.from([0xc1, 1, 3])));
    for (const message of [Buffer.alloc(0), Buffer.from('hello'), unprotected, literal, bob.certificate, many, Buffer.of(0xd2, 0xff, 1)]) {
      await assert.rejects(pgp.open({ message, secretKeys: [bob.secretKey], verifyWith: [], now: NOW }), (error: { code?: string }) =>
        ['open.malformed', 'open.limit'].includes(error.code ?? ''),
      );
    }
  });

  it('reads AES-OCB in pieces with progress, and hands out nothing when the last octet is wrong', async () => {
    const library = await loadPgpLibrary();
    const bob = await certificateOf('bob');
    const plaintext = systemRandom.bytes(1_500_000);
    const config = { aeadProtect: true, preferredAEADAlgorithm: library.enums.aead.ocb };
    const encryptionKeys = await library.readKey({ binaryKey: Uint8Array.from(bob.certificate) });
    const message = Buffer.from(
      await library.encrypt({
        message: await library.createMessage({ binary: Uint8Array.from(plaintext) }),
        encryptionKeys,
        sessionKey: { data: Uint8Array.from(systemRandom.bytes(32)), algorithm: 'aes256', aeadAlgorithm: 'ocb' } as never,
        date: new Date(NOW),
        format: 'binary',
        config,
      }),
    );
    const seen: number[] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const opened = await pgp.open({
      message,
      secretKeys: [bob.secretKey],
      verifyWith: [],
      now: NOW,
      progress: (octets) => seen.push(octets),
    });
    clearInterval(timer);
    assert.ok(opened.plaintext.equals(plaintext));
    assert.ok(seen.length >= 4 && seen.at(-1) === plaintext.length && seen.every((octets, i) => i === 0 || octets > seen[i - 1]!));
    assert.ok(turns >= 2, `the event loop had ${turns} turns meanwhile`);
    const cut = Buffer.from(message);
    cut[cut.length - 1] = cut.at(-1)! ^ 1;
    await assert.rejects(pgp.open({ message: cut, secretKeys: [bob.secretKey], verifyWith: [], now: NOW }), { code: 'open.tampered' });
  });

  for (const [what, options, config] of [
    ['version 4, Curve25519', {}, {}],
    ['version 4, RSA 2048', { type: 'rsa', rsaBits: 2048 }, {}],
    ['version 4, NIST P-256', { curve: 'nistP256' }, {}],
    ['version 6, Ed25519 and X25519', { type: 'curve25519', curve: undefined }, { v6Keys: true, aeadProtect: true }],
  ] as const) {
    it(`writes to and reads from people without post-quantum certificates: ${what}`, async () => {
      const library = await loadPgpLibrary();
      const friend = await foreignKey(options as never, config);
      const alice = await certificateOf('alice');
      const facts = await pgp.inspect(friend.certificate, { now: NOW, address: 'friend@example.org' });
      assert.equal(facts.postQuantum, false);
      assert.equal(facts.version, what.startsWith('version 6') ? 6 : 4);
      assert.equal(facts.fingerprint.length, facts.version === 6 ? 64 : 40);
      await assert.rejects(pgp.seal({ plaintext: TEXT, certificates: [friend.certificate], now: NOW, profile: 'pq' }), {
        code: 'cert.weak',
      });
      const { message } = await pgp.seal({ plaintext: TEXT, certificates: [friend.certificate], now: NOW, profile: 'classic' });
      const read = await library.decrypt({
        message: await library.readMessage({ binaryMessage: Uint8Array.from(message) }),
        decryptionKeys: friend.privateKey,
        format: 'binary',
        date: new Date(NOW),
      });
      assert.deepEqual(Buffer.from(read.data as Uint8Array), TEXT);

      // What such a program answers: compressed, signed, and for a version 4 certificate without AEAD.
      const answer = Buffer.from(
        await library.encrypt({
          message: await library.createMessage({ binary: Uint8Array.from(TEXT) }),
          encryptionKeys: [await library.readKey({ binaryKey: Uint8Array.from(alice.certificate) }), friend.publicKey],
          signingKeys: friend.privateKey,
          date: new Date(NOW),
          format: 'binary',
          config: { preferredCompressionAlgorithm: library.enums.compression.zlib },
        }),
      );
      const opened = await pgp.open({ message: answer, secretKeys: [alice.secretKey], verifyWith: [friend.certificate], now: NOW });
      assert.deepEqual(opened.plaintext, TEXT);
      assert.deepEqual(opened.signature, { state: 'valid', fingerprint: facts.fingerprint, postQuantum: false, signedAt: NOW });
      const again = await pgp.open({ message: answer, secretKeys: [], sessionKey: opened.sessionKey, verifyWith: [], now: NOW });
      assert.deepEqual(again.plaintext, TEXT);
    });
  }

  it('does the same with the file that is shipped, and both read what the other wrote', async () => {
    const library = createRequire(import.meta.url)('@protontech/openpgp') as PgpLibrary;
    const shipped = new OpenPgpEngine({ random: systemRandom, load: async () => library });
    assert.notEqual(library, await loadPgpLibrary());
    const dave = await shipped.generate({ addresses: ['dave@example.org'], name: 'Dave', now: NOW });
    const alice = await certificateOf('alice');
    const request = { plaintext: TEXT, certificates: [dave.certificate, alice.certificate], now: NOW, profile: 'pq' as const };
    for (const [writer, reader, from, to] of [
      [shipped, pgp, dave, alice],
      [pgp, shipped, alice, dave],
    ] as const) {
      const { message } = await writer.seal({ ...request, signWith: from.secretKey });
      const opened = await reader.open({ message, secretKeys: [to.secretKey], verifyWith: [from.certificate], now: NOW });
      assert.deepEqual(opened.plaintext, TEXT);
      assert.equal(opened.signature.state, 'valid');
    }
  });

  it('armors for files and PGP/MIME, and reads armor with headers, checksum and text around it', async () => {
    const bob = await certificateOf('bob');
    const armored = await pgp.armor('certificate', bob.certificate);
    assert.ok(armored.startsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\n'));
    assert.deepEqual(await pgp.dearmor(armored), { kind: 'certificate', bytes: bob.certificate });
    const dressed = `Hello,\n${armored.replace('-----\r\n\r\n', '-----\r\nVersion: X\r\nComment: y\r\n\r\n').replace('-----END', '=abcd\r\n-----END')}bye`;
    assert.deepEqual((await pgp.dearmor(dressed)).bytes, bob.certificate);
    assert.deepEqual((await pgp.dearmor(dressed.replaceAll('\r\n', '\n'))).bytes, bob.certificate);
    const library = await loadPgpLibrary();
    assert.equal((await library.readKey({ armoredKey: armored })).getFingerprint().toUpperCase(), bob.fingerprint);
    for (const bad of ['', 'x', armored.slice(0, 500), armored.replace('PUBLIC', 'PUBLISH'), armored.replace(/A/g, '!')]) {
      await assert.rejects(pgp.dearmor(bad), { code: 'open.malformed' });
    }
  });
});
