import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** One label of a host name in A-label form (RFC 1123 section 2.1, RFC 5890). */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A host name that somebody else proposed, in lower-case A-labels; undefined unless it is a full name under a domain. Refused: IP
 * literals in any spelling (a last label of digits is how `0x7f.1` would become one), names without a dot, control characters, blanks,
 * ports, schemes, paths, and what punycode does not map.
 */
export function mailHost(text: string): string | undefined {
  const given = text.trim().replace(/\.$/, '');
  if (given.length === 0 || given.length > 253 || /[\p{C}\p{Z}:/\\@[\]%?#]/u.test(given)) return undefined;
  const ascii = /^[\x21-\x7e]+$/.test(given) ? given.toLowerCase() : domainToASCII(given);
  const labels = ascii.split('.');
  const last = labels.at(-1) ?? '';
  if (labels.length < 2 || ascii.length > 253 || isIP(ascii) !== 0 || !/[a-z]/.test(last) || /^0x[0-9a-f]*$/.test(last)) return undefined;
  return labels.every((label) => LABEL.test(label)) ? ascii : undefined;
}
