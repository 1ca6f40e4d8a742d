import type { Attachment, Folder, Message, MessagePage } from '../model.ts';
import type { MessageProtection } from '../inspection.ts';
import type { ExportRequest, ExportResult, ImportRequest, ImportResult } from '../transfer.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** Folders and messages. Every request may reject with a QuMailError and with nothing else. */
export interface MailRequests {
  listFolders(request: { accountId: string }): Promise<readonly Folder[]>;
  getEmailList(request: { accountId: string; folder: string; limit: number; before?: number }): Promise<MessagePage>;
  /**
   * Looks for new mail now: one account or all, one folder or those shown. Resolves when the store is up to date. Goes on with the filling of the
   * offline copy where that was stopped, unless it is to be left `as-it-is`.
   */
  fetchMail(
    request: { accountId?: string; folder?: string; filling?: 'go-on' | 'as-it-is' },
    options?: CallOptions,
  ): Promise<{ added: number }>;
  /** The message with its body, fetched and opened if need be. Does not change any flag. */
  openMessage(request: { messageId: number }, options?: CallOptions): Promise<Message>;
  getAttachment(
    request: { messageId: number; index: number },
    options?: CallOptions,
  ): Promise<{ attachment: Attachment; content: Uint8Array }>;
  /** How a message is protected, in full; it is opened first, as `openMessage` does. */
  getProtection(request: { messageId: number }, options?: CallOptions): Promise<MessageProtection>;
  /** RFC 5322 source as the server holds it. */
  getSource(request: { messageId: number }, options?: CallOptions): Promise<Uint8Array>;
  /**
   * A message out of a file (.eml), read as mail is read; it belongs to no account (id 0) and nothing of it is kept. `date` is NaN where it has
   * none. Sealed mail stays `unopened`, without content. At most 64 MiB: `open.limit`.
   */
  readMailFile(request: { source: Uint8Array }): Promise<Message>;
  /** What is attached to such a message; `attachment.missing`. */
  getMailFileAttachment(request: { source: Uint8Array; index: number }): Promise<{ attachment: Attachment; content: Uint8Array }>;
  /** Files mail from .eml and mbox files into a folder, with flags and dates; progress comes as events. What was filed stays. */
  importMail(request: ImportRequest, options?: CallOptions): Promise<ImportResult>;
  /** Writes messages or a folder as .eml or mbox, octet for octet as they lie on the server. */
  exportMail(request: ExportRequest, options?: CallOptions): Promise<ExportResult>;
}

export const MAIL_REQUESTS = namesOf<MailRequests>({
  listFolders: 1,
  getEmailList: 1,
  fetchMail: 1,
  openMessage: 1,
  getAttachment: 1,
  getProtection: 1,
  getSource: 1,
  readMailFile: 1,
  getMailFileAttachment: 1,
  importMail: 1,
  exportMail: 1,
});
