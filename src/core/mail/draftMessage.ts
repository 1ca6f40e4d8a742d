import type { Address } from '../base/types.ts';
import { encodeAddresses, encodeDate } from './headerField.ts';
import { fieldValue, readHeaderSection } from './headerSection.ts';

/** Names the draft a copy is of, so that copies are found without fetching anything else. */
export const DRAFT_FIELD = 'X-QuMail-Draft';
const NOTICE =
  'This draft was written with QuMail and is sealed. Open it in QuMail, on a computer that has the same QuMail certificate.\r\n';
const NAME = /^[0-9a-f-]{36}$/;
const PART = /filename="?qumail_draft\.(bin|pgp)/;
const MAX_COPY = 24 * 1024 * 1024;

/** Names the version a copy is, in its Message-ID. */
const REVISION = /^<([0-9a-f-]{36})@/;

/** How a copy is sealed: under a key of all own devices, as earlier ones to an encryption subkey, or as a later QuMail may do it. */
export type DraftSealing = 'own-key' | 'subkey' | 'unknown';

/** A sealed copy of a draft as it lies in the Drafts folder: a notice for other programs, and what `sealOwnDraft` made. */
export function writeDraftMessage(o: {
  from: Address;
  name: string;
  messageId: string;
  date: Date;
  boundary: string;
  sealed: Buffer;
}): Buffer {
  const base64 = o.sealed.toString('base64').replace(/.{76}/g, '$&\r\n');
  return Buffer.from(
    [
      `From: ${encodeAddresses([o.from])}`,
      'Subject: QuMail draft',
      `Date: ${encodeDate(o.date)}`,
      `Message-ID: ${o.messageId}`,
      `${DRAFT_FIELD}: ${o.name}`,
      'MIME-Version: 1.0',
      `Content-Type: multipart/mixed; boundary="${o.boundary}"`,
      '',
      `--${o.boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      '',
      NOTICE,
      `--${o.boundary}`,
      'Content-Type: application/octet-stream; name="qumail_draft.bin"',
      'Content-Disposition: attachment; filename="qumail_draft.bin"',
      'Content-Transfer-Encoding: base64',
      '',
      base64,
      `--${o.boundary}--`,
      '',
    ].join('\r\n'),
    'latin1',
  );
}

/** The Message-ID of the version `revision`. */
export function draftMessageId(revision: string, from: Address): string {
  return `<${revision}@${from.address.split('@')[1] ?? 'qumail.invalid'}>`;
}

/** The version that a copy with this Message-ID claims to be. */
export function revisionOf(rfcMessageId: string): string | undefined {
  return REVISION.exec(rfcMessageId)?.[1];
}

/** Name, sealing and sealed octets of a copy; undefined for anything else. Bounded; trusts nothing: what counts is sealed. */
export function readDraftMessage(raw: Buffer): { name: string; sealing: DraftSealing; sealed: Buffer } | undefined {
  if (raw.length > MAX_COPY) return undefined;
  const name = fieldValue(readHeaderSection(raw).fields, DRAFT_FIELD)?.trim() ?? '';
  if (!NAME.test(name)) return undefined;
  const text = raw.toString('latin1');
  const part = PART.exec(text);
  const start = part ? text.indexOf('\r\n\r\n', part.index) : -1;
  const end = start < 0 ? -1 : text.indexOf('\r\n--', start + 4);
  if (end < 0) return { name, sealing: 'unknown', sealed: Buffer.alloc(0) };
  return { name, sealing: part?.[1] === 'bin' ? 'own-key' : 'subkey', sealed: Buffer.from(text.slice(start + 4, end), 'base64') };
}
