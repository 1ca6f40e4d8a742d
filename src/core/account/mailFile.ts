import type { Attachment, Message, MessageSummary } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { MailRequests } from '../base/requests/mailRequests.ts';
import { isPgpEncrypted } from '../mail/pgpMime.ts';
import { previewOf } from '../mail/preview.ts';
import { hasAttachments, readMessage, type ReadMessage } from '../mail/readMime.ts';
import { summaryOfSource } from '../mail/sourceSummary.ts';
import { OUTER_SUBJECT } from '../mail/writeMime.ts';
import { attachmentAt, messageOf } from './readMessage.ts';
import { sealOf } from './sync/newRow.ts';

/** What is parsed at all (mail/readMime.ts refuses more too). */
const MAX_SOURCE = 64 * 1024 * 1024;

/**
 * Messages that lie in files of their own (.eml), read as mail is read and belonging to no account: nothing is stored, no key is asked for,
 * nobody is learned from. Sealed mail stays shut; in a mailbox it can be opened.
 */
export class MailFileService implements Pick<MailRequests, 'readMailFile' | 'getMailFileAttachment'> {
  readonly #simulated: boolean;

  constructor(deps: { readonly world: 'real' | 'lab' }) {
    this.#simulated = deps.world === 'lab';
  }

  async readMailFile(request: { source: Uint8Array }): Promise<Message> {
    const source = sourceIn(request);
    const parts = await readMessage(source);
    const { hasPayload } = summaryOfSource(source);
    const kind = hasPayload ? 'sealed' : isPgpEncrypted(parts.headers) ? 'pgp-mime' : 'plain';
    const summary = summaryIn(parts, source.length, kind);
    const { level, seal } = summary;
    const security = { level, seal, keyIds: [], simulated: this.#simulated };
    if (kind === 'plain') return messageOf(summary, parts, security);
    // The notice around a sealed message is never shown as the message.
    return messageOf(summary, withoutContent(parts), security);
  }

  async getMailFileAttachment(request: { source: Uint8Array; index: number }): Promise<{ attachment: Attachment; content: Uint8Array }> {
    return attachmentAt(await readMessage(sourceIn(request)), request.index);
  }
}

function sourceIn({ source }: { source: Uint8Array }): Buffer {
  if (!(source instanceof Uint8Array)) throw new QuMailError('engine.bad-request', { field: 'source' });
  if (source.length > MAX_SOURCE) throw new QuMailError('open.limit', { what: 'message', limit: MAX_SOURCE });
  return Buffer.from(source.buffer, source.byteOffset, source.byteLength);
}

function summaryIn(parts: ReadMessage, size: number, kind: 'sealed' | 'pgp-mime' | 'plain'): MessageSummary {
  const isPlain = kind === 'plain';
  const { from, to, subject, date } = parts;
  return {
    id: 0,
    accountId: '',
    folder: '',
    from,
    to,
    // As in a mailbox: what stands outside a sealed message is anyone's to write.
    subject: kind === 'sealed' ? OUTER_SUBJECT : subject,
    date: date ?? Number.NaN,
    size,
    flags: ['seen'],
    hasAttachments: isPlain && hasAttachments(parts),
    preview: isPlain ? previewOf(parts) : '',
    ...sealOf(kind),
  };
}

function withoutContent(parts: ReadMessage): ReadMessage {
  const { html: _, ...rest } = parts;
  return { ...rest, text: '', attachments: [] };
}
