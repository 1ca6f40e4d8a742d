import { createHash } from 'node:crypto';
import type { Address } from '../base/types.ts';
import { encodeAddresses, encodeDate } from './headerField.ts';

/** The part of a copy that QuMail reads. */
export const COPY_PART = 'qumail_copy.bin';
const NOTICE = 'This is a sealed copy of a chat message, for the other devices of the person whose mailbox this is.\r\n';

/** The Message-ID of the copy of a message: every device arrives at the same one. */
export function copyIdOf(messageId: string): string {
  const domain = /@([^\s<>@]+)>$/.exec(messageId)?.[1] ?? 'qumail.invalid';
  const name = createHash('sha256').update(`QuMail-Copy-v1\0${messageId}`).digest('base64url').slice(0, 22);
  return `<qumail-copy.${name}@${domain}>`;
}

/** True for the copy of the message that it says it answers. */
export function isCopyOf(copy: { readonly rfcMessageId: string; readonly inReplyTo: string }): boolean {
  return copy.inReplyTo !== '' && copy.rfcMessageId === copyIdOf(copy.inReplyTo);
}

/** A sealed copy as it lies in the chats' folder: a notice for other programs, and the sealed octets. */
export function writeCopyMessage(o: { from: Address; of: string; date: Date; boundary: string; sealed: Buffer }): Buffer {
  const head = [
    `From: ${encodeAddresses([o.from])}`,
    `To: ${encodeAddresses([o.from])}`,
    'Subject: QuMail copy',
    `Date: ${encodeDate(o.date)}`,
    `Message-ID: ${copyIdOf(o.of)}`,
    // Readers that list chat mail find it by what it answers.
    `In-Reply-To: ${o.of}`,
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${o.boundary}"`,
    '',
    `--${o.boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    NOTICE,
    `--${o.boundary}`,
    `Content-Type: application/octet-stream; name="${COPY_PART}"`,
    `Content-Disposition: attachment; filename="${COPY_PART}"`,
    'Content-Transfer-Encoding: base64',
    '',
    '',
  ].join('\r\n');
  const base64 = o.sealed.toString('base64').replace(/.{76}/g, '$&\r\n');
  return Buffer.from(`${head}${base64}\r\n--${o.boundary}--\r\n`, 'latin1');
}
