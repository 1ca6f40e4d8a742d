import type { Place, ShownLine, Stretch } from '../chatProtocol.ts';

/** By time, and at one instant by id, as the engine orders them. */
function comparePlaces(a: Place, b: Place): number {
  return a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** The lines known so far, oldest first: one gapless stretch of the chat up to its newest. */
export class ChatLines {
  #lines: readonly ShownLine[] = [];
  #places = new Map<string, number>();

  get all(): readonly ShownLine[] {
    return this.#lines;
  }

  get length(): number {
    return this.#lines.length;
  }

  at(index: number): ShownLine | undefined {
    return this.#lines[index];
  }

  /** -1 for what is not known. */
  indexOf(id: string): number {
    return this.#places.get(id) ?? -1;
  }

  byId(id: string): ShownLine | undefined {
    return this.#lines[this.indexOf(id)];
  }

  clear(): void {
    this.#lines = [];
    this.#places.clear();
  }

  /**
   * Takes a stretch as it is now: what was known within its bounds and is not in it is gone. Lines that are the same as before stay the same
   * objects. Returns lines of others that are newer than everything before, oldest first.
   */
  take({ lines, from, to }: Stretch): readonly ShownLine[] {
    const newest = this.#lines.at(-1);
    const within = (place: Place): boolean =>
      (from === undefined || comparePlaces(place, from) >= 0) && (to === undefined || comparePlaces(place, to) < 0);
    const arriving = new Set(lines.map(({ id }) => id));
    const kept = this.#lines.filter((line) => !within(line) && !arriving.has(line.id));
    const fresh = lines.map((line) => {
      const known = this.byId(line.id);
      return known && JSON.stringify(known) === JSON.stringify(line) ? known : line;
    });
    this.#lines = [...kept, ...fresh].sort(comparePlaces);
    this.#places = new Map(this.#lines.map((line, index) => [line.id, index]));
    return newest ? fresh.filter((line) => !line.own && comparePlaces(line, newest) > 0) : [];
  }

  /** The newest own message that can be edited, for ArrowUp. */
  lastOwn(): ShownLine | undefined {
    return this.#lines.findLast(({ own, kind, deleted }) => own && kind === 'message' && !deleted);
  }
}

/** Within this time messages of one person stand under one name. */
const TOGETHER_MS = 5 * 60_000;

/** What stands around a line because of the one before it. */
export interface LineContext {
  /** A day begins here. */
  readonly day: 'new' | 'same';
  /** The name and level stand at an earlier line already. */
  readonly author: 'new' | 'same';
}

export function contextOf(line: ShownLine, before: ShownLine | undefined): LineContext {
  const day = before?.day === line.day ? 'same' : 'new';
  const together =
    day === 'same' &&
    before?.kind === 'message' &&
    line.kind === 'message' &&
    before.address === line.address &&
    before.own === line.own &&
    before.level === line.level &&
    before.sealed === line.sealed &&
    line.at - before.at < TOGETHER_MS;
  return { day, author: together ? 'same' : 'new' };
}
