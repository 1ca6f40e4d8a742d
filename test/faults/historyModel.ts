import assert from 'node:assert/strict';
import { FLAGS, type Flag } from './historySteps.ts';

/** A message as it must be in the end, and how far that can be told from what was done. */
interface Expected {
  folder: string;
  /** Whether both sides had their hands on it at once, so that the stated rules decide between several places. */
  sure: boolean;
  readonly flags: Set<Flag>;
  readonly unsure: Set<Flag>;
  life: 'alive' | 'maybe' | 'gone';
  /** The server did something to it, or to its folder, since all was last told. */
  stale: boolean;
  /** The person did something to it since then: flags touched, and whether it was moved. */
  readonly touched: Set<Flag>;
  /** Flags that the server's side touched since then, of which the person may not know. */
  readonly unseen: Set<Flag>;
  moved: boolean;
  muted: boolean;
  /** Two sessions may have moved it at the same moment, which servers carry out as two copies: Dovecot does even with MOVE. */
  doubled: boolean;
  /** What the last action of the person found, as long as nothing else happened to the message. */
  last?: { readonly actionId: string; readonly folder: string; readonly flags: readonly Flag[]; readonly life: Expected['life'] };
}

/** Where messages lie: folder and flags by tag, one entry for each copy. */
export type Found = ReadonlyMap<number, readonly { readonly folder: string; readonly flags: readonly Flag[] }[]>;

/**
 * What a mailbox must be once the server heard everything, as far as both sides' steps tell: exactly where only one side touched a message, and
 * else that it is there once, or gone only if somebody removed it.
 */
export class HistoryModel {
  readonly #tags = new Map<number, Expected>();
  readonly #moves: 'whole' | 'by copies';

  /** @param moves whether the server has MOVE; where it has not, a move that is cut off leaves two copies for a while, and either may be removed */
  constructor(moves: 'whole' | 'by copies') {
    this.#moves = moves;
  }

  has(tag: number): boolean {
    return this.#tags.has(tag);
  }

  arrived(tag: number, folder: string, of: 'nothing' | 'muted thread'): void {
    const muted = of === 'muted thread';
    this.#tags.set(tag, {
      folder,
      sure: true,
      flags: new Set(),
      unsure: new Set(),
      life: 'alive',
      stale: false,
      touched: new Set(),
      unseen: new Set(),
      moved: false,
      muted,
      doubled: false,
    });
  }

  // ---- the server's side ---------------------------------------------------------------------------------------

  serverFlag(tag: number, flag: Flag, to: 'set' | 'clear', engine: 'may be telling' | 'is away'): void {
    const each = this.#of(tag);
    delete each.last;
    each.unseen.add(flag);
    // Of flags the last to reach the server wins, and nobody knows when the engine's word reaches it; nor whether it is moved before.
    if (each.touched.has(flag) || (each.moved && (engine === 'may be telling' || this.#moves === 'by copies'))) each.unsure.add(flag);
    else this.#set(each, flag, to);
  }

  serverExpunge(tag: number, engine: 'may be telling' | 'is away'): void {
    const each = this.#of(tag);
    delete each.last;
    each.stale = true;
    each.life = !each.moved || (engine === 'is away' && this.#moves === 'whole') ? 'gone' : 'maybe';
  }

  serverMove(tag: number, to: string, engine: 'may be telling' | 'is away'): void {
    const each = this.#of(tag);
    if (each.moved && (engine === 'may be telling' || this.#moves === 'by copies')) each.doubled = true;
    delete each.last;
    each.stale = true;
    if (each.moved) each.sure = false;
    // A removal names a message where it was: what somebody else took elsewhere before it came stays there.
    if (each.life === 'gone') each.life = 'maybe';
    each.folder = to;
    this.#doubt(each);
  }

  /** A folder goes by another name: so does the place of what is in it. */
  serverRename(from: string, to: string): void {
    for (const each of this.#tags.values()) {
      if (each.moved || each.touched.size > 0) this.#doubtAll(each);
      if (each.folder !== from) continue;
      each.stale = true;
      delete each.last;
      each.folder = to;
    }
  }

  /** A folder is gone with what was in it: `there` by what the server listed just before. */
  serverDelete(path: string, there: ReadonlySet<number>): void {
    for (const [tag, each] of this.#tags) {
      const busy = each.moved || each.touched.size > 0;
      if (busy) this.#doubtAll(each);
      if (!there.has(tag) && each.folder !== path && !busy) continue;
      each.stale = true;
      delete each.last;
      if (each.life === 'alive') each.life = busy ? 'maybe' : 'gone';
    }
  }

  serverRenumber(path: string): void {
    for (const each of this.#tags.values()) if (each.folder === path) each.stale = true;
  }

  // ---- the person's side ---------------------------------------------------------------------------------------

  flag(actionId: string, tag: number, flag: Flag, to: 'set' | 'clear'): void {
    const each = this.#act(actionId, tag);
    this.#set(each, flag, to);
    each.touched.add(flag);
    if (each.stale) each.unsure.add(flag);
    else each.unsure.delete(flag);
  }

  move(actionId: string, tag: number, folder: string, target: 'there' | 'perhaps not there'): void {
    const each = this.#act(actionId, tag);
    each.moved = true;
    each.sure &&= !each.stale && target === 'there';
    each.folder = folder;
  }

  remove(actionId: string, tag: number): void {
    const each = this.#act(actionId, tag);
    each.moved = true;
    if (each.life === 'alive') each.life = each.sure && !each.stale ? 'gone' : 'maybe';
  }

  /** The process ended before it said whether it took the action. */
  maybeMoved(tag: number): void {
    const each = this.#of(tag);
    delete each.last;
    each.moved = true;
    each.sure = false;
  }

  /** An action was taken back that these messages were in. */
  undo(actionId: string, tags: readonly number[]): void {
    for (const tag of tags) {
      const each = this.#tags.get(tag);
      if (!each) continue; // gone for good, and everything knows
      const { last } = each;
      delete each.last;
      each.moved = true;
      for (const flag of FLAGS) each.touched.add(flag);
      if (last?.actionId === actionId && !each.stale && each.sure && each.unsure.size === 0) {
        each.folder = last.folder;
        each.life = last.life;
        each.flags.clear();
        for (const flag of last.flags) each.flags.add(flag);
        // What is taken back is what the person saw change.
        for (const flag of each.unseen) each.unsure.add(flag);
      } else {
        this.#doubtAll(each);
        if (each.life === 'gone' && last?.life !== 'gone') each.life = 'maybe';
      }
    }
  }

  /** Whatever brings it into the inbox again, it is marked as read and archived there. */
  muted(tag: number): void {
    this.#of(tag).muted = true;
  }

  /** It was snoozed and comes back unread. */
  surfaces(tag: number): void {
    const each = this.#of(tag);
    each.touched.add('seen');
    each.unsure.add('seen');
    delete each.last;
  }

  // ---- the end -------------------------------------------------------------------------------------------------

  /** What is wrong with a server that heard everything; empty where nothing is. */
  faults(found: Found): string[] {
    return [...this.#tags].flatMap(([tag, each]) => {
      const copies = found.get(tag) ?? [];
      const [copy] = copies;
      if (copies.length > (each.doubled ? 2 : 1))
        return [`message ${tag} is there ${copies.length} times: ${copies.map(({ folder }) => folder).join(', ')}`];
      if (each.doubled) return each.life === 'alive' && !copy ? [`message ${tag} is lost`] : [];
      if (each.life === 'gone' && copy) return [`message ${tag} was removed and is in ${copy.folder}`];
      if (each.life === 'alive' && !copy) return [`message ${tag} is lost; it was in ${each.folder}`];
      if (!copy) return [];
      const wrong =
        each.sure && !each.muted && copy.folder !== each.folder ? [`message ${tag} is in ${copy.folder}, not in ${each.folder}`] : [];
      const flags = FLAGS.filter(
        (flag) => !each.unsure.has(flag) && !(each.muted && flag === 'seen') && each.flags.has(flag) !== copy.flags.includes(flag),
      );
      return [...wrong, ...flags.map((flag) => `message ${tag} ${each.flags.has(flag) ? 'lacks' : 'has'} ${flag}`)];
    });
  }

  /** All was told and looked at: what was in doubt is as the server has it. */
  settle(found: Found): void {
    for (const [tag, each] of this.#tags) {
      const [copy] = found.get(tag) ?? [];
      if (!copy) {
        this.#tags.delete(tag);
        continue;
      }
      if (!each.sure || each.unsure.size > 0) delete each.last;
      Object.assign(each, { folder: copy.folder, sure: true, life: 'alive', stale: false, moved: false });
      each.flags.clear();
      for (const flag of copy.flags) each.flags.add(flag);
      each.unsure.clear();
      each.touched.clear();
      each.unseen.clear();
    }
  }

  #act(actionId: string, tag: number): Expected {
    const each = this.#of(tag);
    each.last = { actionId, folder: each.folder, flags: [...each.flags], life: each.life };
    return each;
  }

  #of(tag: number): Expected {
    const each = this.#tags.get(tag);
    assert.ok(each, `message ${tag} is unknown to the model`);
    return each;
  }

  #set(each: Expected, flag: Flag, to: 'set' | 'clear'): void {
    if (to === 'set') each.flags.add(flag);
    else each.flags.delete(flag);
  }

  #doubt(each: Expected): void {
    for (const flag of each.touched) each.unsure.add(flag);
  }

  #doubtAll(each: Expected): void {
    each.sure = false;
    this.#doubt(each);
    delete each.last;
  }
}
