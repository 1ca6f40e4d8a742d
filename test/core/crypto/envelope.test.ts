import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { encodeHeader, readPayload, writePayload, type EnvelopeHeader } from '../../../src/core/crypto/envelope.ts';
import { ALICE, BOB, partsOf, TS } from './sealed.ts';
import { ID, L2_BODY, read, refuses, uuids, W, wire, type Json } from './wireHeader.ts';

describe('envelope', () => {
  it('reads what it writes, for every header that can be written', () => {
    const party = fc.record(
      {
        addr: fc.nat(9999).map((n) => `p${n}@example.org`),
        sae: fc.string({ minLength: 1, maxLength: 20 }).filter((s) => !/\p{Cc}/u.test(s)),
      },
      { requiredKeys: ['addr'] },
    );
    const header = fc.record({
      id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
      from: party,
      to: fc.uniqueArray(party, { minLength: 1, maxLength: 20, selector: (p) => p.addr }),
      keyIds: fc.oneof(
        fc.integer({ min: 1, max: 20 }).map(uuids),
        fc.uniqueArray(
          fc.string({ minLength: 1, maxLength: 9 }).filter((s) => !/\p{Cc}/u.test(s)),
          { minLength: 1, maxLength: 12 },
        ),
      ),
      wrapped: fc.boolean(),
    });
    fc.assert(
      fc.property(header, ({ id, from, to, keyIds, wrapped }) => {
        const entry = wrapped ? { keyIds, bits: 512, to: [...to.keys()].reverse(), wrap: systemRandom.bytes(48) } : { keyIds, bits: 256 };
        const written: EnvelopeHeader = {
          id,
          level: 'L2',
          suite: 'QM1-CB256',
          ts: TS,
          from,
          to,
          keys: [entry],
          paddedLength: 256,
          plaintext: 'mime',
        };
        const result = readPayload(writePayload(encodeHeader(written), L2_BODY).json, new Map());
        assert.deepEqual(JSON.parse(JSON.stringify(result.header)), JSON.parse(JSON.stringify(written)));
        assert.deepEqual(result.body, L2_BODY);
      }),
      { numRuns: 150 },
    );
  });

  it('packs key IDs above eight when all are lower-case UUIDs, and lists them otherwise', () => {
    const entryOf = (keyIds: string[]): Json => {
      const header = {
        id: ID,
        level: 'L2',
        suite: 'QM1-CB256',
        ts: TS,
        from: ALICE,
        to: [BOB],
        keys: [{ keyIds, bits: 256 }],
        paddedLength: 256,
        plaintext: 'mime',
      } as const;
      const json = JSON.parse(Buffer.from(encodeHeader(header), 'base64url').toString()) as { keys: Json[] };
      return json.keys[0]!;
    };
    assert.ok('k' in entryOf(uuids(8)));
    const nine = uuids(9);
    assert.equal(entryOf(nine)['kp'], Buffer.from(nine.join('').replaceAll('-', ''), 'hex').toString('base64url'));
    assert.ok('k' in entryOf([...nine.slice(1), nine[0]!.toUpperCase()]));
    assert.ok('k' in entryOf([...nine, 'not-a-uuid']));
  });

  it('puts a body above 65,536 octets into the part, and there only', () => {
    const at = writePayload('x', Buffer.alloc(65_536));
    const above = writePayload('x', Buffer.alloc(65_537));
    assert.equal(at.bin, undefined);
    assert.equal(above.bin?.length, 65_537);
    assert.deepEqual((JSON.parse(above.json.toString()) as Json)['part'], {
      name: 'qumail_payload.bin',
      len: 65_537,
      sha256: createHash('sha256').update(above.bin).digest('base64url'),
    });
    refuses(() => read(wire(), { body: Buffer.alloc(65_537).toString('base64url') }), 'open.limit', { what: 'body', limit: 65_536 });
    refuses(() => read(wire(), { part: { name: 'qumail_payload.bin', len: 65_536, sha256: 'x' } }), 'open.malformed', { what: 'part.len' });
  });

  it('names what is wrong with the part: missing, cut, longer, another', () => {
    const bin = Buffer.alloc(70_000, 1);
    const part = { name: 'qumail_payload.bin', len: bin.length, sha256: createHash('sha256').update(bin).digest('base64url') };
    const withPart = (bytes?: Buffer) => () => read(wire(), { part }, new Map(bytes && [['qumail_payload.bin', bytes]]));
    refuses(withPart(), 'open.part-missing', { name: 'qumail_payload.bin' });
    refuses(withPart(bin.subarray(1)), 'open.truncated', { wanted: 70_000, got: 69_999 });
    refuses(withPart(Buffer.concat([bin, Buffer.alloc(1)])), 'open.part-mismatch');
    refuses(withPart(Buffer.alloc(70_000, 2)), 'open.part-mismatch');
    refuses(() => read(wire(), { part, body: 'AA' }), 'open.malformed', { what: 'body' });
    refuses(() => read(wire(), {}), 'open.malformed', { what: 'body' });
    for (const broken of [null, 1, [], {}, { ...part, len: '70000' }, { ...part, name: 1 }])
      refuses(() => read(wire(), { part: broken }), 'open.malformed');
  });

  it('refuses unknown versions, suites and critical members by name', () => {
    refuses(() => read(wire({ v: 2 })), 'open.unknown-version');
    refuses(() => read(wire({ v: '1' })), 'open.malformed');
    refuses(() => readPayload(Buffer.from('{"qumail":2,"protected":"","body":""}'), new Map()), 'open.unknown-version');
    refuses(() => read(wire({ suite: 'QM2-NEW' })), 'open.unknown-suite', { suite: 'QM2-NEW' });
    refuses(() => read(wire({ suite: '__proto__' })), 'open.unknown-suite');
    refuses(() => read(wire({ crit: ['len', 'expires'], expires: 1 })), 'open.unknown-critical', { name: 'expires' });
    refuses(() => read(wire({ crit: 'len' })), 'open.malformed', { what: 'crit' });
    refuses(() => read(wire({ crit: [1] })), 'open.malformed', { what: 'crit' });
    assert.equal(read(wire({ crit: ['len'], unknown: { a: [1, null, true] } })).header.level, 'L2');
  });

  it('refuses by name what this version does not open: signed plaintext', () => {
    refuses(() => read(wire({ pt: 'pgp' })), 'open.level-unsupported', { suite: 'QM1-CB256', plaintext: 'pgp' });
  });

  it('reads a post-quantum share with its suite, and with no other', () => {
    const combined = { suite: 'QM1-CB256+PQ', pq: 'AAAA', crit: ['pq'] };
    assert.deepEqual(read(wire(combined)).header.pq, Buffer.alloc(3));
    for (const pq of [undefined, '', '!', 'AAA=', 1, null, ['AAAA']]) refuses(() => read(wire({ ...combined, pq })), 'open.malformed');
    refuses(() => read(wire({ pq: 'AAAA' })), 'open.malformed', { what: 'pq' });
    refuses(() => read(wire({ lvl: 'L1', suite: 'QM1-OTP-P1305', keys: [{ k: ['k'], bits: 2304 }], pq: 'AAAA' })), 'open.malformed');
  });

  it('reads L3 without keys, whose body is longer than its plaintext but not by much', () => {
    const header = wire({ lvl: 'L3', suite: 'QM1-PGP9980', keys: undefined });
    const tag = Buffer.alloc(32).toString('base64url');
    const body = (length: number) => ({ body: Buffer.alloc(length).toString('base64url'), tag });
    for (const wrong of [undefined, '', 7, `${tag}AA`])
      refuses(() => read(header, { ...body(300), tag: wrong }), 'open.malformed', { what: 'tag' });
    assert.deepEqual(read(header, body(300)).header.keys, []);
    refuses(() => read(header, body(255)), 'open.truncated');
    refuses(() => read({ ...header, keys: [{ k: ['k'], bits: 256 }] }, body(300)), 'open.malformed', { what: 'keys' });
    refuses(() => read({ ...header, keys: [] }, body(300)), 'open.malformed');
    refuses(() => read({ ...header, pq: 'AAAA' }, body(300)), 'open.malformed', { what: 'pq' });
    refuses(() => read(wire({ keys: undefined })), 'open.malformed', { what: 'keys' });
    const large = Buffer.alloc(256 + 262_144 + 5);
    const part = { name: 'qumail_payload.bin', len: large.length, sha256: createHash('sha256').update(large).digest('base64url') };
    refuses(() => read(header, { part, tag }, new Map([['qumail_payload.bin', large]])), 'open.malformed', { what: 'body' });
  });

  it('refuses level and suite that do not belong together', () => {
    const pairs = [
      ['L1', 'QM1-CB256'],
      ['L2', 'QM1-OTP-P1305'],
      ['L3', 'QM1-CB256'],
      ['L4', 'QM1-CB256'],
      ['L1', 'QM1-PGP9980'],
      ['l2', 'QM1-CB256'],
    ];
    for (const [lvl, suite] of pairs) refuses(() => read(wire({ lvl, suite })), 'open.malformed', { what: 'suite' });
  });

  it('refuses a duplicate member in payload or header', () => {
    refuses(() => readPayload(Buffer.from('{"qumail":1,"qumail":1,"protected":"","body":""}'), new Map()), 'open.duplicate-member', {
      name: 'qumail',
    });
    refuses(() => read(JSON.stringify(wire()).replace('"v":1', '"v":1,"v":1')), 'open.duplicate-member', { name: 'v' });
    refuses(() => read(JSON.stringify(wire()).replace('"sae":"sae-bob"', '"addr":"eve@example.org"')), 'open.duplicate-member', {
      name: 'addr',
    });
  });

  it('answers any payload with a value or an open.* error', () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        1,
        0,
        -1,
        '',
        'L1',
        'L3',
        'QM1-CB256',
        'QM1-CB256+PQ',
        'QM1-PGP9980',
        'AAAA',
        ID,
        W,
        null,
        true,
        [],
        {},
        [[]],
        BOB,
      ),
      fc.jsonValue(),
    );
    const names = ['v', 'id', 'lvl', 'suite', 'ts', 'from', 'to', 'keys', 'pq', 'len', 'pt', 'crit'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 }), (change) => {
        try {
          read(wire(change));
        } catch (error) {
          assert.ok(QuMailError.is(error) && error.code.startsWith('open.'), String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('ignores attachments that nobody named', () => {
    const parts = partsOf({ json: Buffer.alloc(0), bin: Buffer.alloc(10) });
    assert.deepEqual(read(wire(), undefined, parts).body, L2_BODY);
  });
});
