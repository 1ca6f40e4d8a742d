import type { NewMessage, StoredSeal } from '../../store/messageRow.ts';
import type { RemoteFacts, RemoteMessage } from '../../transport/remoteMail.ts';

/** A message as the server lists it, as a new row: what is sealed stays unopened until its source is fetched. */
export function newRow(message: RemoteMessage): NewMessage {
  return {
    uid: message.uid,
    rfcMessageId: message.rfcMessageId,
    from: message.from,
    to: message.to,
    subject: message.subject,
    date: message.date,
    size: message.size,
    flags: message.flags,
    hasAttachments: message.hasAttachments,
    preview: '',
    ...sealOf(message.hasPayload ? 'sealed' : message.hasPgpMime ? 'pgp-mime' : 'plain'),
    inReplyTo: message.inReplyTo,
    references: message.references,
    ...(message.internalDate !== undefined && { internalDate: message.internalDate }),
    ...(message.gmail && { gmail: message.gmail }),
  };
}

/** A message that the server lists and does not hand out, its headers neither: a row that says so, with what is known of it. */
export function withheldRow({ uid, size = 0, flags = [], ...facts }: Pick<RemoteFacts, 'uid'> & Partial<RemoteFacts>): NewMessage {
  return {
    uid,
    rfcMessageId: '',
    from: { name: '', address: '' },
    to: [],
    subject: '',
    date: facts.internalDate ?? 0,
    size,
    flags,
    hasAttachments: false,
    preview: '',
    ...sealOf('plain'),
    inReplyTo: '',
    references: [],
    ...(facts.internalDate !== undefined && { internalDate: facts.internalDate }),
    ...(facts.gmail && { gmail: facts.gmail }),
  };
}

/** What is sealed stays unopened until its source is read; which of the sealed levels it is, only its header tells. */
export function sealOf(kind: 'sealed' | 'pgp-mime' | 'plain'): Pick<NewMessage, 'level'> & { seal: StoredSeal } {
  // Encrypted ordinary mail, until it turns out to be more.
  if (kind === 'pgp-mime') return { seal: 'unopened', level: 'L4' };
  return kind === 'sealed' ? { seal: 'unopened', level: 'L2' } : { seal: 'plain', level: 'L4' };
}
