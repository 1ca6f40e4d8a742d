import type { GroupEvent } from './groupEvent.ts';

/** Events that take something away. What they take, no concurrent event gives back. */
function takesAway({ change }: GroupEvent): boolean {
  return change.kind === 'remove' || change.kind === 'leave' || change.kind === 'revoke';
}

/** An event whose whole past is known. */
export interface PlacedEvent {
  readonly event: GroupEvent;
  /** True for every event that this one was written in knowledge of. */
  readonly knows: (id: string) => boolean;
}

/** A set of events as a partial order: each after what it was written in knowledge of. */
export interface History {
  /** Events whose whole past is known, parents before children. */
  readonly ready: readonly GroupEvent[];
  /** Ids that events name as their parents and nobody sent yet. Sorted. */
  readonly missing: readonly string[];
  /** Bit i: `ready[i]` is in the past of this one. */
  readonly past: readonly bigint[];
  /** The length of the longest way to a beginning. */
  readonly depth: readonly number[];
}

export function historyOf(events: ReadonlyMap<string, GroupEvent>): History {
  const { ready, missing } = withKnownPast(events);
  const index = new Map(ready.map(({ id }, i) => [id, i]));
  const past: bigint[] = [];
  const depth: number[] = [];
  for (const [i, { parents }] of ready.entries()) {
    let known = 0n;
    let deepest = -1;
    for (const parent of parents) {
      const at = index.get(parent)!;
      known |= past[at]! | (1n << BigInt(at));
      deepest = Math.max(deepest, depth[at]!);
    }
    past[i] = known;
    depth[i] = deepest + 1;
  }
  return { ready, missing, past, depth };
}

/**
 * Visits the events in one order that everybody who has them arrives at, however they came: what takes something away first, each with all
 * that it was written in knowledge of right before it, then the rest. Of several that could be next, the one whose author stands highest at
 * this point, then the one with the shortest past, then the least id. So a removal takes effect before whatever was written without
 * knowledge of it, and who was removed cannot outrun it by writing on an old past: only who stands higher than the remover can.
 *
 * Events with an unknown ancestor wait, and so does what builds on them.
 *
 * @param standing of an event's author after what was visited so far, 0 the highest
 */
export function visitInOrder(history: History, standing: (event: GroupEvent) => number, visit: (placed: PlacedEvent) => void): void {
  const { ready, past, depth } = history;
  const index = new Map(ready.map(({ id }, i) => [id, i]));
  const isDone = new Uint8Array(ready.length);
  const taking = ready.flatMap((event, i) => (takesAway(event) ? [i] : []));
  const before = (a: number, b: number): boolean => depth[a]! < depth[b]! || (depth[a] === depth[b] && ready[a]!.id < ready[b]!.id);
  const plain = ready.map((_, i) => i).sort((a, b) => (before(a, b) ? -1 : 1));
  const isIn = (set: bigint | 'all', i: number): boolean => set === 'all' || ((set >> BigInt(i)) & 1n) === 1n;
  const done = (i: number): void => {
    isDone[i] = 1;
    visit({
      event: ready[i]!,
      knows: (id) => {
        const at = index.get(id);
        return at !== undefined && isIn(past[i]!, at);
      },
    });
  };
  const next = (among: readonly number[]): number | undefined => {
    let best: number | undefined;
    let highest = Infinity;
    for (const i of among) {
      if (isDone[i]) continue;
      const stands = standing(ready[i]!);
      if (best !== undefined && (stands > highest || (stands === highest && !before(i, best)))) continue;
      best = i;
      highest = stands;
    }
    return best;
  };
  // Sets that are to be visited: the outermost is everything, each further one the past of what comes right after it.
  const stack: { set: bigint | 'all'; taking: readonly number[]; last: number | undefined }[] = [{ set: 'all', taking, last: undefined }];
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const best = next(frame.taking);
    if (best !== undefined) {
      const set = past[best]!;
      stack.push({ set, taking: frame.taking.filter((i) => !isDone[i] && isIn(set, i)), last: best });
      continue;
    }
    // By depth, so parents come before children.
    for (const i of plain) if (!isDone[i] && isIn(frame.set, i)) done(i);
    if (frame.last !== undefined && !isDone[frame.last]) done(frame.last);
    stack.pop();
  }
}

/** Those of `ids` that no other of them builds on: the deepest first, then the least id. */
export function headsAmong({ ready, past, depth }: History, ids: (id: string) => boolean): string[] {
  const among = ready.flatMap(({ id }, i) => (ids(id) ? [i] : []));
  let built = 0n;
  for (const i of among) built |= past[i]!;
  return among
    .filter((i) => ((built >> BigInt(i)) & 1n) === 0n)
    .sort((a, b) => depth[b]! - depth[a]! || (ready[a]!.id < ready[b]!.id ? -1 : 1))
    .map((i) => ready[i]!.id);
}

/** Events whose ancestors are all there, parents before children; and the parents that are not there. */
function withKnownPast(events: ReadonlyMap<string, GroupEvent>): { ready: GroupEvent[]; missing: string[] } {
  const missing = new Set<string>();
  const waiting = new Map<string, number>();
  const children = new Map<string, string[]>();
  const queue: string[] = [];
  for (const [id, { parents }] of events) {
    for (const parent of parents) {
      if (!events.has(parent)) missing.add(parent);
      const siblings = children.get(parent);
      if (siblings) siblings.push(id);
      else children.set(parent, [id]);
    }
    waiting.set(id, parents.length);
    if (parents.length === 0) queue.push(id);
  }
  const ready: GroupEvent[] = [];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    ready.push(events.get(id)!);
    for (const child of children.get(id) ?? []) {
      const left = waiting.get(child)! - 1;
      waiting.set(child, left);
      if (left === 0) queue.push(child);
    }
  }
  return { ready, missing: [...missing].sort() };
}
