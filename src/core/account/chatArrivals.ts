import { QuMailError } from '../base/errors.ts';
import type { SpecialUse } from '../base/types.ts';
import { CHAT_FOLDER, isChatFolder } from '../mail/chatMessageId.ts';
import { COPY_PART, isCopyOf } from '../mail/copyMessage.ts';
import type { ReadMessage } from '../mail/readMime.ts';
import type { Log } from '../base/log.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { ShownMail } from '../store/shownMail.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { OpenedMail } from './openMessage.ts';
import type { OwnCopies, ToldOf } from './ownCopies.ts';
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
    /** Another device of this person opened or sent it, and handed it on. */
    readonly handedOn?: true;
  }): Promise<'chat' | 'mail'>;
  /** What another device of this person opened or sent, and no other may read. */
  toldOf(accountId: string, what: ToldOf): 'noted' | 'later';
}

export interface ChatOffersDeps {
  readonly chats: ChatArrivals;
  readonly messages: MessageStore;
  readonly sealedMail: Pick<SealedMailStore, 'getByEnvelope'>;
  readonly shown: Pick<ShownMail, 'byMessageId'>;
  readonly copies: OwnCopies;
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

  async pending(account: SyncedAccount, path: string, signal?: AbortSignal): Promise<'more' | 'done'> {
    const { accountId } = account;
    const { messages, sealedMail, copies } = this.#deps;
    let handedOn: 'more' | 'done' = 'done';
    for (const row of messages.chatMail(accountId, path, 'new')) {
      if (row.seal === 'unopened') continue;
      await this.#guarded(async () => {
        if (row.seal === 'plain' && isCopyOf(row)) {
          // Made here, most likely: nothing needs to be fetched for that.
          if (copies.isKnown(accountId, row.inReplyTo)) messages.settleChatMail(row.id, 'chat');
          else if ((await this.#takeCopy(account, row, signal)) === 'more') handedOn = 'more';
          return;
        }
        const stored = row.envelopeId === undefined ? undefined : sealedMail.getByEnvelope(accountId, row.envelopeId);
        const mail = stored && { envelopeId: stored.envelopeId, plaintext: stored.plaintext, report: readReport(stored.report) };
        // Opened, and its text erased since.
        if (row.seal === 'opened' && !mail) messages.settleChatMail(row.id, 'chat');
        else await this.#offer(account, row, mail, signal);
      });
    }
    if (isChatFolder(path) || NOT_MOVED.includes(this.#useOf({ accountId, folder: path }))) return handedOn;
    for (const left of messages.chatMail(accountId, path, 'taken')) await this.#guarded(() => this.#putAway(account, left, signal));
    return handedOn;
  }

  /** What another own device handed on. `more`: mail that could not be opened here can be now. */
  async #takeCopy(account: SyncedAccount, row: MessageRow, signal: AbortSignal | undefined): Promise<'more' | 'done'> {
    const { chats, copies, messages, shown } = this.#deps;
    const { accountId } = account;
    const parts = await partsOf({ raw: await sourceOf(account, row, messages, signal) });
    const taken = await copies.take(accountId, { rfcMessageId: row.rfcMessageId, parts });
    if (!taken) {
      messages.settleChatMail(row.id, 'mail');
      return 'done';
    }
    let outcome: 'more' | 'done' = 'done';
    // Its chat comes by another copy, and then it is looked at again.
    if (taken.kind === 'told' && chats.toldOf(accountId, taken.of) === 'later') return 'done';
    if (taken.kind === 'mail') {
      const { rfcMessageId, envelopeId } = taken.record;
      const opened = { envelopeId, report: taken.report };
      // When the copy was left there: what its author wrote before leaving the group is not late because this device was off.
      const came = row.internalDate === undefined ? {} : { receivedAt: row.internalDate };
      await chats.arrived({ accountId, parts: taken.parts, rfcMessageId, ...came, opened, handedOn: true });
      for (const original of shown.byMessageId(accountId, rfcMessageId)) {
        if (original.seal !== 'unopened' && original.seal !== 'failed') continue;
        messages.setSeal(original.id, { seal: 'unopened', level: original.level });
        outcome = 'more';
      }
    }
    copies.settle(accountId, row.inReplyTo);
    messages.settleChatMail(row.id, 'chat');
    return outcome;
  }

  async #offer(account: SyncedAccount, row: MessageRow, mail: OpenedMail | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { chats, messages } = this.#deps;
    const { accountId } = account;
    const { rfcMessageId } = row;
    const use = this.#useOf(row);
    // What a person threw away, and unsealed mail that a server holds for junk, stays what it is.
    if (use === 'trash' || (use === 'junk' && !mail)) return messages.settleChatMail(row.id, 'mail');
    const parts = await partsOf(mail ?? { raw: await sourceOf(account, row, messages, signal) });
    // Of a message that nobody here knows, and not for a chat to show.
    if (!mail && parts.attachments.some(({ name }) => name === COPY_PART)) return messages.settleChatMail(row.id, 'mail');
    const opened = mail && { envelopeId: mail.envelopeId, report: mail.report };
    const receivedAt = row.internalDate;
    const taken = await chats.arrived({
      accountId,
      parts,
      rfcMessageId,
      ...(receivedAt !== undefined && { receivedAt }),
      ...(opened && { opened }),
    });
    if (taken === 'chat' && mail && mail.report.level !== 'L4') {
      this.#deps.copies.due(accountId, mail.report.level, rfcMessageId, mail.envelopeId);
    }
    messages.settleChatMail(row.id, taken);
    if (taken === 'chat') await this.#putAway(account, row, signal);
  }

  /** Moves a message to the chats' folder on the server, marked as read: what is unread there, the chat counts. */
  async #putAway(account: SyncedAccount, row: MessageRow, signal: AbortSignal | undefined): Promise<void> {
    const { messages } = this.#deps;
    const uidValidity = messages.cursor(account.accountId, row.folder)?.uidValidity;
    const isThere = uidValidity === undefined || isChatFolder(row.folder);
    if (!isThere && !row.flags.includes('seen')) {
      await account.handler.setFlags(row.folder, uidValidity, [row.uid], { add: ['seen'], remove: [] }, signal);
      messages.updateFlags(account.accountId, row.folder, [{ uid: row.uid, flags: [...row.flags, 'seen'] }]);
    }
    // Before it leaves the inbox: its leaving is what other devices notice, and then they look into the chats' folder.
    await this.#deps.copies.flush(account.accountId);
    if (isThere || NOT_MOVED.includes(this.#useOf(row))) return;
    const target = await account.handler.ensureFolder(CHAT_FOLDER, signal);
    await account.handler.move(row.folder, uidValidity, [row.uid], target, signal);
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
