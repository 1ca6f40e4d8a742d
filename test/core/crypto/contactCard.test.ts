import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import {
  decodeCard,
  decodeSignedCard,
  encodeCard,
  encodeSignedCard,
  signedOctets,
  verifyCard,
  type ContactCard,
} from '../../../src/core/crypto/contactCard.ts';
import { certificateOf, NOW, pgp } from './pgpWorld.ts';

const card: ContactCard = {
  addr: 'bob@example.org',
  saeId: 'sae-bob',
  kmeId: 'kme-b',
  fingerprint: 'AB'.repeat(32),
  minimumLevel: 'L2',
  suites: ['QM1-PGP9980'],
  issuedAt: NOW,
};
const malformed = (octets: Uint8Array | string, what?: string): void => {
  assert.throws(
    () => decodeCard(typeof octets === 'string' ? Buffer.from(octets) : octets),
    (error) => QuMailError.is(error, 'card.malformed') && (what === undefined || error.details['what'] === what),
    String(octets).slice(0, 80),
  );
};
const changed = (change: object): Buffer => Buffer.from(JSON.stringify({ ...JSON.parse(encodeCard(card).toString()), ...change }));

describe('a contact card', () => {
  it('is read as it was written', () => {
    assert.deepEqual(decodeCard(encodeCard(card)), card);
    const { saeId: _sae, kmeId: _kme, ...bare } = card;
    assert.deepEqual(decodeCard(encodeCard(bare)), bare);
    const signed = { octets: encodeCard(card), signature: Buffer.from('signature'), certificate: Buffer.from('certificate') };
    assert.deepEqual(decodeSignedCard(encodeSignedCard(signed)), { card, ...signed });
  });

  it('may have members that this version does not know, unless they are critical', () => {
    assert.deepEqual(decodeCard(changed({ colour: 'red', crit: ['addr'] })), card);
    assert.throws(() => decodeCard(changed({ colour: 'red', crit: ['colour'] })), {
      code: 'card.unknown-critical',
      details: { name: 'colour' },
    });
  });

  it('is refused with a named member where one is missing or wrong', () => {
    for (const [member, value] of Object.entries({
      addr: 'Bob <bob@example.org>',
      fingerprint: 'ab'.repeat(32),
      minimumLevel: 'L5',
      suites: 'QM1-PGP9980',
      issuedAt: -1,
      saeId: 'with blank',
      kmeId: '',
      expiresAt: '1',
      v: 2,
      crit: 'addr',
    })) {
      malformed(changed({ [member]: value }), member);
    }
    malformed(changed({ crit: [1] }), 'crit');
    malformed(changed({ addr: undefined }), 'addr');
    malformed(changed({ addr: 'bob@EXAMPLE.org' }), 'addr');
    malformed(changed({ suites: Array.from({ length: 17 }, (_, i) => `s${i}`) }), 'suites');
  });

  it('is refused with a member that stands twice, as two programs would read two cards', () => {
    malformed(encodeCard(card).toString().replace('"v":1', '"v":1,"addr":"mallory@example.org"'));
  });

  it('is refused beyond its limits, before it is decoded', () => {
    malformed(changed({ saeId: 'x'.repeat(129) }), 'saeId');
    malformed(changed({ padding: 'x'.repeat(5_000) }), 'card');
    assert.throws(() => decodeSignedCard(Buffer.alloc(300_000, 0x20)), { code: 'card.malformed' });
    malformed('[[[[[[]]]]]]');
  });

  it('never fails with anything but its own codes, whatever comes', () => {
    const json = fc.json().map((text) => Buffer.from(text));
    const mutated = fc.tuple(fc.nat(), fc.nat(255)).map(([at, octet]) => {
      const octets = encodeSignedCard({ octets: encodeCard(card), signature: Buffer.from('s') });
      octets[at % octets.length] = octet;
      return octets;
    });
    fc.assert(
      fc.property(fc.oneof(json, mutated, fc.uint8Array({ maxLength: 200 })), (octets) => {
        for (const read of [decodeCard, decodeSignedCard]) {
          try {
            read(octets);
          } catch (error) {
            assert.ok(QuMailError.is(error) && /^card\.(?:malformed|unknown-critical)$/.test(error.code), String(error));
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  describe('is verified', () => {
    const signedBy = async (name: string, what: Partial<ContactCard> = {}) => {
      const signer = await certificateOf(name);
      const octets = encodeCard({ ...card, fingerprint: (await certificateOf('bob')).fingerprint, ...what });
      const signature = await pgp.sign({ data: signedOctets(octets), secretKey: signer.secretKey, now: NOW, detached: true });
      return { card: decodeCard(octets), octets, signature };
    };
    const expected = async (name = 'bob') => {
      const { fingerprint, certificate } = await certificateOf(name);
      return { address: 'bob@example.org', fingerprint, certificate, now: NOW };
    };

    it('against the certificate it names, in whatever case the address is known', async () => {
      await verifyCard(await signedBy('bob'), await expected(), pgp);
      await verifyCard(await signedBy('bob'), { ...(await expected()), address: 'Bob@example.org' }, pgp);
    });

    it('and refused with any octet of card or signature altered', async () => {
      const signed = await signedBy('bob');
      for (let i = 0; i < 40; i++) {
        const octets = Buffer.from(signed.octets);
        octets[(i * 7) % octets.length]! ^= 1 << (i % 8);
        // The octets were signed, whatever is read from them.
        await assert.rejects(verifyCard({ ...signed, octets }, await expected(), pgp), { code: 'card.forged' });
        const signature = Buffer.from(signed.signature);
        signature[(i * 83) % signature.length]! ^= 1 << (i % 8);
        await verifyCard({ ...signed, signature }, await expected(), pgp).then(
          // Unhashed subpackets of a signature are not signed; an altered one may still be the same signature.
          () => undefined,
          (error) => assert.equal(error.code, 'card.forged'),
        );
      }
    });

    it('and refused where another certificate signed it, or the signature was made for something else', async () => {
      await assert.rejects(verifyCard(await signedBy('mallory'), await expected(), pgp), { code: 'card.forged' });
      await assert.rejects(verifyCard(await signedBy('bob'), await expected('mallory'), pgp), { code: 'card.forged' });
      const signed = await signedBy('bob');
      const { secretKey } = await certificateOf('bob');
      const elsewhere = await pgp.sign({ data: signed.octets, secretKey, now: NOW, detached: true });
      await assert.rejects(verifyCard({ ...signed, signature: elsewhere }, await expected(), pgp), { code: 'card.forged' });
      await assert.rejects(verifyCard({ ...signed, signature: Buffer.from('nothing') }, await expected(), pgp), { code: 'card.forged' });
    });
  });
});
