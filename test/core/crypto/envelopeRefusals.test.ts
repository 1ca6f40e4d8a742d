import assert from 'node:assert/strict';
import { readPayload } from '../../../src/core/crypto/envelope.ts';
import { ALICE, BOB } from './sealed.ts';
import { ID, read, refuses, uuids, W, wire, type Json } from './wireHeader.ts';

describe('envelope reader', () => {
  it('stops at each limit before it does anything else', () => {
    refuses(() => readPayload(Buffer.alloc(1_048_577, 0x20), new Map()), 'open.limit', { what: 'payload', limit: 1_048_576 });
    refuses(() => readPayload(Buffer.alloc(1_048_576, 0x20), new Map()), 'open.malformed');
    const padded = (length: number): string => JSON.stringify(wire()).padEnd(length, ' ');
    assert.equal(read(padded(262_144)).header.level, 'L2');
    refuses(() => read(padded(262_145)), 'open.limit', { what: 'header', limit: 262_144 });
    refuses(() => readPayload(Buffer.from(`{"qumail":1,"protected":"${'!'.repeat(400_000)}","body":""}`), new Map()), 'open.limit', {
      what: 'header',
      limit: 262_144,
    });

    const people = (count: number): Json => ({ to: Array.from({ length: count }, (_, i) => ({ addr: `r${i}@example.org` })) });
    assert.equal(read(wire(people(100))).header.to.length, 100);
    refuses(() => read(wire(people(101))), 'open.limit', { what: 'recipients', limit: 100 });

    const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`);
    assert.equal(read(wire({ keys: [{ k: ids(4096), bits: 256 }] })).header.keys[0]?.keyIds.length, 4096);
    refuses(() => read(wire({ keys: [{ k: ids(4097), bits: 256 }] })), 'open.limit', { what: 'key IDs', limit: 4096 });
    const packed = (count: number): string =>
      Buffer.from(Uint8Array.from({ length: count * 16 }, (_, i) => (i % 16 > 12 ? (i >> 4) >> (8 * (15 - (i % 16))) : 7))).toString(
        'base64url',
      );
    assert.equal(read(wire({ keys: [{ kp: packed(4096), bits: 256 }] })).header.keys[0]?.keyIds.length, 4096);
    refuses(() => read(wire({ keys: [{ kp: packed(4097), bits: 256 }] })), 'open.limit', { what: 'key IDs', limit: 4096 });
    refuses(
      () =>
        read(
          wire({
            to: [BOB, ALICE],
            keys: [
              { k: ids(4000), bits: 512, to: [0], w: W },
              { k: uuids(97), bits: 512, to: [1], w: W },
            ],
          }),
        ),
      'open.limit',
    );

    assert.equal(read(wire({ deep: [[[[[1]]]]] })).header.level, 'L2');
    refuses(() => read(wire({ deep: [[[[[[1]]]]]] })), 'open.limit', { what: 'nesting', limit: 6 });
    const pad = { lvl: 'L1', suite: 'QM1-OTP-P1305', len: 67_584, keys: [{ k: ['a'], bits: 8 * (32 + 67_584) }] };
    refuses(() => read(wire(pad)), 'open.limit', { what: 'pad', limit: 65_536 });
  });

  it('refuses members that do not fit their schema', () => {
    const changes: Json[] = [
      { id: ID.slice(1) },
      { id: `${ID.slice(0, -1)}B` },
      { id: `${ID}==` },
      { id: 1 },
      { ts: '2026-01-02T03:04:05.000Z' },
      { ts: '2026-01-02T03:04:05+00:00' },
      { ts: '2026-02-30T00:00:00Z' },
      { ts: '2026-01-02T24:00:00Z' },
      { from: undefined },
      { from: { addr: 'x' } },
      { from: { addr: '@example.org' } },
      { from: { addr: 'a@' } },
      { from: { addr: 'a@Example.org' } },
      { from: { addr: 'a\r\nBcc: b@example.org' } },
      { from: { addr: `${'a'.repeat(250)}@example.org` } },
      { from: { addr: 'e\u0301@example.org' } },
      { from: { ...ALICE, sae: '' } },
      { from: { ...ALICE, sae: 7 } },
      { to: [] },
      { to: BOB },
      { len: 255 },
      { len: 0 },
      { len: -256 },
      { pt: 'text' },
      { keys: [] },
      { keys: {} },
      { keys: undefined },
      { keys: [null] },
      { keys: [{ k: [], bits: 256 }] },
      { keys: [{ k: [''], bits: 256 }] },
      { keys: [{ k: ['a\0b'], bits: 256 }] },
      { keys: [{ bits: 256 }] },
      { keys: [{ k: ['a'], kp: 'A'.repeat(22), bits: 256 }] },
      { keys: [{ kp: '', bits: 256 }] },
      { keys: [{ kp: 'AAAA', bits: 256 }] },
      { keys: [{ kp: `${'A'.repeat(21)}B`, bits: 256 }] },
      { keys: [{ k: ['a', 'a'], bits: 256 }] },
      { keys: [{ k: ['a'], bits: 255 }] },
      { keys: [{ k: ['a'], bits: 248 }] },
      { keys: [{ k: ['a'], bits: 8 * 65_536 }] },
      { keys: [{ k: ['a'], bits: 256, to: [1] }] },
      { keys: [{ k: ['a'], bits: 256, to: [-1] }] },
      { keys: [{ k: ['a'], bits: 256, to: [] }] },
      { keys: [{ k: ['a'], bits: 256, to: [0, 0] }] },
      { keys: [{ k: ['a'], bits: 512, w: W }] },
      { keys: [{ k: ['a'], bits: 504, to: [0], w: W }] },
      { keys: [{ k: ['a'], bits: 512, to: [0], w: W.slice(4) }] },
      {
        keys: [
          { k: ['a'], bits: 512, to: [0], w: W },
          { k: ['b'], bits: 512, to: [0], w: W },
        ],
      },
      {
        keys: [
          { k: ['a'], bits: 256 },
          { k: ['b'], bits: 256 },
        ],
      },
      { lvl: 'L1', suite: 'QM1-OTP-P1305', keys: [{ k: ['a'], bits: 8 * 287 }] },
      { lvl: 'L1', suite: 'QM1-OTP-P1305', keys: [{ k: ['a'], bits: 8 * 512, to: [0], w: W }] },
    ];
    for (const change of changes) refuses(() => read(wire(change)), 'open.malformed');
    for (const header of ['', '[]', 'null', '1', '{}']) refuses(() => read(header), 'open.malformed');
    for (const json of ['', '[]', 'null', '{}', '{"qumail":1}', '{"qumail":1,"protected":1,"body":""}'])
      refuses(() => readPayload(Buffer.from(json), new Map()), 'open.malformed');
    for (const body of ['A', 'AA==', '!!!!', 1, null]) refuses(() => read(wire(), { body }), 'open.malformed', { what: 'body' });
  });
});
