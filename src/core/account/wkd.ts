import { createHash } from 'node:crypto';
import { mailHost } from '../transport/mailHost.ts';

/** Where a Web Key Directory keeps the certificate of an address (draft-koch-openpgp-webkey-service section 3.1). */
export interface WkdPlaces {
  readonly domain: string;
  /** A host of its own, `openpgpkey.` under the domain. */
  readonly advanced: string;
  /** The domain itself; asked only where the host of its own does not exist. */
  readonly direct: string;
}

/** Names that reach this machine or its neighbours rather than a domain's own server (RFC 6761, RFC 6762, RFC 8375, RFC 9476). */
const LOCAL = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|alt|onion|home\.arpa|in-addr\.arpa|ip6\.arpa)$/;
const Z_BASE_32 = 'ybndrfg8ejkmcpqxot1uwisza345h769';

/** The places for a normalised address; undefined where its domain is no name of the public DNS: IP literals, single labels, local names. */
export function wkdPlaces(address: string): WkdPlaces | undefined {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = mailHost(address.slice(at + 1));
  if (at < 1 || domain === undefined || LOCAL.test(domain)) return undefined;
  const query = `${wkdHash(local)}?l=${encodeURIComponent(local)}`;
  return {
    domain,
    advanced: `https://openpgpkey.${domain}/.well-known/openpgpkey/${domain}/hu/${query}`,
    direct: `https://${domain}/.well-known/openpgpkey/hu/${query}`,
  };
}

/**
 * The name under which a directory keeps a local part: z-base-32 of SHA-1 over its lower-case form. The draft fixes SHA-1, and nothing
 * rests on it here: it names a file; whose certificate is in it, the certificate itself and the person have to say. As in
 * keys/betrayal.ts, no secret ever goes through SHA-1.
 */
export function wkdHash(local: string): string {
  // The draft: ASCII letters alone are mapped to lower case.
  const lower = local.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return zBase32(createHash('sha1').update(lower, 'utf8').digest());
}

/** z-base-32 (RFC 6189 section 5.1.6) of whole octets. */
function zBase32(octets: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const octet of octets) {
    held = (held << 8) | octet;
    for (bits += 8; bits >= 5; bits -= 5) text += Z_BASE_32[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + Z_BASE_32[(held << (5 - bits)) & 31] : text;
}
