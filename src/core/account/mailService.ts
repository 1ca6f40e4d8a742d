import type { CallOptions, QuMailRequests } from '../api.ts';
import type { Folder, Message, MessagePage } from '../base/model.ts';
import type { MessageProtection } from '../base/inspection.ts';
import { QuMailError } from '../base/errors.ts';
import type { SecurityLevel } from '../base/types.ts';
import type { ReadMessage } from '../mail/readMime.ts';
import { isChatFolder } from '../mail/chatMessageId.ts';
import { previewOf } from '../mail/preview.ts';
import type { SealedMailRecord, SealedMailStore } from '../store/sealedMail.ts';
import type { FolderRow, MessageRow, MessageStore } from '../store/messages.ts';
import type { AccountService } from './accountService.ts';
import type { KeyLinks } from './keyLinks.ts';
import type { MailAccount } from './mailAccount.ts';
import { mayPass, type OpenedMail } from './openMessage.ts';
import { protectionOf } from './protectionOf.ts';
import { attachmentAt, messageOf, partsOf, plainSecurity, summaryOf, unopenedMessage } from './readMessage.ts';
import { factsOfPlain, type PlainFacts } from './readPlain.ts';
import { openedSecurity, readReport } from './sealReport.ts';
import { readFailure } from './stored.ts';
import { ifThereIsRoom, openRow, sourceOf, type SyncDeps } from './syncFolder.ts';

/** Messages in one page, at most. */
const MAX_PAGE = 500;

export interface MailServiceDeps extends SyncDeps {
  readonly messages: MessageStore;
  readonly links: KeyLinks;
  readonly accounts: AccountService;
  readonly world: 'real' | 'lab';
  /** How the counts of folders differ from what the server told, because of what it has not heard yet. */
  readonly countsPending: (accountId: string) => ReadonlyMap<string, { unread: number; total: number }>;
  readonly changed: { folders(accountId: string): void; messages(accountId: string, folder: string): void };
}

type MailRequests = Pick<
  QuMailRequests,
  'listFolders' | 'getEmailList' | 'fetchMail' | 'openMessage' | 'getAttachment' | 'getProtection' | 'getSource'
>;

/** What was read of one message: its parts and how they were protected. */
type Reading = { parts: ReadMessage; opened: OpenedMail | undefined; facts?: PlainFacts };

/** Reading and filing mail: the part of the API that has messages in it. */
export class MailService implements MailRequests {
  readonly #deps: MailServiceDeps;

  constructor(deps: MailServiceDeps) {
    this.#deps = deps;
  }

  async listFolders(request: { accountId: string }): Promise<readonly Folder[]> {
    this.#deps.accounts.get(request.accountId);
    const pending = this.#deps.countsPending(request.accountId);
    return this.#deps.messages.listFolders(request.accountId).flatMap((row) => {
      if (!isChatFolder(row.path)) return [folderOf(row, pending.get(row.path))];
      // What lies there is shown as chats; what could not be opened, or is no chat's, must be found somewhere.
      const listed = this.#deps.messages.page(row.accountId, row.path, MAX_PAGE).length;
      return listed === 0 ? [] : [folderOf({ ...row, total: listed, unread: this.#deps.messages.countUnread(row.accountId, row.path) })];
    });
  }

  async getEmailList(request: { accountId: string; folder: string; limit: number; before?: number }): Promise<MessagePage> {
    const { accountId, folder, before } = request;
    const limit = Math.max(1, Math.min(request.limit, MAX_PAGE));
    const account = this.#deps.accounts.get(accountId);
    // The first sight of a folder waits for its newest headers; afterwards the store answers at once.
    await account.firstSight.of(folder);
    let rows = this.#deps.messages.page(accountId, folder, limit + 1, before);
    if (rows.length <= limit && (await this.#fetchOlder(account, folder, limit))) {
      rows = this.#deps.messages.page(accountId, folder, limit + 1, before);
    }
    const messages = rows.slice(0, limit).map((row) => summaryOf(row, this.#deps.sealedMail));
    const last = messages.at(-1);
    return rows.length > limit && last ? { messages, next: last.id } : { messages };
  }

  async fetchMail(request: Parameters<MailRequests['fetchMail']>[0], options: CallOptions = {}): Promise<{ added: number }> {
    const accounts = request.accountId === undefined ? this.#deps.accounts.all() : [this.#deps.accounts.get(request.accountId)];
    const looks = await Promise.allSettled(
      accounts.map(async (account) => {
        if (request.filling !== 'as-it-is') account.background.goOn();
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
    // What was read lately is the last to go when the offline copy outgrows its budget.
    ifThereIsRoom(() => this.#deps.messages.touch(row.id, this.#deps.clock.now()));
    const fresh = this.#row(request.messageId);
    const summary = summaryOf(fresh, this.#deps.sealedMail);
    if (reading instanceof QuMailError) {
      return unopenedMessage(summary, fresh.rfcMessageId, reading, { simulated, now: this.#deps.clock.now() });
    }
    const { parts, opened, facts } = reading;
    const keyManager = this.#deps.links.list().find(({ accountId }) => accountId === row.accountId)?.kmeId;
    return messageOf(summary, parts, opened ? openedSecurity(opened.report, simulated, keyManager) : plainSecurity(simulated, facts));
  }

  /** What a reply or forward quotes, and how strongly it was protected. Throws why a sealed message cannot be quoted. */
  async quotable(messageId: number): Promise<{ parts: ReadMessage; level: SecurityLevel; protection?: 'openpgp' }> {
    const reading = await this.#read(this.#row(messageId), undefined);
    if (reading instanceof QuMailError) throw reading;
    const level = reading.opened?.report.level ?? 'L4';
    // Opened, and yet no level: classic OpenPGP.
    return { parts: reading.parts, level, ...(reading.opened && level === 'L4' && { protection: 'openpgp' as const }) };
  }

  async getAttachment(request: { messageId: number; index: number }, options: CallOptions = {}) {
    const reading = await this.#read(this.#row(request.messageId), options.signal);
    if (reading instanceof QuMailError) throw reading;
    return attachmentAt(reading.parts, request.index);
  }

  async getProtection(request: { messageId: number }, options: CallOptions = {}): Promise<MessageProtection> {
    const { security } = await this.openMessage(request, options);
    const { accountId, raw } = await this.sourceWith(request.messageId, options.signal);
    const { envelopeId } = this.#row(request.messageId);
    const opened = security.seal === 'opened' && envelopeId !== undefined;
    const report = opened ? this.#deps.sealedMail.reportByEnvelope(accountId, envelopeId) : undefined;
    return protectionOf({ security, raw, self: this.#deps.accounts.get(accountId).email, openedAt: report && readReport(report).openedAt });
  }

  async getSource(request: { messageId: number }, options: CallOptions = {}): Promise<Uint8Array> {
    return (await this.sourceWith(request.messageId, options.signal)).raw;
  }

  /** The source of a message, and whose it is. */
  async sourceWith(messageId: number, signal: AbortSignal | undefined): Promise<{ accountId: string; raw: Buffer }> {
    const row = this.#row(messageId);
    const { synced } = this.#deps.accounts.get(row.accountId);
    return { accountId: row.accountId, raw: await sourceOf(synced, row, this.#deps.messages, signal) };
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
    const raw = await sourceOf(account.synced, row, this.#deps.messages, signal);
    const parts = await partsOf({ raw });
    if (row.preview === '') ifThereIsRoom(() => this.#deps.messages.setPreview(row.id, previewOf(parts)));
    return { parts, opened: undefined, facts: await factsOfPlain({ ...account.synced, raw }, parts, this.#deps) };
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

function folderOf(row: FolderRow, pending: { unread: number; total: number } = { unread: 0, total: 0 }): Folder {
  return {
    accountId: row.accountId,
    path: row.path,
    name: row.name,
    ...(row.specialUse !== undefined && { specialUse: row.specialUse }),
    unread: Math.max(0, row.unread + pending.unread),
    total: Math.max(0, row.total + pending.total),
    selectable: row.selectable,
  };
}
