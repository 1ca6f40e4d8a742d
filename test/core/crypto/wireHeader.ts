import assert from 'node:assert/strict';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { readPayload } from '../../../src/core/crypto/envelope.ts';
import { ALICE, BOB, TS } from './sealed.ts';

export type Json = Record<string, unknown>;
export const ID = Buffer.alloc(16, 1).toString('base64url');
export const W = Buffer.alloc(48).toString('base64url');
/** A sound L2 header on the wire; a test changes one thing about it. */
export const wire = (change: Json = {}): Json => ({
  v: 1,
  id: ID,
  lvl: 'L2',
  suite: 'QM1-CB256',
  ts: TS,
  from: ALICE,
  to: [BOB],
  keys: [{ k: ['key-1'], bits: 256 }],
  len: 256,
  pt: 'mime',
  ...change,
});
export const L2_BODY = Buffer.alloc(56 + 256 + 16);
const b64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const payloadOf = (header: unknown, rest: Json = { body: L2_BODY.toString('base64url') }): Buffer =>
  Buffer.from(JSON.stringify({ qumail: 1, protected: b64(header), ...rest }));
export const read = (header: unknown, rest?: Json, parts = new Map<string, Buffer>()) => readPayload(payloadOf(header, rest), parts);
export const refuses = (run: () => unknown, code: string, details?: Json): void =>
  assert.throws(run, (error) => {
    assert.ok(QuMailError.is(error), String(error));
    assert.equal(error.code, code);
    if (details) assert.deepEqual(error.details, details);
    return true;
  });
export const uuids = (count: number): string[] => Array.from({ length: count }, () => systemRandom.uuid());
