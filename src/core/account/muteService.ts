import type { MuteRule } from '../base/actions.ts';
import type { QuMailEvent } from '../base/events.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import { fieldValue, readHeaderSection } from '../mail/headerSection.ts';
import type { ActionRequests } from '../base/requests/actionRequests.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { MutedStore } from '../store/muted.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { ShownMail } from '../store/shownMail.ts';

/** Rows looked at in one go, of those that came since the last look. */
const MAX_NEW = 5000;
const MAX_REFERENCES = 200;

export interface MuteServiceDeps {
  readonly muted: MutedStore;
  readonly messages: MessageStore;
  readonly shown: ShownMail;
  readonly sealedMail: SealedMailStore;
  readonly random: Random;
  readonly actions: Pick<ActionRequests, 'setFlags' | 'archiveMessages'>;
  readonly emit: (event: QuMailEvent) => void;
}

/** Threads a person has had enough of: what comes later is marked read, and archived, before anybody is told of it. */
export class MuteService implements Pick<ActionRequests, 'muteThread' | 'unmuteThread' | 'isMuted'> {
  readonly #deps: MuteServiceDeps;
  /** The newest row of each inbox that was looked at. */
  readonly #looked = new Map<string, number>();
  /** Sealed rows that tell what they refer to only once they are opened. */
  readonly #unopened = new Set<number>();

  constructor(deps: MuteServiceDeps) {
    this.#deps = deps;
  }

  async muteThread(request: { messageId: number; rule?: MuteRule }): Promise<void> {
    const row = this.#row(request.messageId);
    const { muted, random, emit } = this.#deps;
    const ids = this.#idsOf(row);
    if (ids.length === 0) throw new QuMailError('engine.bad-request', { field: 'messageId', reason: 'no Message-ID' });
    const rule = request.rule ?? 'archive';
    const thread = muted.find(row.accountId, ids)?.thread ?? random.uuid();
    muted.add(row.accountId, { thread, rule }, ids);
    this.#lookFrom(row.accountId, row.folder);
    emit({ kind: 'actions' });
  }

  async unmuteThread(request: { messageId: number }): Promise<void> {
    const row = this.#row(request.messageId);
    const found = this.#deps.muted.find(row.accountId, this.#idsOf(row));
    if (found) this.#deps.muted.remove(row.accountId, found.thread);
    this.#deps.emit({ kind: 'actions' });
  }

  async isMuted(request: { messageId: number }): Promise<{ muted: boolean; rule?: MuteRule }> {
    const row = this.#row(request.messageId);
    const found = this.#deps.muted.find(row.accountId, this.#idsOf(row));
    return found ? { muted: true, rule: found.rule } : { muted: false };
  }

  /** Remembers where each inbox stands, so that only what comes from here on is looked at. */
  start(inboxes: readonly { accountId: string; path: string }[]): void {
    for (const { accountId, path } of inboxes) this.#lookFrom(accountId, path);
  }

  /** Something came into a folder: what belongs to a muted thread is dealt with before others hear of it. */
  arrived(accountId: string, folder: string): void {
    const { muted, messages, shown, actions } = this.#deps;
    const isInbox = messages.listFolders(accountId).some(({ path, specialUse }) => path === folder && specialUse === 'inbox');
    if (!isInbox) return;
    const since = this.#looked.get(`${accountId}\0${folder}`);
    if (since === undefined || !muted.any(accountId)) return this.#lookFrom(accountId, folder);
    const waiting = [...this.#unopened].flatMap((id) => messages.get(id) ?? []).filter((row) => row.accountId === accountId);
    const fresh = [...waiting, ...shown.rowsAfter(accountId, folder, since, MAX_NEW)];
    this.#lookFrom(accountId, folder);
    const read: number[] = [];
    const archived: number[] = [];
    for (const row of fresh) {
      if (row.seal === 'unopened' && this.#unopened.size < MAX_NEW) this.#unopened.add(row.id);
      else this.#unopened.delete(row.id);
      const ids = this.#idsOf(row);
      const thread = muted.find(accountId, ids);
      if (!thread) continue;
      muted.add(accountId, thread, ids);
      if (!row.flags.includes('seen')) read.push(row.id);
      if (thread.rule === 'archive') archived.push(row.id);
    }
    // Nobody asked just now, so nobody is told that there is no archive.
    if (read.length > 0) actions.setFlags({ messageIds: read, add: ['seen'], remove: [] }).catch(() => {});
    if (archived.length > 0) actions.archiveMessages({ messageIds: archived }).catch(() => {});
  }

  #lookFrom(accountId: string, folder: string): void {
    this.#looked.set(`${accountId}\0${folder}`, this.#deps.shown.newestRow());
  }

  #row(messageId: number): MessageRow {
    const row = this.#deps.messages.get(messageId);
    if (!row) throw new QuMailError('message.missing');
    return row;
  }

  /** The Message-IDs of a thread that a message names: its own, and those it refers to. Sealed mail names them inside. */
  #idsOf(row: MessageRow): string[] {
    const ids = [row.rfcMessageId, row.inReplyTo, ...row.references, ...this.#innerIds(row)];
    return [...new Set(ids)].filter((id) => id !== '');
  }

  #innerIds(row: MessageRow): string[] {
    if (row.seal !== 'opened' || row.envelopeId === undefined) return [];
    try {
      const plaintext = this.#deps.sealedMail.getByEnvelope(row.accountId, row.envelopeId)?.plaintext;
      if (!plaintext) return [];
      const { fields } = readHeaderSection(plaintext);
      const named = ['Message-ID', 'In-Reply-To', 'References'].map((name) => fieldValue(fields, name) ?? '').join(' ');
      return (named.match(/<[^<>\s]{1,250}>/g) ?? []).slice(-MAX_REFERENCES);
    } catch (error) {
      if (QuMailError.is(error, 'store.secret-missing') || QuMailError.is(error, 'store.corrupt')) return [];
      throw error;
    }
  }
}
