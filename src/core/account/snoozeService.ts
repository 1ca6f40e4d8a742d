import type { SnoozedMessage } from '../base/actions.ts';
import type { QuMailEvent } from '../base/events.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import type { ActionRequests } from '../base/requests/actionRequests.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import { HIDDEN } from '../store/messageWriting.ts';
import type { ShownMail } from '../store/shownMail.ts';
import type { SnoozedRecord, SnoozedStore } from '../store/snoozed.ts';
import { summaryOf } from './readMessage.ts';

/** A year, as for mail that is sent later. */
const MAX_AHEAD = 366 * 24 * 3_600_000;
/** A timer is never set for longer: the machine may sleep, another window may snooze. */
const LOOK_MS = 15 * 60_000;
/** A message that is not here when its time comes is brought back if it turns up within this. */
const MISSED_FOR = 60 * 60_000;

export interface SnoozeServiceDeps {
  readonly snoozed: SnoozedStore;
  readonly messages: MessageStore;
  readonly shown: ShownMail;
  readonly sealedMail: SealedMailStore;
  readonly clock: Clock;
  readonly markUnread: (messageIds: readonly number[]) => Promise<unknown>;
  readonly emit: (event: QuMailEvent) => void;
}

/** Messages that are out of the way until a time. Only this computer knows of it: on the server they stay where they are. */
export class SnoozeService implements Pick<ActionRequests, 'snoozeMessages' | 'unsnoozeMessages' | 'listSnoozed'>, Disposable {
  readonly #deps: SnoozeServiceDeps;
  #timer: Disposable | undefined;
  #disposed = false;

  constructor(deps: SnoozeServiceDeps) {
    this.#deps = deps;
  }

  /** Brings back what is due, hides what is not (mail.db may be new), and goes on doing so. */
  start(): void {
    this.hideAgain();
    this.#wake();
  }

  /** Mail came: what a backup brought back as snoozed may be among it, or what was not here when its time came. */
  arrived(accountId: string): void {
    const now = this.#deps.clock.now();
    const awaited = this.#deps.snoozed
      .list()
      .some((record) => record.accountId === accountId && (record.messageId < 0 || record.until <= now));
    if (!awaited) return;
    this.hideAgain();
    this.#wake();
  }

  async snoozeMessages(request: { messageIds: readonly number[]; until: number }): Promise<void> {
    const { snoozed, messages, shown, clock } = this.#deps;
    const ahead = request.until - clock.now();
    if (!Number.isFinite(ahead) || ahead <= 0 || ahead > MAX_AHEAD) throw new QuMailError('engine.bad-request', { field: 'until' });
    const rows = [...new Set(request.messageIds)].map((id) => this.#row(id));
    for (const row of rows) {
      const place = messages.placeOf(row);
      if (!place) throw new QuMailError('message.missing');
      snoozed.put({ ...place, accountId: row.accountId, rfcMessageId: row.rfcMessageId, messageId: row.id, until: request.until });
      shown.hide(row.id, HIDDEN.snoozed);
    }
    this.#tell(rows);
    this.#wake();
  }

  async unsnoozeMessages(request: { messageIds: readonly number[] }): Promise<void> {
    const wanted = new Set(request.messageIds);
    const back = this.#deps.snoozed.list().flatMap((record) => {
      const row = this.#find(record);
      if (!row || !wanted.has(row.id)) return [];
      this.#deps.shown.hide(row.id, HIDDEN.no);
      return this.#deps.snoozed.end(record.id) ? [row] : [];
    });
    this.#tell(back);
  }

  async listSnoozed(): Promise<readonly SnoozedMessage[]> {
    return this.#deps.snoozed.list().flatMap((record) => {
      const row = this.#find(record);
      return row ? [{ message: summaryOf(row, this.#deps.sealedMail), until: record.until }] : [];
    });
  }

  /** Hides what is snoozed and listed nevertheless, because mail.db was made anew. */
  hideAgain(): void {
    const { snoozed, shown, clock } = this.#deps;
    for (const record of snoozed.list()) {
      if (record.until <= clock.now()) continue;
      const row = this.#find(record);
      if (!row) continue;
      if (row.id !== record.messageId) snoozed.rehint(record.id, row.id);
      shown.hide(row.id, HIDDEN.snoozed);
    }
  }

  /** How the counts of folders are lower because what is snoozed is not listed. */
  countsHidden(accountId: string): readonly { readonly path: string; readonly unread: number; readonly total: number }[] {
    const own = this.#deps.snoozed.list().filter((record) => record.accountId === accountId);
    if (own.length === 0) return [];
    const ids = own.map(({ messageId }) => messageId);
    return this.#deps.shown.snoozedCounts(ids).map(({ path, unread, total }) => ({ path, unread: -unread, total: -total }));
  }

  dispose(): void {
    this.#disposed = true;
    this.#timer?.dispose();
  }

  #wake(): void {
    if (this.#disposed) return;
    const { snoozed, shown, clock, markUnread } = this.#deps;
    const now = clock.now();
    const records = snoozed.list();
    // Shown first, by one window of all, and only then ended: a process that dies in between leaves nothing hidden that nobody brings back.
    const back = records.flatMap((record) => {
      if (record.until > now) return [];
      const row = this.#find(record);
      // One that is not here at the moment is looked for a while longer: its folder may be read anew.
      if (!row && now - record.until < MISSED_FOR) return [];
      const surfaced = row !== undefined && shown.surface(row.id, now);
      snoozed.end(record.id);
      return surfaced ? [row] : [];
    });
    if (back.length > 0) {
      markUnread(back.filter(({ flags }) => flags.includes('seen')).map(({ id }) => id)).catch(() => {});
      this.#tell(back);
    }
    this.#timer?.dispose();
    const left = snoozed.list();
    const next = left.find(({ until }) => until > now);
    const ms = Math.min(next ? next.until - now : LOOK_MS, LOOK_MS);
    this.#timer = left.length > 0 ? clock.after(ms, () => this.#look(ms)) : undefined;
  }

  /** A store that cannot be read or written now is tried again after as long. */
  #look(ms: number): void {
    try {
      this.#wake();
    } catch {
      this.#timer = this.#deps.clock.after(ms, () => this.#look(ms));
    }
  }

  #find(record: SnoozedRecord): MessageRow | undefined {
    const { messages, shown } = this.#deps;
    const hinted = messages.get(record.messageId);
    if (hinted?.accountId === record.accountId && hinted.rfcMessageId === record.rfcMessageId) return hinted;
    const sameUids = messages.cursor(record.accountId, record.folder)?.uidValidity === record.uidValidity;
    const placed = sameUids ? messages.byUid(record.accountId, record.folder, record.uid) : undefined;
    if (placed || record.rfcMessageId === '') return placed;
    return shown.byMessageId(record.accountId, record.rfcMessageId).find(({ folder }) => folder === record.folder);
  }

  #row(messageId: number): MessageRow {
    const row = this.#deps.messages.get(messageId);
    if (!row) throw new QuMailError('message.missing');
    return row;
  }

  #tell(rows: readonly MessageRow[]): void {
    if (rows.length === 0) return;
    const { emit } = this.#deps;
    emit({ kind: 'actions' });
    const places = new Map(rows.map(({ accountId, folder }) => [`${accountId}\0${folder}`, { accountId, folder }]));
    for (const place of places.values()) emit({ kind: 'messages', ...place });
    for (const accountId of new Set(rows.map((row) => row.accountId))) emit({ kind: 'folders', accountId });
  }
}
