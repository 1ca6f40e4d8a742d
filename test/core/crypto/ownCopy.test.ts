import assert from 'node:assert/strict';
import fc from 'fast-check';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import { openOwnCopy, ownCopyKey, sealOwnCopy } from '../../../src/core/crypto/ownCopy.ts';
import { isPaddedLength } from '../../../src/core/crypto/padding.ts';
import { cobblestoneLength } from '../../../src/core/crypto/cobblestone.ts';

const pgp = new OpenPgpEngine({ random: systemRandom });
const DAY = 86_400_000;
const messageId = '<qumail-copy.0123456789012345678901@example.test>';

describe('crypto/copies for the own other devices', function () {
  this.timeout(10_000);

  it('have one key for the life of a certificate, whatever becomes of its subkeys, and each certificate another', async () => {
    const now = Date.now() - 100 * DAY;
    const own = await pgp.generate({ addresses: ['alice@example.test'], name: 'Alice', now });
    const key = ownCopyKey(own.secretKey);
    assert.equal(key.length, 32);
    let secretKey = own.secretKey;
    for (const days of [30, 60, 90]) {
      const at = now + days * DAY;
      ({ secretKey } = await pgp.rotateSubkey({ secretKey, now: at, dropBefore: at - 60 * DAY }));
      assert.deepEqual(ownCopyKey(secretKey), key, `after ${days} days`);
    }
    const other = await pgp.generate({ addresses: ['alice@example.test'], name: 'Alice', now });
    assert.notDeepEqual(ownCopyKey(other.secretKey), key);
    // A certificate without its secret gives no key, and neither does noise.
    for (const bytes of [own.certificate, Buffer.alloc(0), Buffer.from('noise')]) assert.throws(() => ownCopyKey(bytes));
  });

  it('come back as they were sealed, padded, and only under the same key and Message-ID', () => {
    const key = systemRandom.bytes(32);
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), fc.uint8Array({ maxLength: 20_000 }), (facts, entity) => {
        const sealed = sealOwnCopy({ key, messageId, facts, entity }, systemRandom);
        const opened = openOwnCopy({ key, messageId, sealed });
        assert.equal(opened.facts, Buffer.from(facts).toString('utf8'));
        assert.deepEqual(new Uint8Array(opened.rest.subarray(0, entity.length)), entity);
        assert.ok(opened.rest.subarray(entity.length).every((octet) => octet === 0));
        assert.ok(isPaddedLength(4 + Buffer.byteLength(facts) + opened.rest.length));
        assert.equal(sealed.length, cobblestoneLength(4 + Buffer.byteLength(facts) + opened.rest.length));
      }),
      { numRuns: 60 },
    );
    const sealed = sealOwnCopy({ key, messageId, facts: '{}', entity: Buffer.from('secret') }, systemRandom);
    const tampered = { code: 'open.tampered' };
    assert.throws(() => openOwnCopy({ key: systemRandom.bytes(32), messageId, sealed }), tampered);
    assert.throws(() => openOwnCopy({ key, messageId: messageId.replace('0', '1'), sealed }), tampered);
    for (let at = 0; at < sealed.length; at += 7) {
      const altered = Buffer.from(sealed);
      altered[at]! ^= 1;
      assert.throws(() => openOwnCopy({ key, messageId, sealed: altered }), tampered);
    }
    assert.throws(() => openOwnCopy({ key, messageId, sealed: sealed.subarray(0, 40) }), { code: 'open.truncated' });
  });
});
