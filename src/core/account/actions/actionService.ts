import type { ActionPurpose, ActionReceipt, DeleteReceipt, PendingAction } from '../../base/actions.ts';
import type { QuMailEvent } from '../../base/events.ts';
import { QuMailError } from '../../base/errors.ts';
import { othersFirst } from '../../base/othersFirst.ts';
import type { Clock, Random } from '../../base/ports.ts';
import type { ActionRequests } from '../../base/requests/actionRequests.ts';
import type { MailFlag, SpecialUse } from '../../base/types.ts';
import {
  NO_CHANGE,
  type ActionRecord,
  type ActionVerb,
  type FlagChange,
  type NewAction,
  type NewActionMessage,
} from '../../store/actionRow.ts';
import type { ActionStore } from '../../store/actions.ts';
import type { MessageRow, MessageStore } from '../../store/messages.ts';
import type { ShownMail } from '../../store/shownMail.ts';
import { inverseOf } from './inverseActions.ts';
import type { LocalView } from './localView.ts';
import { pendingOf } from './pendingList.ts';
import { countChangesOf } from './pendingView.ts';
import { foldersOf, takeBack, type Replay } from './replay.ts';

const MAX_MESSAGES = 10_000;
/** Messages that are journaled and shown at a time, and told to the server in one command: other requests wait no longer than that. */
const AT_ONCE = 100;
const JUNK: FlagChange = { ...NO_CHANGE, addKeywords: ['$Junk'], removeKeywords: ['$NotJunk'] };
const NOT_JUNK: FlagChange = { ...NO_CHANGE, addKeywords: ['$NotJunk'], removeKeywords: ['$Junk'] };

export interface ActionServiceDeps {
  readonly journal: ActionStore;
  readonly messages: MessageStore;
  readonly shown: ShownMail;
  readonly view: LocalView;
  readonly replay: Replay;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: QuMailEvent) => void;
}

/** One step of an action on one message. */
interface Step {
  readonly verb: ActionVerb;
  readonly target?: string | undefined;
  readonly change?: FlagChange;
}

type Handled = Pick<
  ActionRequests,
  | 'setFlags'
  | 'moveMessages'
  | 'deleteMessages'
  | 'removeForGood'
  | 'archiveMessages'
  | 'markJunk'
  | 'markNotJunk'
  | 'undoAction'
  | 'listPendingActions'
>;

/** Does what the person asks for, here and at once; the server hears of it from the journal. */
export class ActionService implements Handled {
  readonly #deps: ActionServiceDeps;

  constructor(deps: ActionServiceDeps) {
    this.#deps = deps;
  }

  async setFlags(request: {
    messageIds: readonly number[];
    add: readonly MailFlag[];
    remove: readonly MailFlag[];
  }): Promise<ActionReceipt> {
    const change = { ...NO_CHANGE, add: [...request.add], remove: request.remove.filter((flag) => !request.add.includes(flag)) };
    return this.#act('flags', request.messageIds, () => [{ verb: 'flags', change }]);
  }

  async moveMessages(request: { messageIds: readonly number[]; folder: string; accountId?: string }): Promise<ActionReceipt> {
    const { folder } = request;
    const known = new Set<string>();
    return this.#act('move', request.messageIds, ({ accountId }) => {
      if (request.accountId !== undefined && request.accountId !== accountId) throw new QuMailError('action.other-account');
      if (!known.has(accountId) && !this.#hasFolder(accountId, folder)) throw new QuMailError('imap.mailbox-missing', { folder });
      known.add(accountId);
      return [{ verb: 'move', target: folder }];
    });
  }

  async deleteMessages(request: { messageIds: readonly number[] }): Promise<DeleteReceipt> {
    const inTrash: number[] = [];
    const noTrash = new Map<string, number[]>();
    const receipt = await this.#act('delete', request.messageIds, ({ id, accountId, folder }) => {
      const trash = this.#folderOf(accountId, ['trash']);
      if (trash !== undefined && trash !== folder) return [{ verb: 'move', target: trash }];
      const left = trash === undefined ? (noTrash.get(accountId) ?? []) : inTrash;
      left.push(id);
      if (trash === undefined) noTrash.set(accountId, left);
      return [];
    });
    return { ...receipt, inTrash, noTrash: [...noTrash].map(([accountId, messageIds]) => ({ accountId, messageIds })) };
  }

  async removeForGood(request: { messageIds: readonly number[] }): Promise<ActionReceipt> {
    return this.#act('expunge', request.messageIds, () => [{ verb: 'expunge' }]);
  }

  async archiveMessages(request: { messageIds: readonly number[] }): Promise<ActionReceipt> {
    return this.#act('archive', request.messageIds, (row) => [{ verb: 'move', target: this.#required(row.accountId, ['archive', 'all']) }]);
  }

  async markJunk(request: { messageIds: readonly number[] }): Promise<ActionReceipt> {
    return this.#act('junk', request.messageIds, (row) => [
      { verb: 'flags', change: JUNK },
      { verb: 'move', target: this.#required(row.accountId, ['junk']) },
    ]);
  }

  async markNotJunk(request: { messageIds: readonly number[] }): Promise<ActionReceipt> {
    return this.#act('not-junk', request.messageIds, (row) => [
      { verb: 'flags', change: NOT_JUNK },
      { verb: 'move', target: this.#required(row.accountId, ['inbox']) },
    ]);
  }

  async undoAction(request: { actionId: string }): Promise<ActionReceipt> {
    const records = this.#deps.journal.ofId(request.actionId);
    if (records.length === 0) throw new QuMailError('action.missing');
    const gone = records.some(({ verb, state, tried }) => verb === 'expunge' && state !== 'failed' && (state !== 'waiting' || tried));
    if (gone) throw new QuMailError('action.final');
    const about = new Set(records.flatMap((record) => record.messages.map(({ messageId }) => messageId)));
    const receipt = { actionId: this.#deps.random.uuid(), messageIds: [...about], undoable: true };
    const inverse: NewAction[] = [];
    // The last step first, as they were done.
    for (const record of records.toReversed()) {
      if (record.undoneBy !== undefined) continue;
      if (this.#cancel(record)) continue;
      // Another window was faster.
      if (record.verb === 'expunge') throw new QuMailError('action.final');
      inverse.push(...inverseOf(record, receipt.actionId, this.#deps.clock.now()));
    }
    for (const part of inverse.flatMap(inParts)) await this.#record([part]);
    for (const accountId of new Set(inverse.map((action) => action.accountId))) void this.#deps.replay.run(accountId);
    this.#deps.journal.noteUndone(request.actionId, receipt.actionId);
    this.#tell(records);
    return receipt;
  }

  async listPendingActions(): Promise<readonly PendingAction[]> {
    const byId = new Map<string, ActionRecord[]>();
    for (const record of this.#deps.journal.unsettled()) byId.set(record.id, [...(byId.get(record.id) ?? []), record]);
    const counts = this.#deps.journal.unsettledCounts();
    return [...byId].map(([id, records]) => pendingOf(records, counts.get(id) ?? { messages: 0, vanished: 0 }));
  }

  /** How the counts of an account's folders differ from what the server told, because of what it has not heard yet. */
  countsPending(accountId: string): ReadonlyMap<string, { unread: number; total: number }> {
    const sums = new Map<string, { unread: number; total: number }>();
    if (!this.#deps.journal.hasOpen(accountId)) return sums;
    const groups = this.#deps.journal.openGroups(accountId);
    for (const { folder, unread, total } of groups.flatMap(({ action, ...group }) => countChangesOf(action, [group]))) {
      const sum = sums.get(folder) ?? { unread: 0, total: 0 };
      sums.set(folder, { unread: sum.unread + unread, total: sum.total + total });
    }
    return sums;
  }

  #cancel(record: ActionRecord): boolean {
    const { journal, clock, view } = this.#deps;
    if (record.state === 'failed' || record.state === 'dropped') {
      const acknowledged = journal.change(record.seq, [record.state], record.state === 'failed' ? 'cancelled' : 'done', {
        now: clock.now(),
      });
      return acknowledged && record.state === 'failed';
    }
    // One that was tried before may have been done, without an answer: that is for the inverse to undo.
    if (record.tried || !journal.change(record.seq, ['waiting'], 'cancelled', { now: clock.now() })) return false;
    takeBack(record, view);
    return true;
  }

  /** Takes note of all messages before anything is done with one: where one is missing, nothing happens. */
  async #act(
    purpose: ActionPurpose,
    messageIds: readonly number[],
    stepsFor: (row: MessageRow) => readonly Step[],
  ): Promise<ActionReceipt> {
    if (messageIds.length > MAX_MESSAGES) throw new QuMailError('engine.bad-request', { field: 'messageIds', limit: MAX_MESSAGES });
    const id = this.#deps.random.uuid();
    const createdAt = this.#deps.clock.now();
    const actions = new Map<string, NewAction & { messages: NewActionMessage[] }>();
    let taken = 0;
    const about = new Set<number>();
    for (const messageId of new Set(messageIds)) {
      if (++taken % AT_ONCE === 0) await othersFirst();
      const row = this.#row(messageId);
      for (const { verb, target, change = NO_CHANGE } of stepsFor(row)) {
        if (verb === 'move' && target === row.folder) continue;
        const key = JSON.stringify([row.accountId, verb, target]);
        const action = actions.get(key) ?? { id, accountId: row.accountId, purpose, verb, target, change, createdAt, messages: [] };
        action.messages.push(this.#messageOf(row));
        about.add(messageId);
        actions.set(key, action);
      }
    }
    const made = [...actions.values()];
    // One that is small is journaled whole, in one transaction; of a large one each part is an action of its own with the id of them all.
    if (taken <= AT_ONCE && made.length > 0) await this.#record(made);
    else for (const part of made.flatMap(inParts)) await this.#record([part]);
    for (const accountId of new Set(made.map((action) => action.accountId))) void this.#deps.replay.run(accountId);
    return { actionId: id, messageIds: [...about], undoable: about.size > 0 && !made.some(({ verb }) => verb === 'expunge') };
  }

  /** Journals first, which is durable, then shows. */
  async #record(actions: readonly NewAction[]): Promise<void> {
    const { journal, view } = this.#deps;
    journal.add(actions);
    for (const { accountId, messages } of actions)
      view.show(
        accountId,
        messages.map((message) => ({ ...message, id: 0, outcome: 'open' })),
      );
    this.#tell(actions.map((action) => ({ ...action, seq: 0, state: 'waiting' }) as unknown as ActionRecord));
    if (actions.some(({ messages }) => messages.length >= AT_ONCE)) await othersFirst();
  }

  #messageOf(row: MessageRow): NewActionMessage {
    const place = this.#deps.view.placeOf(row);
    if (!place) throw new QuMailError('message.missing');
    const { folder, uidValidity, uid } = place;
    const { rfcMessageId, size, flags } = row;
    return { folder, uidValidity, uid, rfcMessageId, size, flags, fromFolder: row.folder, messageId: row.id };
  }

  #row(messageId: number): MessageRow {
    const row = this.#deps.messages.get(messageId);
    if (!row || this.#deps.shown.isRemoving(messageId)) throw new QuMailError('message.missing');
    return row;
  }

  #folderOf(accountId: string, roles: readonly SpecialUse[]): string | undefined {
    const folders = this.#deps.messages.listFolders(accountId);
    return roles.flatMap((role) => folders.find(({ specialUse }) => specialUse === role)?.path ?? [])[0];
  }

  #required(accountId: string, roles: readonly SpecialUse[]): string {
    const folder = this.#folderOf(accountId, roles);
    if (folder === undefined) throw new QuMailError('action.no-folder', { role: roles[0] ?? '', accountId });
    return folder;
  }

  #hasFolder(accountId: string, folder: string): boolean {
    return this.#deps.messages.listFolders(accountId).some(({ path, selectable }) => path === folder && selectable);
  }

  #tell(actions: readonly ActionRecord[]): void {
    const { emit } = this.#deps;
    emit({ kind: 'actions' });
    const shown = new Map(
      actions.flatMap((action) =>
        foldersOf(action).map((folder) => [`${action.accountId}\0${folder}`, { accountId: action.accountId, folder }]),
      ),
    );
    for (const { accountId, folder } of shown.values()) emit({ kind: 'messages', accountId, folder });
    for (const accountId of new Set(actions.map((action) => action.accountId))) emit({ kind: 'folders', accountId });
  }
}

function inParts(action: NewAction): NewAction[] {
  const parts: NewAction[] = [];
  for (let at = 0; at < action.messages.length; at += AT_ONCE) parts.push({ ...action, messages: action.messages.slice(at, at + AT_ONCE) });
  return parts;
}
