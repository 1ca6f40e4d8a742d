import { X509Certificate } from 'node:crypto';
import { connect, createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls';
import { QuMailError } from '../base/errors.ts';
import type { KmeProfileName } from '../base/keys.ts';
import { deadline } from './deadline.ts';

/** Where a key manager is, who it must be, and who we are to it. */
export interface KmeProfile {
  /** https://host:port, without the /api/v1 path. */
  readonly url: string;
  /** The KME ID that the server's certificate must carry. */
  readonly kmeId: string;
  /** The own SAE ID; the key manager takes it from the client certificate. */
  readonly saeId: string;
  /** The one authority that is trusted here; the system's are not. */
  readonly caPem: string;
  readonly client:
    | { readonly certPem: string; readonly keyPem: string; readonly passphrase?: string }
    | { readonly pfx: Buffer; readonly passphrase: string };
  /** `lab` accepts simulated key managers only, `real` none of them. */
  readonly world: 'real' | 'lab';
  /** How it wants to be asked; default `etsi`. */
  readonly quirks?: KmeProfileName;
}

/** Organisation in the certificates of every simulated key manager. */
export const SIMULATED_ORGANIZATION = 'QuMail Lab SIMULATED';

/** TLS 1.2 or newer with the profile's client certificate. Throws `account.bad-settings` when certificate, key or CA cannot be read. */
export function secureContextOf(profile: KmeProfile): SecureContext {
  const { client } = profile;
  const own =
    'pfx' in client
      ? { pfx: client.pfx, passphrase: client.passphrase }
      : { cert: client.certPem, key: client.keyPem, ...(client.passphrase === undefined ? {} : { passphrase: client.passphrase }) };
  if (!/-----BEGIN CERTIFICATE-----/.test(profile.caPem)) throw new QuMailError('account.bad-settings', { field: 'caPem' });
  try {
    return createSecureContext({ ...own, ca: profile.caPem, minVersion: 'TLSv1.2' });
  } catch (error) {
    throw new QuMailError('account.bad-settings', { field: 'client' }, { cause: error });
  }
}

/**
 * The identity check after the chain has been verified: the KME ID must be the common name, or one of the alternative names (DNS or URI);
 * host names do not count, since many key managers have no SAN at all. Simulated and real key managers are kept apart here.
 */
export function checkKmeIdentity(certificate: PeerCertificate, profile: Pick<KmeProfile, 'kmeId' | 'world'>): QuMailError | undefined {
  const simulated = [...list(certificate.subject?.O), ...list(certificate.issuer?.O)].includes(SIMULATED_ORGANIZATION);
  if (simulated !== (profile.world === 'lab')) return new QuMailError('kme.simulated', { world: profile.world });
  const names = [...list(certificate.subject?.CN), ...alternativeNames(certificate.subjectaltname ?? '')];
  if (names.includes(profile.kmeId)) return undefined;
  return new QuMailError('kme.identity', {
    reason: 'kme-id',
    expected: profile.kmeId,
    found: names.slice(0, 8).map((found) => found.slice(0, 80)),
  });
}

/** What the TLS of a key manager looks like: one handshake, nothing asked. @throws QuMailError `kme.*` */
export async function lookAtTls(
  profile: KmeProfile,
  timeoutMs: number,
): Promise<{ version: string; idIn: 'common-name' | 'alternative-name' }> {
  const url = new URL(profile.url);
  const socket = connect({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 443),
    secureContext: secureContextOf(profile),
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => checkKmeIdentity(certificate, profile),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const late = deadline(timeoutMs, () => reject(new QuMailError('kme.timeout', { phase: 'connect', ms: timeoutMs })));
      socket.once('secureConnect', () => (late.dispose(), resolve()));
      socket.once('error', (error) => (late.dispose(), reject(connectionError(error, 'not-sent'))));
    });
    const names = alternativeNames(socket.getPeerCertificate().subjectaltname ?? '');
    return { version: socket.getProtocol() ?? 'unknown', idIn: names.includes(profile.kmeId) ? 'alternative-name' : 'common-name' };
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

/** Node gives one attribute as a string and several as an array. */
function list(attribute: string | string[] | undefined): string[] {
  return attribute === undefined ? [] : Array.isArray(attribute) ? attribute : [attribute];
}

/** DNS and URI names out of Node's `subjectaltname`, where a name with special characters is a JSON string. */
function alternativeNames(text: string): string[] {
  const names: string[] = [];
  for (const match of text.matchAll(/(?:^|, )(DNS|URI|[A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    if (match[1] !== 'DNS' && match[1] !== 'URI') continue;
    names.push(match[2]!.startsWith('"') ? String(JSON.parse(match[2]!)) : match[2]!);
  }
  return names;
}

/**
 * Some servers reset the connection instead of saying what they hold against a client certificate. Where our own has run out, that is the
 * likely reason, and the one a person can do something about. (What is inside PKCS#12 cannot be looked at here.)
 */
export function ownCertificateExpired(profile: KmeProfile, now: number): 'expired' | 'valid' {
  if ('pfx' in profile.client) return 'valid';
  try {
    const { validFromDate, validToDate } = new X509Certificate(profile.client.certPem);
    return now > validToDate.getTime() || now < validFromDate.getTime() ? 'expired' : 'valid';
  } catch {
    return 'valid'; // OpenSSL took it when the client was made; whatever this is, it is not a date
  }
}

/** The name of a failed connection by Node's and OpenSSL's codes; `sent` tells whether the request could have reached the key manager. */
export function connectionError(error: unknown, sent: 'sent' | 'not-sent'): QuMailError {
  if (error instanceof QuMailError) return error;
  const code = codeOf(error);
  const options = { cause: error };
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return new QuMailError('kme.certificate-expired', { whose: 'key-manager' }, options);
  if (code.includes('ALERT_CERTIFICATE_EXPIRED')) return new QuMailError('kme.certificate-expired', { whose: 'own' }, options);
  if (UNTRUSTED.has(code)) return new QuMailError('kme.identity', { reason: code }, options);
  // The key manager's TLS refused our certificate: unknown authority, revoked, missing.
  if (/ALERT_(?:BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE|ACCESS_DENIED|UNSUPPORTED_CERTIFICATE|NO_CERTIFICATE)/.test(code))
    return new QuMailError('kme.unauthorised', { reason: code }, options);
  if (code.startsWith('ERR_SSL') || code === 'EPROTO' || code.startsWith('HPE_'))
    return new QuMailError('kme.bad-answer', { reason: code }, options);
  return new QuMailError('kme.unreachable', { reason: code, sent }, options);
}

const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_CHAIN_TOO_LONG',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}
