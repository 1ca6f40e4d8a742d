import type { MailFlag } from '../../base/types.ts';
import type { ActionMessage, Place } from '../../store/actionRow.ts';
import type { ActionStore } from '../../store/actions.ts';
import type { MessageRow, MessageStore } from '../../store/messages.ts';
import { HIDDEN } from '../../store/messageWriting.ts';
import type { ShownMail } from '../../store/shownMail.ts';
import type { SnoozedStore } from '../../store/snoozed.ts';
import { pendingViews, placeKey, withDecided, type PendingView } from './pendingView.ts';

export interface LocalViewDeps {
  readonly journal: ActionStore;
  readonly messages: MessageStore;
  readonly shown: ShownMail;
  readonly snoozed: Pick<SnoozedStore, 'endOf'>;
}

/**
 * Keeps what is shown in step with what the person did: rows are brought to where the journal has them, and mail.db is told in which way
 * what a sync brings of them is out of date. Every step may be done twice, so that a crash between the journal (vault.db) and the list
 * (mail.db) is made good at the next start.
 */
export class LocalView {
  readonly #deps: LocalViewDeps;

  constructor(deps: LocalViewDeps) {
    this.#deps = deps;
  }

  /** Where a row lies on the server; undefined where that is unknown. */
  placeOf(row: Pick<MessageRow, 'id' | 'accountId' | 'folder' | 'uid'>): Place | undefined {
    return row.uid < 0 ? this.#deps.journal.placeOfRow(row.accountId, row.id) : this.#deps.messages.placeOf(row);
  }

  /** Shows what waits, after a start: a crash, or a mail.db that was made anew, may have kept it from being shown. */
  showAll(accountId: string): void {
    const open = this.#deps.journal.open(accountId);
    this.#deps.shown.awaitNothing(accountId);
    for (const view of pendingViews(open).values()) this.#show(accountId, view);
    this.placeRest(accountId);
  }

  /** Gives rows that no action is to bring anywhere their place: the server heard, and a process ended before it was noted here. */
  placeRest(accountId: string): void {
    for (const row of this.#deps.shown.placeless(accountId)) {
      if (this.#deps.journal.placeOfRow(accountId, row.id)) continue;
      const place = this.#deps.journal.lastPlaceOfRow(accountId, row);
      if (place) this.#put(row, place);
      else {
        this.#deps.messages.removeUids(accountId, row.folder, [row.uid]);
        this.#deps.shown.lookAfresh(accountId, row.folder);
      }
    }
  }

  /** Shows the messages of these actions where the journal has them now. */
  show(accountId: string, messages: readonly ActionMessage[]): void {
    const views = this.#views(accountId, messages);
    this.#deps.shown.transaction(() => {
      for (const message of messages) {
        this.#show(accountId, views.get(placeKey(message)) ?? { message, rows: [], folder: message.folder, decided: new Map() });
      }
    });
  }

  /** Gives messages back the flags that a change took, and shows them. */
  unflag(
    accountId: string,
    messages: readonly ActionMessage[],
    inverse: (message: ActionMessage) => { readonly add: readonly MailFlag[]; readonly remove: readonly MailFlag[] },
  ): void {
    this.#deps.shown.transaction(() => {
      for (const message of messages) {
        const row = this.#rowOf(accountId, message);
        if (!row) continue;
        const { add, remove } = inverse(message);
        const flags = [...new Set([...row.flags.filter((flag) => !remove.includes(flag)), ...add])];
        // Else what was decided would be set at once again; what still is, `show` decides.
        this.#deps.shown.await(accountId, message, undefined);
        this.#deps.messages.updateFlags(accountId, row.folder, [{ uid: row.uid, flags }]);
      }
      this.show(accountId, messages);
      for (const folder of new Set(messages.map((message) => message.folder))) this.#deps.shown.lookAtFlags(accountId, folder);
    });
  }

  /** Where what was shown of messages is lost (its folder vanished), the next look at their place is to find them. */
  lookForMissing(accountId: string, messages: readonly ActionMessage[]): void {
    const missing = messages.filter((message) => !this.#rowOf(accountId, message));
    for (const folder of new Set(missing.map((message) => message.folder))) this.#deps.shown.lookAfresh(accountId, folder);
  }

  /** The message has left its place on the server: a row that was put back there, because that is to be undone, has no UID until it is. */
  uproot(accountId: string, message: ActionMessage): void {
    const { messages, shown } = this.#deps;
    if (messages.cursor(accountId, message.folder)?.uidValidity !== message.uidValidity) return;
    const row = messages.byUid(accountId, message.folder, message.uid);
    if (row?.id === message.messageId && row.rfcMessageId === message.rfcMessageId) shown.place(row.id, accountId, row.folder, -row.id);
  }

  /** The message is gone from the server; what was shown of it goes as well. */
  drop(accountId: string, message: ActionMessage): void {
    this.#deps.shown.await(accountId, message, undefined);
    const row = this.#rowOf(accountId, message);
    if (row) this.#deps.messages.removeUids(accountId, row.folder, [row.uid]);
  }

  #views(accountId: string, messages: readonly ActionMessage[]): Map<string, PendingView> {
    if (!this.#deps.journal.hasOpen(accountId)) return new Map();
    return pendingViews(this.#deps.journal.openAt(accountId, messages));
  }

  #show(accountId: string, view: PendingView): void {
    const { messages, shown, journal } = this.#deps;
    const row = this.#onItsWay(accountId, view) ?? this.#rowOf(accountId, view.message);
    const away = view.folder !== undefined && view.folder !== view.message.folder;
    const decided = [...view.decided];
    const set = decided.flatMap(([flag, to]) => (to === 'set' ? [flag] : []));
    const clear = decided.flatMap(([flag, to]) => (to === 'clear' ? [flag] : []));
    const unlisted = away || view.folder === undefined;
    const waits = unlisted || decided.length > 0;
    shown.await(accountId, view.message, waits ? { away, unlisted, set, clear, rowId: row?.id ?? 0 } : undefined);
    if (!row) return;
    if (unlisted) this.#dropOther(accountId, view.message, row);
    if (row.id !== view.message.messageId) journal.rehint(view.message.id, row.id);
    if (decided.length > 0) messages.updateFlags(accountId, row.folder, [{ uid: row.uid, flags: withDecided(row.flags, view.decided) }]);
    if (view.folder === undefined) this.#hide(row);
    else if (view.folder === view.message.folder) this.#put(row, view.message);
    else this.#place(row, view.folder, -row.id);
  }

  /** The row of a message that has no UID yet, which whoever has the message open knows it by; should there be two, the later one goes. */
  #onItsWay(accountId: string, { message, rows }: PendingView): MessageRow | undefined {
    const [row, ...more] = [...new Set(rows)].flatMap((id) => {
      const each = this.#deps.messages.get(id);
      const same = each?.accountId === accountId && each.rfcMessageId === message.rfcMessageId && each.size === message.size;
      return same && each.uid < 0 ? [each] : [];
    });
    for (const { folder, uid } of more) this.#deps.messages.removeUids(accountId, folder, [uid]);
    return row;
  }

  /** What a look listed at the place of a message that is shown elsewhere by another row. */
  #dropOther(accountId: string, place: Place, row: MessageRow): void {
    const { messages } = this.#deps;
    if (messages.cursor(accountId, place.folder)?.uidValidity !== place.uidValidity) return;
    const other = messages.byUid(accountId, place.folder, place.uid);
    if (other && other.id !== row.id) messages.removeUids(accountId, place.folder, [place.uid]);
  }

  /** Shows a row at its place on the server. */
  #put(row: MessageRow, place: Place): void {
    const { messages, shown } = this.#deps;
    const { accountId } = row;
    if (row.folder === place.folder && row.uid === place.uid) return shown.place(row.id, accountId, place.folder, place.uid);
    if (messages.cursor(accountId, place.folder)?.uidValidity !== place.uidValidity) {
      // Its number means nothing here: the next look finds the message, and must look at all of them.
      messages.removeUids(accountId, row.folder, [row.uid]);
      shown.lookAfresh(accountId, place.folder);
      return;
    }
    const other = messages.byUid(accountId, place.folder, place.uid);
    if (other && other.id !== row.id) messages.removeUids(accountId, place.folder, [place.uid]);
    this.#place(row, place.folder, place.uid);
    // A look found it there before this was known: the flags it brought are told once, and newer than the row's.
    if (other && other.id !== row.id) messages.updateFlags(accountId, place.folder, [{ uid: place.uid, flags: other.flags }]);
  }

  /** Who moves what is snoozed, or takes it back, has dealt with it: it does not come back later, wherever it lies then. */
  #place(row: MessageRow, folder: string, uid: number): void {
    const { shown, snoozed } = this.#deps;
    if (folder !== row.folder) snoozed.endOf(row.accountId, row.id);
    shown.place(row.id, row.accountId, folder, uid);
  }

  #hide({ id, accountId }: MessageRow): void {
    this.#deps.snoozed.endOf(accountId, id);
    this.#deps.shown.hide(id, HIDDEN.removing);
  }

  /** The row of a message: the one it had, if that still is the same message, else whatever lies at its place. */
  #rowOf(accountId: string, message: ActionMessage): MessageRow | undefined {
    const { messages } = this.#deps;
    const hinted = messages.get(message.messageId);
    const same =
      hinted?.accountId === accountId && hinted.rfcMessageId === message.rfcMessageId && hinted.size === message.size ? hinted : undefined;
    if (same && (same.uid < 0 || (same.folder === message.folder && same.uid === message.uid))) return same;
    if (messages.cursor(accountId, message.folder)?.uidValidity !== message.uidValidity) return undefined;
    return messages.byUid(accountId, message.folder, message.uid);
  }
}
