import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import type { GeneratedCertificate } from '../../../src/core/crypto/pgpEngine.ts';
import { payloadTag } from '../../../src/core/crypto/payloadTag.ts';
import { makeShare, openPostQuantum, openShare, sealPostQuantum } from '../../../src/core/crypto/postQuantum.ts';
import { messageKey, openQuantumAes } from '../../../src/core/crypto/quantumAes.ts';
import { readPayload } from '../../../src/core/crypto/envelope.ts';
import { ALICE, BOB, CAROL, cipher, partsOf, TS } from './sealed.ts';
import { certificateOf, foreignKey, NOW, pgp } from './pgpWorld.ts';

const ENTITY = Buffer.alloc(4096, 'x');

function sealL3(alice: GeneratedCertificate, bob: GeneratedCertificate, change: object = {}) {
  return sealPostQuantum(pgp, {
    id: systemRandom.bytes(16),
    ts: TS,
    from: { addr: ALICE.addr, fpr: alice.fingerprint },
    to: [{ addr: BOB.addr, fpr: bob.fingerprint }],
    length: ENTITY.length,
    entity: () => [ENTITY.subarray(0, 100), ENTITY.subarray(100)],
    certificates: [bob.certificate, alice.certificate],
    signWith: alice.secretKey,
    now: NOW,
    ...change,
  });
}

describe('L3, post-quantum', function () {
  this.timeout(20_000);

  it('brings the signed entity to its recipient and to the own Sent, and by session key later', async () => {
    const [alice, bob] = [await certificateOf('alice'), await certificateOf('bob')];
    let bound: Buffer | undefined;
    const sealed = await sealL3(alice, bob, { entity: (aad: Buffer) => ((bound = aad), [ENTITY]) });
    const read = readPayload(sealed.json, partsOf(sealed));
    assert.deepEqual(read.aad, bound);
    assert.equal(read.header.suite, 'QM1-PGP9980');
    const verifyWith = [alice.certificate];
    for (const secretKeys of [[bob.secretKey], [alice.secretKey]]) {
      const { plaintext, sessionKey } = await openPostQuantum(pgp, read, { secretKeys, verifyWith, now: NOW });
      assert.ok(plaintext.equals(ENTITY));
      assert.deepEqual(sessionKey, sealed.sessionKey);
    }
    const later = await openPostQuantum(pgp, read, { secretKeys: [], sessionKey: sealed.sessionKey, verifyWith, now: NOW });
    assert.ok(later.plaintext.equals(ENTITY));
  });

  it('shows nothing that was not signed by a pinned post-quantum certificate of the sender', async () => {
    const [alice, bob, carol] = [await certificateOf('alice'), await certificateOf('bob'), await certificateOf('carol')];
    const read = await sealL3(alice, bob);
    const open = (verifyWith: Buffer[], parts: Parameters<typeof openPostQuantum>[1] = read) =>
      openPostQuantum(pgp, parts, { secretKeys: [bob.secretKey], verifyWith, now: NOW });
    await assert.rejects(open([]), { code: 'open.unknown-signer' });
    await assert.rejects(open([carol.certificate]), { code: 'open.unknown-signer' });
    const unsigned = await pgp.seal({ plaintext: ENTITY, certificates: [bob.certificate], now: NOW, profile: 'pq' });
    const withBody = ({ message, sessionKey }: { message: Buffer; sessionKey: Buffer }) => ({
      ...read,
      body: message,
      tag: payloadTag(sessionKey, read.aad, message),
    });
    await assert.rejects(open([alice.certificate], withBody(unsigned)), { code: 'open.unknown-signer' });
    await assert.rejects(open([alice.certificate], { ...read, body: unsigned.message }), { code: 'open.tampered' });
    // Alice's classic certificate would do for a letter, and does not do for L3.
    const classic = await foreignKey({ type: 'curve25519', curve: undefined } as never, { v6Keys: true, aeadProtect: true });
    const weak = await pgp.seal({
      plaintext: ENTITY,
      certificates: [bob.certificate],
      signWith: classic.secretKey,
      now: NOW,
      profile: 'pq',
    });
    await assert.rejects(open([classic.certificate], withBody(weak)), { code: 'open.bad-signature' });
    await assert.rejects(open([alice.certificate], { ...read, header: { ...read.header, paddedLength: 4352 } }), { code: 'open.tampered' });
    await assert.rejects(open([alice.certificate], { ...read, header: { ...read.header, suite: 'QM1-CB256' } }), {
      code: 'open.level-unsupported',
    });
  });

  it('is not sealed to a certificate that is not post-quantum, to too many, or in another length than its header says', async () => {
    const [alice, bob] = [await certificateOf('alice'), await certificateOf('bob')];
    const friend = await foreignKey({});
    await assert.rejects(sealL3(alice, bob, { certificates: [bob.certificate, friend.certificate] }), { code: 'cert.weak' });
    await assert.rejects(sealL3(alice, bob, { length: 4352 }), { code: 'engine.bad-request', details: { field: 'length' } });
    await assert.rejects(sealL3(alice, bob, { length: 4097 }), { code: 'engine.bad-request' });
    await assert.rejects(sealL3(alice, bob, { certificates: [] }), { code: 'engine.bad-request', details: { field: 'certificates' } });
    const crowd = Array.from({ length: 101 }, (_, i) => ({ addr: `r${i}@example.org` }));
    await assert.rejects(sealL3(alice, bob, { to: crowd }), { code: 'seal.too-many-recipients' });
  });
});

describe('L2 with a post-quantum share', function () {
  this.timeout(20_000);

  it('derives its key from both secrets, each with its length', () => {
    const [quantum, share] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const ikm = Buffer.concat([Buffer.of(0, 32), quantum, Buffer.of(0, 32), share]);
    assert.deepEqual(messageKey(quantum, share), Buffer.from(hkdfSync('sha512', ikm, 'QuMail/1', 'QM1 L2 message key', 32)));
    assert.notDeepEqual(messageKey(quantum, share), messageKey(quantum));
    assert.notDeepEqual(messageKey(quantum, share), messageKey(share, quantum));
    for (const length of [0, 31, 33]) assert.throws(() => messageKey(quantum, Buffer.alloc(length)), RangeError);
  });

  for (const how of ['direct', 'wrapped'] as const) {
    it(`opens with both secrets and with nothing less: ${how}`, async () => {
      const [bob, carol] = [await certificateOf('bob'), await certificateOf('carol')];
      const share = await makeShare(pgp, systemRandom, { certificates: [bob.certificate, carol.certificate], now: NOW });
      const plaintext = Buffer.from('both of them');
      const keys =
        how === 'direct'
          ? [{ keyIds: ['m'], bytes: systemRandom.bytes(32), how }]
          : [0, 1].map((index) => ({ keyIds: [`w${index}`], bytes: systemRandom.bytes(64), to: [index], how }));
      const request = { level: 'L2' as const, id: systemRandom.bytes(16), ts: TS, from: ALICE, to: [BOB, CAROL], plaintext, keys };
      const sealed = cipher.seal({ ...request, pqShare: share });
      assert.equal(sealed.header.suite, 'QM1-CB256+PQ');
      const read = readPayload(sealed.json, partsOf(sealed));
      for (const [selfIndex, own] of [bob, carol].entries()) {
        const pqShare = await openShare(pgp, read.header.pq!, { secretKeys: [own.secretKey], now: NOW });
        assert.deepEqual(pqShare, share.octets);
        const base = { ...read, selfIndex, keyBytes: keys[how === 'direct' ? 0 : selfIndex]!.bytes };
        assert.deepEqual(cipher.open({ ...base, pqShare }), plaintext);
        // Without it, with another, or with the QKD key alone: refused, and nothing tries a weaker way.
        for (const wrong of [undefined, Buffer.alloc(0), Buffer.alloc(32), pqShare.subarray(1), Buffer.concat([pqShare, Buffer.of(0)])]) {
          assert.throws(() => cipher.open({ ...base, ...(wrong && { pqShare: wrong }) }), { code: 'open.tampered' });
        }
        const other = { ...base, keyBytes: Buffer.alloc(base.keyBytes.length, 9) };
        assert.throws(() => cipher.open({ ...other, pqShare }), { code: 'open.tampered' });
        const downgraded = { ...read.header, suite: 'QM1-CB256' as const };
        assert.throws(() => cipher.open({ ...base, header: downgraded }), { code: 'open.tampered' });
      }
      if (how === 'direct') assert.throws(() => openQuantumAes(keys[0]!.bytes, read.aad, read.body), { code: 'open.tampered' });
      assert.throws(() => cipher.seal({ ...request, pqShare: { ...share, octets: Buffer.alloc(31) } }));
    });
  }

  it('does not take a share out of a message that is no share, nor for somebody else', async () => {
    const [bob, carol] = [await certificateOf('bob'), await certificateOf('carol')];
    const { message } = await pgp.seal({ plaintext: Buffer.alloc(31), certificates: [bob.certificate], now: NOW, profile: 'pq' });
    await assert.rejects(openShare(pgp, message, { secretKeys: [bob.secretKey], now: NOW }), { code: 'open.tampered' });
    await assert.rejects(openShare(pgp, message, { secretKeys: [carol.secretKey], now: NOW }), { code: 'open.no-secret-key' });
    const friend = await foreignKey({});
    await assert.rejects(makeShare(pgp, systemRandom, { certificates: [bob.certificate, friend.certificate], now: NOW }), {
      code: 'cert.weak',
    });
  });
});
