import type { ErrorCode } from './errors.ts';

/** Codes Node gives for sockets, name lookup and HTTP parsing (`error.code`), and what they mean to us. */
const SOCKET_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'net.host-unknown',
  EAI_AGAIN: 'net.host-unknown',
  EAI_FAIL: 'net.host-unknown',
  EAI_NODATA: 'net.host-unknown',
  EAI_NONAME: 'net.host-unknown',
  ENODATA: 'net.host-unknown',
  ESERVFAIL: 'net.host-unknown',
  ECONNREFUSED: 'net.refused',
  EHOSTUNREACH: 'net.refused',
  EHOSTDOWN: 'net.refused',
  ENETUNREACH: 'net.refused',
  ENETDOWN: 'net.refused',
  EADDRNOTAVAIL: 'net.refused',
  EACCES: 'net.refused',
  EPERM: 'net.refused',
  ETIMEDOUT: 'net.timeout',
  ESOCKETTIMEDOUT: 'net.timeout',
  ERR_SOCKET_CONNECTION_TIMEOUT: 'net.timeout',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'net.timeout',
  ECONNRESET: 'net.cut',
  ECONNABORTED: 'net.cut',
  EPIPE: 'net.cut',
  ENOTCONN: 'net.cut',
  ERR_STREAM_PREMATURE_CLOSE: 'net.cut',
  ERR_STREAM_DESTROYED: 'net.cut',
  ERR_SOCKET_CLOSED: 'net.cut',
  ERR_STREAM_WRITE_AFTER_END: 'net.cut',
  EPROTO: 'net.protocol',
  // What Node reports when the peer's certificate does not convince it (X509_V_ERR_* without the prefix, src/crypto/crypto_common.cc).
  DEPTH_ZERO_SELF_SIGNED_CERT: 'net.certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'net.certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'net.certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'net.certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'net.certificate',
  UNABLE_TO_GET_CRL: 'net.certificate',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'net.certificate',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'net.certificate',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'net.certificate',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'net.certificate',
  INVALID_CA: 'net.certificate',
  INVALID_PURPOSE: 'net.certificate',
  PATH_LENGTH_EXCEEDED: 'net.certificate',
  HOSTNAME_MISMATCH: 'net.certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'net.certificate',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'net.certificate',
};

/** Families of codes, tried in order after the exact names. */
const FAMILIES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^CERT_/, 'net.certificate'], // CERT_HAS_EXPIRED, CERT_NOT_YET_VALID, CERT_UNTRUSTED, CERT_REVOKED, ...
  [/^HPE_/, 'net.protocol'], // llhttp: what came back is not HTTP
  [/^ERR_SSL_/, 'net.protocol'], // OpenSSL or BoringSSL: not TLS, no common version or cipher, an alert from the peer
];

/** How deep `cause` and `errors` are followed; a hostile or careless library could make a circle. */
const MAX_DEPTH = 6;

/**
 * The `net.*` code for a socket, DNS or TLS failure as Node reports it, looking through `cause` and the `errors` of an
 * AggregateError (several addresses tried). Undefined when the error is not one of those: the caller knows better then.
 */
export function netErrorCode(error: unknown): ErrorCode | undefined {
  return search(error, MAX_DEPTH);
}

function search(error: unknown, depth: number): ErrorCode | undefined {
  if (typeof error !== 'object' || error === null || depth === 0) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  const own = typeof code === 'string' ? ofCode(code) : undefined;
  if (own) return own;
  for (const inner of Array.isArray(errors) ? errors : []) {
    const found = search(inner, depth - 1);
    if (found) return found;
  }
  return search(cause, depth - 1);
}

function ofCode(code: string): ErrorCode | undefined {
  if (Object.hasOwn(SOCKET_CODES, code)) return SOCKET_CODES[code];
  return FAMILIES.find(([pattern]) => pattern.test(code))?.[1];
}
