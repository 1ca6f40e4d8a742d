import * as v from 'valibot';
import { ERROR_CODES, QuMailError, type ErrorCode, type ErrorDetails } from '../base/errors.ts';

/** The client key of a key manager as it lies in the secret store. */
export const ClientKeySchema = v.variant('kind', [
  v.object({ kind: v.literal('pem'), certPem: v.string(), keyPem: v.string(), passphrase: v.optional(v.string()) }),
  v.object({ kind: v.literal('pkcs12'), pfxBase64: v.string(), passphrase: v.string() }),
]);

const FailureSchema = v.object({
  code: v.picklist(ERROR_CODES),
  details: v.record(v.string(), v.union([v.string(), v.number(), v.array(v.string())])),
});

/** A JSON value from the secret store or the database, checked; throws `store.corrupt`. */
export function parseStored<S extends v.GenericSchema>(schema: S, json: string): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(json));
  } catch (error) {
    throw new QuMailError('store.corrupt', {}, { cause: error instanceof v.ValiError ? undefined : error });
  }
}

/** Raised whenever this program learns to open what it refused before. */
export const ENGINE_VERSION = 2;
/** Failures to open that a later version may not have. */
export const OPENED_BY_UPGRADES: readonly ErrorCode[] = [
  'open.unknown-version',
  'open.unknown-suite',
  'open.unknown-critical',
  'open.level-unsupported',
];

/** A failure as a database column holds it, with the version of the program that met it. */
export function writeFailure(error: QuMailError): string {
  return JSON.stringify({ code: error.code, details: error.details, engine: ENGINE_VERSION });
}

/** The failure in a database column, undefined where there is none or a newer version wrote an unknown code. */
export function readFailure(json: string | undefined): { code: ErrorCode; details: ErrorDetails } | undefined {
  if (json === undefined) return undefined;
  try {
    return v.parse(FailureSchema, JSON.parse(json));
  } catch {
    return undefined;
  }
}
