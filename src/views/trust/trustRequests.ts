import * as v from 'valibot';
import { TRUST_ACTIONS, type TrustRequest } from './trustProtocol.ts';

const generation = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const schema = v.variant('kind', [
  v.strictObject({ kind: v.literal('ready') }),
  v.strictObject({ kind: v.literal('action'), generation, action: v.picklist(TRUST_ACTIONS) }),
  v.strictObject({ kind: v.literal('text'), generation, text: v.pipe(v.string(), v.maxLength(4096)) }),
  v.strictObject({ kind: v.literal('no-code'), generation }),
]);

/** A message of the page as a request; undefined where it is none. */
export function parseTrustRequest(value: unknown): TrustRequest | undefined {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : undefined;
}
