import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { CipherManager } from '../../../src/core/crypto/cipherManager.ts';
import { encodeHeader, readPayload, writePayload, aadOf } from '../../../src/core/crypto/envelope.ts';
import { paddedLength } from '../../../src/core/crypto/padding.ts';
import { ALICE, BOB, CAROL, cipher, KeyNotFound, openAs, partsOf, sealFor, TS } from './sealed.ts';

const WAYS = ['L1', 'L2', 'L2 wrapped'] as const;
const SIZES = [0, 1, 255, 256, 4095, 4096, 16_127, 16_383, 16_384, 16_385, 40_000, 65_535];

describe('CipherManager', () => {
  for (const how of WAYS) {
    it(`brings a message of any size from Alice to everyone she names: ${how}`, () => {
      for (const size of SIZES) {
        const plaintext = systemRandom.bytes(size);
        const { payload, keys } = sealFor(how, plaintext);
        for (const index of payload.header.to.keys()) assert.deepEqual(openAs(index, payload, keys), plaintext, `${size} octets`);
        assert.equal(payload.header.paddedLength, paddedLength(size));
        assert.equal(payload.bin !== undefined, (payload.bin?.length ?? 0) > 65_536);
      }
    });

    it(`shows nothing of the message but its padded length: ${how}`, () => {
      const secret = Buffer.from('Subject: the quarterly figures');
      const { payload } = sealFor(how, secret);
      const outside = Buffer.concat([payload.json, payload.bin ?? Buffer.alloc(0)]);
      const header = Buffer.from(readPayload(payload.json, partsOf(payload)).protectedHeader, 'base64url');
      for (const where of [outside, header])
        assert.equal(where.includes('quarterly') || where.includes(secret.toString('base64url')), false);
      assert.equal(sealFor(how, Buffer.alloc(40)).payload.json.length, sealFor(how, Buffer.alloc(200)).payload.json.length);
    });

    it(`refuses every single altered octet of the payload, with an open.* name and no plaintext: ${how}`, function () {
      this.timeout(20_000);
      const { payload, keys } = sealFor(how, Buffer.from('the text of the message'));
      for (let at = 0; at < payload.json.length; at++) {
        for (const mask of [0x01, 0x02, 0x20, 0x80]) {
          const json = Buffer.from(payload.json);
          json[at] = json[at]! ^ mask;
          for (const index of payload.header.to.keys()) {
            assert.throws(
              () => openAs(index, { json }, keys),
              (error) => error instanceof KeyNotFound || (QuMailError.is(error) && error.code.startsWith('open.')),
              `octet ${at} xor ${mask}`,
            );
          }
        }
      }
    });

    it(`refuses every altered octet of the body itself, also where the attachment's hash was made to fit: ${how}`, function () {
      this.timeout(20_000);
      const { payload, keys } = sealFor(how, Buffer.alloc(65_535, 'x'));
      const { header, aad, body, protectedHeader } = readPayload(payload.json, partsOf(payload));
      assert.ok(body.length > 65_536);
      const sampled = new Set([...Array(100).keys()].flatMap((i) => [i, body.length - 1 - i, (i * 661) % body.length]));
      for (const at of sampled) {
        const altered = Buffer.from(body);
        altered[at] = altered[at]! ^ 0x40;
        assert.throws(
          () => cipher.open({ header, aad, body: altered, selfIndex: 0, keyBytes: keys[0]!.bytes }),
          { code: 'open.tampered' },
          `octet ${at}`,
        );
        if (at % 50 === 0) assert.throws(() => openAs(0, writePayload(protectedHeader, altered), keys), { code: 'open.tampered' });
        if (at % 50 === 0) assert.throws(() => openAs(0, { json: payload.json, bin: altered }, keys), { code: 'open.part-mismatch' });
      }
    });

    it(`refuses a message cut anywhere before a key is asked for: ${how}`, () => {
      const { payload, keys } = sealFor(how, Buffer.alloc(65_535, 'x'));
      for (const length of [0, 1, 56, 65_000, payload.bin!.length - 1]) {
        assert.throws(() => openAs(0, { json: payload.json, bin: payload.bin!.subarray(0, length) }, keys), { code: 'open.truncated' });
      }
      const { protectedHeader, body } = readPayload(payload.json, partsOf(payload));
      for (const length of [0, 15, 16, 60_000]) {
        assert.throws(() => readPayload(writePayload(protectedHeader, body.subarray(0, length)).json, new Map()), {
          code: 'open.truncated',
        });
      }
      const longer = writePayload(protectedHeader, Buffer.concat([body, Buffer.alloc(1)]));
      assert.throws(() => readPayload(longer.json, partsOf(longer)), { code: 'open.malformed', details: { what: 'body' } });
    });

    it(`refuses a header that was replaced as a whole: ${how}`, () => {
      const { payload, keys } = sealFor(how, Buffer.from('text'));
      const { header, body } = readPayload(payload.json, partsOf(payload));
      const mallory = { addr: 'mallory@example.org', sae: 'sae-mallory' };
      for (const forged of [
        { ...header, from: mallory },
        { ...header, ts: '2026-01-02T03:04:06Z' },
        { ...header, to: [...header.to, mallory] },
      ]) {
        // A recipient more would also have to be served by an entry; entries without `to` serve everyone.
        const payloadOfMallory = writePayload(encodeHeader(forged), body);
        assert.throws(() => openAs(0, payloadOfMallory, keys), { code: 'open.tampered' });
      }
    });
  }

  it('takes the key that the level needs, and says so in bits', () => {
    assert.deepEqual(cipher.needOf('L1', 'direct', 0), { bits: 8 * (32 + 256), purpose: 'pad' });
    assert.deepEqual(cipher.needOf('L1', 'direct', 65_535), { bits: 8 * (32 + 65_536), purpose: 'pad' });
    assert.deepEqual(cipher.needOf('L2', 'direct', 10 ** 9), { bits: 256, purpose: 'secret' });
    assert.deepEqual(cipher.needOf('L2', 'wrapped', 10 ** 9), { bits: 512, purpose: 'wrap' });
    assert.throws(() => cipher.needOf('L1', 'direct', 65_536), { code: 'seal.pad-too-large', details: { limit: 65_536, size: 67_584 } });
    assert.throws(() => cipher.needOf('L1', 'wrapped', 0), { code: 'seal.level-unsupported' });
    for (const level of ['L3', 'L4'] as const) assert.throws(() => cipher.needOf(level, 'direct', 0), { code: 'seal.level-unsupported' });
  });

  it('uses whole keys of whatever size the key manager cuts, and destroys nothing it was lent', () => {
    const plaintext = Buffer.from('pad of many keys');
    const bytes = systemRandom.bytes(32 + 256 + 16);
    const copy = Buffer.from(bytes);
    const keyIds = Array.from({ length: 19 }, () => systemRandom.uuid());
    const payload = cipher.seal({
      level: 'L1',
      id: systemRandom.bytes(16),
      ts: TS,
      from: ALICE,
      to: [BOB],
      plaintext,
      keys: [{ keyIds, bytes, how: 'direct' }],
    });
    assert.deepEqual(bytes, copy);
    const read = readPayload(payload.json, new Map());
    assert.deepEqual(read.header.keys, [{ keyIds, bits: bytes.length * 8 }]);
    assert.deepEqual(cipher.open({ ...read, selfIndex: 0, keyBytes: bytes }), plaintext);
  });

  it('seals one ciphertext for several people who share a multicast key', () => {
    for (const level of ['L1', 'L2'] as const) {
      const plaintext = Buffer.from('to both');
      const bytes = systemRandom.bytes(cipher.needOf(level, 'direct', plaintext.length).bits / 8);
      const payload = cipher.seal({
        level,
        id: systemRandom.bytes(16),
        ts: TS,
        from: ALICE,
        to: [BOB, CAROL],
        plaintext,
        keys: [{ keyIds: ['m'], bytes, how: 'direct' }],
      });
      const read = readPayload(payload.json, new Map());
      for (const selfIndex of [0, 1]) assert.deepEqual(cipher.open({ ...read, selfIndex, keyBytes: bytes }), plaintext);
    }
  });

  it('mixes a multicast wrap and a pairwise wrap around one content key', () => {
    const dave = { addr: 'dave@example.org' };
    const keys = [
      { keyIds: ['multi'], bytes: systemRandom.bytes(64), to: [0, 2], how: 'wrapped' as const },
      { keyIds: ['pair'], bytes: systemRandom.bytes(80), to: [1], how: 'wrapped' as const },
    ];
    const payload = cipher.seal({
      level: 'L2',
      id: systemRandom.bytes(16),
      ts: TS,
      from: ALICE,
      to: [BOB, CAROL, dave],
      plaintext: Buffer.from('all'),
      keys,
    });
    for (const index of [0, 1, 2]) assert.equal(openAs(index, payload, keys).toString(), 'all');
    const { header, aad, body } = readPayload(payload.json, new Map());
    // Carol's key does not open Bob's wrap, though both are in the same message.
    const swapped = { ...header, keys: [{ ...header.keys[0]!, wrap: header.keys[1]!.wrap! }, header.keys[1]!] };
    assert.throws(() => cipher.open({ header: swapped, aad, body, selfIndex: 0, keyBytes: keys[0]!.bytes }), { code: 'open.tampered' });
  });

  it('binds a wrap to the message and to the people it is for', () => {
    const { payload, keys } = sealFor('L2 wrapped', Buffer.from('text'));
    const { header, aad, body } = readPayload(payload.json, new Map());
    const other = { ...header, id: systemRandom.bytes(16).toString('base64url') };
    assert.throws(() => cipher.open({ header: other, aad, body, selfIndex: 0, keyBytes: keys[0]!.bytes }), { code: 'open.tampered' });
    const moved = {
      ...header,
      keys: [
        { ...header.keys[0]!, to: [1] },
        { ...header.keys[1]!, to: [0] },
      ],
    };
    assert.throws(() => cipher.open({ header: moved, aad, body, selfIndex: 1, keyBytes: keys[0]!.bytes }), { code: 'open.tampered' });
  });

  it('has nothing for people whom no entry serves', () => {
    const { payload } = sealFor('L2 wrapped', Buffer.from('text'));
    for (const index of [-1, 2, 99, 0.5, Number.NaN])
      assert.throws(() => cipher.entryFor(payload.header, index), { code: 'open.not-for-you' });
    const onlyCarol = { ...payload.header, keys: [payload.header.keys[1]!] };
    assert.throws(() => cipher.entryFor(onlyCarol, 0), { code: 'open.not-for-you' });
    assert.equal(cipher.entryFor(onlyCarol, 1).how, 'wrapped');
  });

  it('refuses key bytes of another length than the header says, before they touch the message', () => {
    for (const how of WAYS) {
      const { payload, keys } = sealFor(how, Buffer.from('text'));
      const read = readPayload(payload.json, new Map());
      for (const keyBytes of [keys[0]!.bytes.subarray(1), Buffer.concat([keys[0]!.bytes, Buffer.alloc(1)]), Buffer.alloc(0)]) {
        assert.throws(() => cipher.open({ ...read, selfIndex: 0, keyBytes }), { code: 'open.tampered' });
      }
    }
  });

  it('refuses to seal what no reader would accept', () => {
    const id = systemRandom.bytes(16);
    const base = { level: 'L2' as const, id, ts: TS, from: ALICE, to: [BOB], plaintext: Buffer.from('x') };
    const direct = { keyIds: ['k'], bytes: Buffer.alloc(32, 1), how: 'direct' as const };
    const wrapped = { keyIds: ['w'], bytes: Buffer.alloc(64, 1), to: [0], how: 'wrapped' as const };
    const refuse = (request: object, code: string): void =>
      assert.throws(() => cipher.seal({ ...base, keys: [direct], ...request }), { code });
    refuse({ keys: [] }, 'engine.bad-request');
    refuse({ keys: [direct, { ...direct, keyIds: ['l'] }] }, 'engine.bad-request');
    refuse({ to: [BOB, CAROL], keys: [wrapped, { ...direct, to: [1] }] }, 'engine.bad-request');
    refuse({ keys: [{ ...wrapped, to: undefined }] }, 'engine.bad-request');
    refuse({ keys: [{ ...wrapped, to: [1] }] }, 'engine.bad-request');
    refuse({ keys: [{ ...direct, keyIds: ['k', 'k'] }] }, 'engine.bad-request');
    refuse({ id: Buffer.alloc(15) }, 'engine.bad-request');
    refuse({ ts: '2026-01-02' }, 'engine.bad-request');
    refuse({ to: [] }, 'engine.bad-request');
    refuse({ from: { addr: 'Alice@EXAMPLE.org' } }, 'engine.bad-request');
    refuse({ keys: [{ ...direct, bytes: Buffer.alloc(31) }] }, 'kme.exhausted');
    refuse({ keys: [{ ...wrapped, bytes: Buffer.alloc(63) }] }, 'kme.exhausted');
    refuse({ level: 'L1', keys: [{ ...wrapped }] }, 'seal.level-unsupported');
    refuse({ to: Array.from({ length: 101 }, (_, i) => ({ addr: `r${i}@example.org` })) }, 'seal.too-many-recipients');
    const keyIds = Array.from({ length: 4097 }, (_, i) => `k${i}`);
    refuse({ level: 'L1', keys: [{ ...direct, keyIds, bytes: Buffer.alloc(4097) }] }, 'seal.pad-too-large');
  });

  it('wipes the content key it made up, also when sealing fails', () => {
    const made: Buffer[] = [];
    const random = { ...systemRandom, bytes: (length: number) => made[made.push(systemRandom.bytes(length)) - 1]! };
    const manager = new CipherManager({ random });
    const keys = [{ keyIds: ['w'], bytes: systemRandom.bytes(64), to: [0], how: 'wrapped' as const }];
    const request = { level: 'L2' as const, id: Buffer.alloc(16), ts: TS, from: ALICE, to: [BOB], plaintext: Buffer.from('x'), keys };
    manager.seal(request);
    assert.ok(made[0]?.length === 32 && made[0].every((octet) => octet === 0));
    assert.throws(() => manager.seal({ ...request, ts: 'now' }));
    assert.ok(made.at(-1)?.length === 32 && made.at(-1)?.every((octet) => octet === 0));
  });

  it('opens what it seals for random messages, people and keys', () => {
    const random = fc.record({
      plaintext: fc.uint8Array({ maxLength: 3000 }),
      people: fc.integer({ min: 1, max: 12 }),
      spare: fc.integer({ min: 0, max: 9 }),
      wrapped: fc.boolean(),
    });
    fc.assert(
      fc.property(random, ({ plaintext, people, spare, wrapped }) => {
        const to = Array.from({ length: people }, (_, i) => ({ addr: `r${i}@example.org` }));
        const keys = wrapped
          ? to.map((_, i) => ({ keyIds: [systemRandom.uuid()], bytes: systemRandom.bytes(64 + spare), to: [i], how: 'wrapped' as const }))
          : [{ keyIds: [systemRandom.uuid()], bytes: systemRandom.bytes(32 + spare), how: 'direct' as const }];
        const payload = cipher.seal({ level: 'L2', id: systemRandom.bytes(16), ts: TS, from: ALICE, to, plaintext, keys });
        for (const index of to.keys()) assert.deepEqual(new Uint8Array(openAs(index, payload, keys)), plaintext);
      }),
      { numRuns: 60 },
    );
  });

  it('authenticates the protected string exactly as it came', () => {
    const { payload } = sealFor('L2', Buffer.from('text'));
    const { protectedHeader, aad } = readPayload(payload.json, new Map());
    assert.deepEqual(aad, Buffer.concat([Buffer.from('QuMail-AAD-v1'), Buffer.of(0), Buffer.from(protectedHeader, 'ascii')]));
    assert.deepEqual(aadOf(protectedHeader), aad);
  });
});
