import type { ActionPurpose, ActionReceipt } from '../../core/api.ts';
import type { TakeBack } from './ownUndo.ts';

/** What can be done to messages; the last four only this computer knows of. */
export type DonePurpose = ActionPurpose | 'snooze' | 'unsnooze' | 'mute' | 'unmute';

/** Something this window did to messages. */
export interface DoneAction {
  readonly actionId: string;
  readonly purpose: DonePurpose;
  readonly messageIds: readonly number[];
  /** How it is taken back, where the engine's journal does not know it. */
  readonly takeBack?: TakeBack;
}

/** So many can be taken back, one after the other. */
const MAX_KEPT = 100;

/** What was done in this window, for taking it back, and for saying of which messages the server has not heard. */
export class RecentActions {
  #done: readonly DoneAction[] = [];
  #undoable: readonly string[] = [];
  #waiting: ReadonlySet<number> = new Set();
  #own = 0;

  add(receipt: ActionReceipt, purpose: ActionPurpose): void {
    const { actionId, messageIds } = receipt;
    this.#add({ actionId, purpose, messageIds });
    if (receipt.undoable) this.#undoable = [...this.#undoable.slice(1 - MAX_KEPT), actionId];
  }

  /** Something that is not in the engine's journal; taken back in its turn as everything else. */
  addOwn(purpose: DonePurpose, messageIds: readonly number[], takeBack: TakeBack): void {
    const actionId = `own:${++this.#own}`;
    this.#add({ actionId, purpose, messageIds, takeBack });
    this.#undoable = [...this.#undoable.slice(1 - MAX_KEPT), actionId];
  }

  /** What would be taken back next. */
  get last(): DoneAction | undefined {
    const id = this.#undoable.at(-1);
    return this.#done.find(({ actionId }) => actionId === id);
  }

  /** It was taken back, or cannot be any more. */
  forget(actionId: string): void {
    this.#undoable = this.#undoable.filter((id) => id !== actionId);
  }

  /** Learns what the server has not heard of; true where that changes anything here. */
  noteWaiting(actionIds: readonly string[]): boolean {
    const waiting = new Set(this.#done.filter(({ actionId }) => actionIds.includes(actionId)).flatMap(({ messageIds }) => messageIds));
    const same = waiting.size === this.#waiting.size && [...waiting].every((id) => this.#waiting.has(id));
    this.#waiting = waiting;
    return !same;
  }

  isWaiting(messageId: number): boolean {
    return this.#waiting.has(messageId);
  }

  /** The engine was changed for another one: its actions mean nothing to the new one. */
  clear(): void {
    this.#done = [];
    this.#undoable = [];
    this.#waiting = new Set();
  }

  #add(done: DoneAction): void {
    this.#done = [...this.#done.slice(1 - MAX_KEPT), done];
  }
}
