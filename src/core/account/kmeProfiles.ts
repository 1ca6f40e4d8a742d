import { QuMailError } from '../base/errors.ts';
import type { KmeProfile } from '../keys/kmeClient.ts';
import type { KeyManagerRecord, StandbyRecord } from '../store/keyManagers.ts';
import { ClientKeySchema, parseStored } from './stored.ts';

/** ETSI SAE IDs are opaque; printable ASCII of a sane length is what travels safely in URLs and headers. */
export const SAE_ID = /^[\x21-\x7e]{1,128}$/;

/** Name of the secret that holds an account's client key for its key manager. */
export function clientKeySecret(accountId: string): string {
  return `kme.client.${accountId}`;
}

/** The profiles of an account's key manager and its standbys, in the order in which they are asked. */
export function profilesOf(
  record: KeyManagerRecord,
  standbys: readonly StandbyRecord[],
  secret: string | undefined,
  world: 'real' | 'lab',
): [KmeProfile, ...KmeProfile[]] {
  if (secret === undefined) throw new QuMailError('kme.client-key-missing');
  const common = { saeId: record.saeId, quirks: record.profile, client: clientOf(parseStored(ClientKeySchema, secret)), world };
  const of = ({ url, kmeId, caPem }: StandbyRecord): KmeProfile => ({ ...common, url, kmeId, caPem });
  return [of(record), ...standbys.map(of)];
}

function clientOf(stored: ReturnType<typeof parseStored<typeof ClientKeySchema>>): KmeProfile['client'] {
  if (stored.kind === 'pkcs12') return { pfx: Buffer.from(stored.pfxBase64, 'base64'), passphrase: stored.passphrase };
  return { certPem: stored.certPem, keyPem: stored.keyPem, ...(stored.passphrase !== undefined && { passphrase: stored.passphrase }) };
}
