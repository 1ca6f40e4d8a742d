import type { GroupEvent } from './groupEvent.ts';

/** Events that take something away. What they take, no concurrent event gives back. */
function takesAway({ change }: GroupEvent): boolean {
  return change.kind === 'remove' || change.kind === 'leave' || change.kind === 'revoke';
}

/** An event whose whole past is known, in the order in which it takes effect. */
export interface OrderedEvent {
  readonly event: GroupEvent;
  /** True for every event that this one was written in knowledge of. */
  readonly knows: (id: string) => boolean;
}

export interface OrderedHistory {
  readonly order: readonly OrderedEvent[];
  /** Events that nothing known builds on: the parents of the next one. Sorted. */
  readonly heads: readonly string[];
  /** Ids that events name as their parents and nobody sent yet. Sorted. */
  readonly missing: readonly string[];
}

/**
 * One order of a set of events that everybody who has the set arrives at, however it reached them: removals and everything they build on
 * come first, then the rest; what was known to an author comes before what that author wrote; ties are broken by depth, then id. So a
 * removal takes effect before whatever was written without knowledge of it, and a member cannot outrun it by writing on an old past.
 *
 * Events with an unknown ancestor wait, and so does what builds on them.
 */
export function orderHistory(events: ReadonlyMap<string, GroupEvent>): OrderedHistory {
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
  let first = 0n;
  for (const [i, event] of ready.entries()) if (takesAway(event)) first |= past[i]! | (1n << BigInt(i));
  const rank = (i: number): number => ((first >> BigInt(i)) & 1n ? (takesAway(ready[i]!) ? 0 : 1) : 2);
  const order = topological(ready, index, (a, b) => rank(a) - rank(b) || depth[a]! - depth[b]! || (ready[a]!.id < ready[b]!.id ? -1 : 1));
  const built = new Set(ready.flatMap(({ parents }) => parents));
  return {
    order: order.map((i) => ({
      event: ready[i]!,
      knows: (id) => {
        const at = index.get(id);
        return at !== undefined && ((past[i]! >> BigInt(at)) & 1n) === 1n;
      },
    })),
    heads: ready
      .map(({ id }) => id)
      .filter((id) => !built.has(id))
      .sort(),
    missing,
  };
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

function topological(ready: readonly GroupEvent[], index: ReadonlyMap<string, number>, before: (a: number, b: number) => number): number[] {
  const waiting = ready.map(({ parents }) => parents.length);
  const children: number[][] = ready.map(() => []);
  for (const [i, { parents }] of ready.entries()) for (const parent of parents) children[index.get(parent)!]!.push(i);
  const open = waiting.flatMap((left, i) => (left === 0 ? [i] : []));
  const order: number[] = [];
  while (open.length > 0) {
    const next = open.reduce((best, i) => (before(i, best) < 0 ? i : best));
    open.splice(open.indexOf(next), 1);
    order.push(next);
    for (const child of children[next]!) if (--waiting[child]! === 0) open.push(child);
  }
  return order;
}
