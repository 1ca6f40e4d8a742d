import type { Address } from '../base/types.ts';
import { encodeAddresses, encodeDate } from './headerField.ts';
import { fieldValue, readHeaderSection } from './headerSection.ts';

/** Names the draft a copy is of, so that copies are found without fetching anything else. */
export const DRAFT_FIELD = 'X-QuMail-Draft';
const NOTICE =
  'This draft was written with QuMail and is sealed. Open it in QuMail, on a computer that has the same QuMail certificate.\r\n';
const NAME = /^[0-9a-f-]{36}$/;
const MAX_COPY = 24 * 1024 * 1024;

/** A sealed copy of a draft as it lies in the Drafts folder: a notice for other programs, and the OpenPGP message. */
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
      'Content-Type: application/octet-stream; name="qumail_draft.pgp"',
      'Content-Disposition: attachment; filename="qumail_draft.pgp"',
      'Content-Transfer-Encoding: base64',
      '',
      base64,
      `--${o.boundary}--`,
      '',
    ].join('\r\n'),
    'latin1',
  );
}

/** The name and the OpenPGP message of a copy; undefined for anything else. Bounded; trusts nothing: what is inside is sealed and signed. */
export function readDraftMessage(raw: Buffer): { name: string; sealed: Buffer } | undefined {
  if (raw.length > MAX_COPY) return undefined;
  const name = fieldValue(readHeaderSection(raw).fields, DRAFT_FIELD)?.trim() ?? '';
  if (!NAME.test(name)) return undefined;
  const text = raw.toString('latin1');
  const part = text.indexOf('filename="qumail_draft.pgp"');
  const start = part < 0 ? -1 : text.indexOf('\r\n\r\n', part);
  const end = start < 0 ? -1 : text.indexOf('\r\n--', start + 4);
  return end < 0 ? undefined : { name, sealed: Buffer.from(text.slice(start + 4, end), 'base64') };
}
