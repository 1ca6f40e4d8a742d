import { QuMailError } from '../base/errors.ts';
import type { ReadMessage } from '../mail/readMime.ts';
import type { Log } from '../base/log.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { OpenedMail } from './openMessage.ts';
import { partsOf } from './readMessage.ts';
import type { SealReport } from './sealReport.ts';
import { sourceOf, type ArrivalOffers, type SyncedAccount } from './syncFolder.ts';

/** The folder chat mail is moved to, so that ordinary mail programs show it apart (PROTOCOL 8). */
export const CHAT_FOLDER = 'QuMail Chat';

/** How arriving mail is offered to the chats. */
export interface ChatArrivals {
  /** True for what a Message-ID says belongs to a chat. */
  isChatMail(rfcMessageId: string): boolean;
  /** True for an answer, by its header fields, to something in a chat. */
  answersChat(inReplyTo: string, references: readonly string[]): boolean;
  /** Resolves to whether it belongs to the chats and is no ordinary mail. */
  arrived(mail: {
    readonly accountId: string;
    readonly parts: ReadMessage;
    readonly rfcMessageId: string;
    readonly opened?: { readonly envelopeId: string; readonly report: SealReport };
  }): Promise<'chat' | 'mail'>;
}

export interface ChatOffersDeps {
  readonly chats: ChatArrivals;
  readonly messages: MessageStore;
  readonly log: Log;
}

/** Offers arriving mail to the chats; what they take leaves the folder it came to. A failure leaves it where it is. */
export class ChatOffers implements ArrivalOffers {
  readonly #deps: ChatOffersDeps;

  constructor(deps: ChatOffersDeps) {
    this.#deps = deps;
  }

  async opened(account: SyncedAccount, row: MessageRow, mail: OpenedMail, signal?: AbortSignal): Promise<void> {
    const { chats } = this.#deps;
    if (!chats.isChatMail(row.rfcMessageId)) return;
    await this.#guarded(async () => {
      const parts = await partsOf(mail);
      const { envelopeId, report } = mail;
      const { accountId } = account;
      const taken = await chats.arrived({ accountId, parts, rfcMessageId: row.rfcMessageId, opened: { envelopeId, report } });
      if (taken === 'chat') await this.#putAway(account, row, signal);
    });
  }

  async plain(account: SyncedAccount, path: string, uids: readonly number[], signal?: AbortSignal): Promise<void> {
    const { chats, messages } = this.#deps;
    const { accountId } = account;
    for (const uid of uids) {
      const row = messages.byUid(accountId, path, uid);
      if (row?.seal !== 'plain' || !chats.answersChat(row.inReplyTo, row.references)) continue;
      await this.#guarded(async () => {
        const parts = await partsOf({ raw: await sourceOf(account, row, messages, signal) });
        const taken = await chats.arrived({ accountId, parts, rfcMessageId: row.rfcMessageId });
        if (taken === 'chat') await this.#putAway(account, row, signal);
      });
    }
  }

  /** Moves a message to the chats' folder on the server, marked as read: what is unread there, the chat counts. */
  async #putAway(account: SyncedAccount, row: MessageRow, signal: AbortSignal | undefined): Promise<void> {
    const { messages } = this.#deps;
    const uidValidity = messages.cursor(account.accountId, row.folder)?.uidValidity;
    if (uidValidity === undefined || row.folder === CHAT_FOLDER) return;
    await account.handler.setFlags(row.folder, uidValidity, [row.uid], { add: ['seen'], remove: [] }, signal);
    await account.handler.ensureFolder(CHAT_FOLDER, signal);
    await account.handler.move(row.folder, uidValidity, [row.uid], CHAT_FOLDER, signal);
    messages.removeUids(account.accountId, row.folder, [row.uid]);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const failure = QuMailError.from(error);
      if (failure.code === 'engine.cancelled') throw failure;
      this.#deps.log.warn('chat-arrival', { code: failure.code });
    }
  }
}

/** Removes every copy of a message in one folder for good. */
export async function eraseByMessageId(
  account: { readonly id: string; readonly handler: EmailHandler },
  folder: string,
  rfcMessageId: string,
  messages: Pick<MessageStore, 'cursor' | 'removeUids'>,
): Promise<void> {
  const uids = await account.handler.findByMessageId(folder, rfcMessageId);
  const uidValidity = messages.cursor(account.id, folder)?.uidValidity;
  if (uids.length === 0 || uidValidity === undefined) return;
  await account.handler.delete(folder, uidValidity, uids);
  messages.removeUids(account.id, folder, uids);
}
