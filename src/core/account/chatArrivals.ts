import { QuMailError } from '../base/errors.ts';
import type { SpecialUse } from '../base/types.ts';
import { CHAT_FOLDER, isChatFolder } from '../mail/chatMessageId.ts';
import type { ReadMessage } from '../mail/readMime.ts';
import type { Log } from '../base/log.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { ShownMail } from '../store/shownMail.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { OpenedMail } from './openMessage.ts';
import { partsOf } from './readMessage.ts';
import { readReport, type SealReport } from './sealReport.ts';
import { sourceOf, type ArrivalOffers, type SyncedAccount } from './syncFolder.ts';

/** How arriving mail is offered to the chats. */
export interface ChatArrivals {
  /** True for what a Message-ID says belongs to a chat. */
  isChatMail(rfcMessageId: string): boolean;
  /** Resolves to whether it belongs to the chats and is no ordinary mail. */
  arrived(mail: {
    readonly accountId: string;
    readonly parts: ReadMessage;
    readonly rfcMessageId: string;
    readonly receivedAt?: number;
    readonly opened?: { readonly envelopeId: string; readonly report: SealReport };
  }): Promise<'chat' | 'mail'>;
}

export interface ChatOffersDeps {
  readonly chats: ChatArrivals;
  readonly messages: MessageStore;
  readonly sealedMail: Pick<SealedMailStore, 'getByEnvelope'>;
  readonly log: Log;
}

/** Folders that hold what they hold for another reason than the chats': what lies there is not moved. */
const NOT_MOVED: readonly (SpecialUse | undefined)[] = ['all', 'flagged', 'trash'];

/** Offers arriving mail to the chats; what they take leaves the folder it came to. A failure leaves it where it is, unlisted, for the next look. */
export class ChatOffers implements ArrivalOffers {
  readonly #deps: ChatOffersDeps;

  constructor(deps: ChatOffersDeps) {
    this.#deps = deps;
  }

  async opened(account: SyncedAccount, row: MessageRow, mail: OpenedMail, signal?: AbortSignal): Promise<void> {
    if (!this.#deps.chats.isChatMail(row.rfcMessageId)) return;
    await this.#guarded(() => this.#offer(account, row, mail, signal));
  }

  async pending(account: SyncedAccount, path: string, signal?: AbortSignal): Promise<void> {
    const { accountId } = account;
    const { messages, sealedMail } = this.#deps;
    for (const row of messages.chatMail(accountId, path, 'new')) {
      if (row.seal === 'unopened') continue;
      await this.#guarded(async () => {
        const stored = row.envelopeId === undefined ? undefined : sealedMail.getByEnvelope(accountId, row.envelopeId);
        const mail = stored && { envelopeId: stored.envelopeId, plaintext: stored.plaintext, report: readReport(stored.report) };
        // Opened, and its text erased since.
        if (row.seal === 'opened' && !mail) messages.settleChatMail(row.id, 'chat');
        else await this.#offer(account, row, mail, signal);
      });
    }
    if (isChatFolder(path) || NOT_MOVED.includes(this.#useOf({ accountId, folder: path }))) return;
    for (const left of messages.chatMail(accountId, path, 'taken')) await this.#guarded(() => this.#putAway(account, left, signal));
  }

  async #offer(account: SyncedAccount, row: MessageRow, mail: OpenedMail | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { chats, messages } = this.#deps;
    const { accountId } = account;
    const { rfcMessageId } = row;
    const use = this.#useOf(row);
    // What a person threw away, and unsealed mail that a server holds for junk, stays what it is.
    if (use === 'trash' || (use === 'junk' && !mail)) return messages.settleChatMail(row.id, 'mail');
    const parts = await partsOf(mail ?? { raw: await sourceOf(account, row, messages, signal) });
    const opened = mail && { envelopeId: mail.envelopeId, report: mail.report };
    const receivedAt = row.internalDate;
    const taken = await chats.arrived({
      accountId,
      parts,
      rfcMessageId,
      ...(receivedAt !== undefined && { receivedAt }),
      ...(opened && { opened }),
    });
    messages.settleChatMail(row.id, taken);
    if (taken === 'chat') await this.#putAway(account, row, signal);
  }

  /** Moves a message to the chats' folder on the server, marked as read: what is unread there, the chat counts. */
  async #putAway(account: SyncedAccount, row: MessageRow, signal: AbortSignal | undefined): Promise<void> {
    const { messages } = this.#deps;
    const uidValidity = messages.cursor(account.accountId, row.folder)?.uidValidity;
    if (uidValidity === undefined || isChatFolder(row.folder)) return;
    if (!row.flags.includes('seen')) {
      await account.handler.setFlags(row.folder, uidValidity, [row.uid], { add: ['seen'], remove: [] }, signal);
      messages.updateFlags(account.accountId, row.folder, [{ uid: row.uid, flags: [...row.flags, 'seen'] }]);
    }
    if (NOT_MOVED.includes(this.#useOf(row))) return;
    await account.handler.ensureFolder(CHAT_FOLDER, signal);
    await account.handler.move(row.folder, uidValidity, [row.uid], CHAT_FOLDER, signal);
    messages.removeUids(account.accountId, row.folder, [row.uid]);
  }

  #useOf({ accountId, folder }: Pick<MessageRow, 'accountId' | 'folder'>): SpecialUse | undefined {
    return this.#deps.messages.listFolders(accountId).find(({ path }) => path === folder)?.specialUse;
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

/** Removes every copy of a message that is known, for good. */
export async function eraseByMessageId(
  account: { readonly id: string; readonly handler: EmailHandler; syncFolder(path: string): Promise<unknown> },
  rfcMessageId: string,
  messages: Pick<MessageStore, 'cursor' | 'removeUids' | 'listFolders'>,
  shown: Pick<ShownMail, 'byMessageId'>,
): Promise<void> {
  const known = shown.byMessageId(account.id, rfcMessageId).map(({ folder }) => folder);
  const own = messages.listFolders(account.id).flatMap(({ path }) => (isChatFolder(path) ? [path] : []));
  for (const folder of new Set([...own, ...known])) {
    // Mail was moved there, and nobody looked into it yet.
    if (!messages.cursor(account.id, folder)) await account.syncFolder(folder);
    const uidValidity = messages.cursor(account.id, folder)?.uidValidity;
    if (uidValidity === undefined) continue;
    const uids = await account.handler.findByMessageId(folder, rfcMessageId);
    if (uids.length === 0) continue;
    await account.handler.delete(folder, uidValidity, uids);
    messages.removeUids(account.id, folder, uids);
  }
}
