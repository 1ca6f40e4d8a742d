import type { CallOptions, QuMailRequests } from '../api.ts';
import type { Folder, Message, MessagePage } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { SecurityLevel } from '../base/types.ts';
import type { ReadMessage } from '../mail/readMime.ts';
import { previewOf } from '../mail/preview.ts';
import type { SealedMailRecord, SealedMailStore } from '../store/sealedMail.ts';
import type { FolderRow, MessageRow, MessageStore } from '../store/messages.ts';
import type { AccountService } from './accountService.ts';
import type { KeyLinks } from './keyLinks.ts';
import type { MailAccount } from './mailAccount.ts';
import { mayPass, type OpenedMail } from './openMessage.ts';
import { attachmentAt, messageOf, partsOf, plainSecurity, summaryOf, unopenedMessage } from './readMessage.ts';
import { openedSecurity, readReport } from './sealReport.ts';
import { readFailure } from './stored.ts';
import { openRow, sourceOf, type SyncDeps } from './syncFolder.ts';

/** Messages in one page, at most. */
const MAX_PAGE = 500;

export interface MailServiceDeps extends SyncDeps {
  readonly messages: MessageStore;
  readonly links: KeyLinks;
  readonly accounts: AccountService;
  readonly world: 'real' | 'lab';
  readonly changed: { folders(accountId: string): void; messages(accountId: string, folder: string): void };
}

type MailRequests = Pick<
  QuMailRequests,
  | 'listFolders'
  | 'getEmailList'
  | 'fetchMail'
  | 'openMessage'
  | 'getAttachment'
  | 'getSource'
  | 'setFlags'
  | 'moveMessages'
  | 'deleteMessages'
>;

/** What was read of one message: its parts and how they were protected. */
type Reading = { parts: ReadMessage; opened: OpenedMail | undefined };

/** Reading and filing mail: the part of the API that has messages in it. */
export class MailService implements MailRequests {
  readonly #deps: MailServiceDeps;

  constructor(deps: MailServiceDeps) {
    this.#deps = deps;
  }

  async listFolders(request: { accountId: string }): Promise<readonly Folder[]> {
    this.#deps.accounts.get(request.accountId);
    return this.#deps.messages.listFolders(request.accountId).map(folderOf);
  }

  async getEmailList(request: { accountId: string; folder: string; limit: number; before?: number }): Promise<MessagePage> {
    const { accountId, folder, before } = request;
    const limit = Math.max(1, Math.min(request.limit, MAX_PAGE));
    const account = this.#deps.accounts.get(accountId);
    // The first sight of a folder waits for its newest headers; afterwards the store answers at once.
    if (!this.#deps.messages.cursor(accountId, folder)) await account.syncFolder(folder);
    let rows = this.#deps.messages.page(accountId, folder, limit + 1, before);
    if (rows.length <= limit && (await this.#fetchOlder(account, folder, limit))) {
      rows = this.#deps.messages.page(accountId, folder, limit + 1, before);
    }
    const messages = rows.slice(0, limit).map((row) => summaryOf(row, this.#deps.sealedMail));
    const last = messages.at(-1);
    return rows.length > limit && last ? { messages, next: last.id } : { messages };
  }

  async fetchMail(request: { accountId?: string; folder?: string }, options: CallOptions = {}): Promise<{ added: number }> {
    const accounts = request.accountId === undefined ? this.#deps.accounts.all() : [this.#deps.accounts.get(request.accountId)];
    const looks = await Promise.allSettled(
      accounts.map(async (account) => {
        const { added } = await account.fetch(options.signal);
        if (request.folder === undefined) return added;
        return added + (await account.syncFolder(request.folder, options.signal)).added;
      }),
    );
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed) throw failed.reason;
    return { added: looks.reduce((sum, look) => sum + (look.status === 'fulfilled' ? look.value : 0), 0) };
  }

  async openMessage(request: { messageId: number }, options: CallOptions = {}): Promise<Message> {
    const row = this.#row(request.messageId);
    const simulated = this.#deps.world === 'lab';
    const reading = await this.#read(row, options.signal);
    const fresh = this.#row(request.messageId);
    const summary = summaryOf(fresh, this.#deps.sealedMail);
    if (reading instanceof QuMailError) return unopenedMessage(summary, fresh.rfcMessageId, reading, simulated);
    const { parts, opened } = reading;
    const keyManager = this.#deps.links.list().find(({ accountId }) => accountId === row.accountId)?.kmeId;
    return messageOf(summary, parts, opened ? openedSecurity(opened.report, simulated, keyManager) : plainSecurity(simulated));
  }

  /** What a reply or forward quotes, and how strongly it was protected. Throws why a sealed message cannot be quoted. */
  async quotable(messageId: number): Promise<{ parts: ReadMessage; level: SecurityLevel }> {
    const reading = await this.#read(this.#row(messageId), undefined);
    if (reading instanceof QuMailError) throw reading;
    return { parts: reading.parts, level: reading.opened?.report.level ?? 'L4' };
  }

  async getAttachment(request: { messageId: number; index: number }, options: CallOptions = {}) {
    const reading = await this.#read(this.#row(request.messageId), options.signal);
    if (reading instanceof QuMailError) throw reading;
    return attachmentAt(reading.parts, request.index);
  }

  async getSource(request: { messageId: number }, options: CallOptions = {}): Promise<Uint8Array> {
    const row = this.#row(request.messageId);
    return sourceOf(this.#deps.accounts.get(row.accountId).synced, row, this.#deps.messages, options.signal);
  }

  async setFlags(request: Parameters<QuMailRequests['setFlags']>[0]): Promise<void> {
    await this.#perFolder(request.messageIds, async (account, folder, uidValidity, rows) => {
      await account.handler.setFlags(folder, uidValidity, uidsOf(rows), { add: request.add, remove: request.remove });
      this.#deps.messages.updateFlags(
        account.id,
        folder,
        rows.map((row) => ({
          uid: row.uid,
          flags: [...new Set([...row.flags.filter((flag) => !request.remove.includes(flag)), ...request.add])],
        })),
      );
    });
  }

  async moveMessages(request: { messageIds: readonly number[]; folder: string }): Promise<void> {
    await this.#perFolder(request.messageIds, (account, folder, uidValidity, rows) =>
      this.#move(account, folder, uidValidity, rows, request.folder),
    );
  }

  async deleteMessages(request: { messageIds: readonly number[] }): Promise<void> {
    await this.#perFolder(request.messageIds, async (account, folder, uidValidity, rows) => {
      const trash = this.#deps.messages.listFolders(account.id).find(({ specialUse }) => specialUse === 'trash')?.path;
      if (trash !== undefined && trash !== folder) return this.#move(account, folder, uidValidity, rows, trash);
      await account.handler.delete(folder, uidValidity, uidsOf(rows));
      this.#deps.messages.removeUids(account.id, folder, uidsOf(rows));
    });
  }

  async #move(account: MailAccount, folder: string, uidValidity: number, rows: readonly MessageRow[], target: string): Promise<void> {
    if (target === folder) return;
    await account.handler.move(folder, uidValidity, uidsOf(rows), target);
    this.#deps.messages.removeUids(account.id, folder, uidsOf(rows));
    await account.syncFolder(target);
  }

  /** The parts of a message, opened if it is sealed; the failure as a value where it is sealed and cannot be opened. */
  async #read(row: MessageRow, signal: AbortSignal | undefined): Promise<Reading | QuMailError> {
    const account = this.#deps.accounts.get(row.accountId);
    if (row.seal === 'opened' && row.envelopeId !== undefined) {
      const stored = storedMail(this.#deps.sealedMail, row.accountId, row.envelopeId);
      if (stored instanceof QuMailError) return stored;
      if (stored) {
        const opened = { envelopeId: row.envelopeId, plaintext: stored.plaintext, report: readReport(stored.report) };
        return { parts: await partsOf(opened), opened };
      }
    }
    if (row.seal !== 'plain') {
      const earlier = readFailure(row.failureJson);
      if (row.seal === 'failed' && earlier && !mayPass(earlier)) return new QuMailError(earlier.code, earlier.details);
      const opened = await openRow(account.synced, row, this.#deps, signal);
      this.#deps.changed.messages(row.accountId, row.folder);
      if (opened instanceof QuMailError) return opened;
      if (opened) return { parts: await partsOf(opened), opened };
    }
    const parts = await partsOf({ raw: await sourceOf(account.synced, row, this.#deps.messages, signal) });
    if (row.preview === '') this.#deps.messages.setPreview(row.id, previewOf(parts));
    return { parts, opened: undefined };
  }

  async #fetchOlder(account: MailAccount, folder: string, limit: number): Promise<boolean> {
    if (account.state !== 'online') return false;
    return (await account.fetchOlder(folder, limit)) > 0;
  }

  #row(messageId: number): MessageRow {
    const row = this.#deps.messages.get(messageId);
    if (!row) throw new QuMailError('message.missing');
    return row;
  }

  /** Runs one command per folder that the messages lie in, then tells who shows them. */
  async #perFolder(
    messageIds: readonly number[],
    run: (account: MailAccount, folder: string, uidValidity: number, rows: readonly MessageRow[]) => Promise<void>,
  ): Promise<void> {
    const groups = new Map<string, MessageRow[]>();
    for (const id of messageIds) {
      const row = this.#row(id);
      const key = `${row.accountId}\0${row.folder}`;
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    for (const rows of groups.values()) {
      const { accountId, folder } = rows[0]!;
      const cursor = this.#deps.messages.cursor(accountId, folder);
      if (!cursor) throw new QuMailError('message.missing');
      const account = this.#deps.accounts.get(accountId);
      await run(account, folder, cursor.uidValidity, rows);
      await account.syncFolders();
      this.#deps.changed.messages(accountId, folder);
    }
  }
}

/** The opened mail kept at rest; the failure as a value where its epoch key is gone from the keyring or the record was altered. */
function storedMail(sealedMail: SealedMailStore, accountId: string, envelopeId: string): SealedMailRecord | QuMailError | undefined {
  try {
    return sealedMail.getByEnvelope(accountId, envelopeId);
  } catch (error) {
    if (QuMailError.is(error, 'store.secret-missing') || QuMailError.is(error, 'store.corrupt')) return error;
    throw error;
  }
}

function uidsOf(rows: readonly MessageRow[]): number[] {
  return rows.map(({ uid }) => uid);
}

function folderOf(row: FolderRow): Folder {
  return {
    accountId: row.accountId,
    path: row.path,
    name: row.name,
    ...(row.specialUse !== undefined && { specialUse: row.specialUse }),
    unread: row.unread,
    total: row.total,
    selectable: row.selectable,
  };
}
