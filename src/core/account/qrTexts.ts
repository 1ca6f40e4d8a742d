import { QuMailError } from '../base/errors.ts';
import { normalizeAddress } from '../mail/address.ts';

/** What the QR code of a contact card says: enough to know the right certificate when it comes. */
export interface CardQr {
  readonly addr: string;
  /** Upper-case hex. */
  readonly fingerprint: string;
  readonly saeId?: string;
  readonly kmeId?: string;
}

/** What the QR code for verification says, from the side of who shows it. */
export interface VerifyQr {
  readonly addr: string;
  readonly fingerprint: string;
  readonly peerAddr: string;
  readonly peerFingerprint: string;
}

/** Version 40-L of a QR code holds 2,953 octets; ours hold some 300. */
const MAX_QR = 2_953;
const FINGERPRINT = /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/;
const PRINTABLE = /^[\x21-\x7e]{1,128}$/;
const CARD = 'qumail-card';
const VERIFY = 'qumail-verify';

export function encodeCardQr({ addr, fingerprint, saeId, kmeId }: CardQr): string {
  const members = { v: '1', a: addr, f: fingerprint, ...(saeId !== undefined && { s: saeId }), ...(kmeId !== undefined && { k: kmeId }) };
  return `${CARD}:${new URLSearchParams(members).toString()}`;
}

export function encodeVerifyQr({ addr, fingerprint, peerAddr, peerFingerprint }: VerifyQr): string {
  return `${VERIFY}:${new URLSearchParams({ v: '1', a: addr, f: fingerprint, b: peerAddr, g: peerFingerprint }).toString()}`;
}

/** @throws QuMailError `qr.other-protocol` (details: scheme), `qr.malformed` (details: what) */
export function decodeCardQr(text: string): CardQr {
  const members = membersOf(text, CARD, ['a', 'f'], ['s', 'k']);
  const saeId = members.get('s');
  const kmeId = members.get('k');
  for (const id of [saeId, kmeId]) if (id !== undefined && !PRINTABLE.test(id)) throw new QuMailError('qr.malformed', { what: 'id' });
  return {
    addr: addressIn(members, 'a'),
    fingerprint: fingerprintIn(members, 'f'),
    ...(saeId !== undefined && { saeId }),
    ...(kmeId !== undefined && { kmeId }),
  };
}

/** @throws QuMailError `qr.other-protocol` (details: scheme), `qr.malformed` (details: what) */
export function decodeVerifyQr(text: string): VerifyQr {
  const members = membersOf(text, VERIFY, ['a', 'f', 'b', 'g'], []);
  return {
    addr: addressIn(members, 'a'),
    fingerprint: fingerprintIn(members, 'f'),
    peerAddr: addressIn(members, 'b'),
    peerFingerprint: fingerprintIn(members, 'g'),
  };
}

/** Each member at most once, the needed ones there, and the version ours. Unknown members are of later versions, and change nothing. */
function membersOf(text: string, scheme: string, needed: readonly string[], optional: readonly string[]): Map<string, string> {
  const given = text.trim();
  if (given.length > MAX_QR) throw new QuMailError('qr.malformed', { what: 'length' });
  const colon = given.indexOf(':');
  const found = colon < 0 ? '' : given.slice(0, colon).toLowerCase();
  if (found !== scheme) {
    throw new QuMailError('qr.other-protocol', { scheme: /^[a-z][a-z0-9+.-]{0,31}$/.test(found) ? found : 'text' });
  }
  const members = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(given.slice(colon + 1))) {
    if (members.has(name)) throw new QuMailError('qr.malformed', { what: name.slice(0, 16) });
    members.set(name, value);
  }
  if (members.get('v') !== '1') throw new QuMailError('qr.malformed', { what: 'v' });
  for (const name of needed) if (!members.has(name)) throw new QuMailError('qr.malformed', { what: name });
  const known = new Set([...needed, ...optional]);
  return new Map([...members].filter(([name]) => known.has(name)));
}

function addressIn(members: ReadonlyMap<string, string>, name: string): string {
  const address = normalizeAddress(members.get(name) ?? '');
  if (address === undefined) throw new QuMailError('qr.malformed', { what: name });
  return address;
}

function fingerprintIn(members: ReadonlyMap<string, string>, name: string): string {
  const fingerprint = members.get(name) ?? '';
  if (!FINGERPRINT.test(fingerprint)) throw new QuMailError('qr.malformed', { what: name });
  return fingerprint;
}
