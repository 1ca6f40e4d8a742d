import { foldField, type HeaderField } from './headerField.ts';
import { outerFields, type OuterHeaders } from './writeMime.ts';

/** Outside of encrypted mail to people without QuMail (RFC 9788, section 3.2.1: hcp_baseline). */
export const PGP_OUTER_SUBJECT = '[...]';

/**
 * PGP/MIME (RFC 3156 section 4): the two parts that carry an armored OpenPGP message, with only the outer headers in the clear. CRLF, 7-bit.
 *
 * @param boundary a random text of letters and digits
 */
export function writePgpMime(o: OuterHeaders, armored: string, boundary: string): Buffer {
  const structural: HeaderField[] = [
    { name: 'MIME-Version', value: '1.0' },
    { name: 'Content-Type', value: `multipart/encrypted; protocol="application/pgp-encrypted"; boundary="${boundary}"` },
  ];
  const header = [...outerFields(o), ...structural].map(foldField).join('');
  const version = 'Content-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\nVersion: 1\r\n';
  const message =
    'Content-Type: application/octet-stream; name="encrypted.asc"\r\n' +
    'Content-Description: OpenPGP encrypted message\r\n' +
    'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n' +
    `${armored.trimEnd()}\r\n`;
  return Buffer.from(`${header}\r\n--${boundary}\r\n${version}\r\n--${boundary}\r\n${message}\r\n--${boundary}--\r\n`);
}
