import { nodeKey, type ThreadStore } from '../store/threads.ts';
import type { SealedSearch } from '../store/sealedSearch.ts';

/**
 * Which threads are one because sealed messages say so inside. What they refer to must not be on disk in the clear, so this is known in memory
 * alone, from the index of sealed mail, and laid over the threads of the store.
 */
export class SealedThreads {
  readonly #threads: ThreadStore;
  readonly #sealed: SealedSearch;
  #groups = new Map<number, readonly number[]>();
  #made = '';

  constructor(deps: { threads: ThreadStore; sealed: SealedSearch }) {
    this.#threads = deps.threads;
    this.#sealed = deps.sealed;
  }

  /** The threads that are one with this one, itself included. */
  groupOf(threadId: number): readonly number[] {
    const state = `${this.#threads.revision}/${this.#sealed.revision}`;
    if (state !== this.#made) {
      this.#groups = this.#join();
      this.#made = state;
    }
    return this.#groups.get(threadId) ?? [threadId];
  }

  #join(): Map<number, readonly number[]> {
    const sets = new Sets();
    for (const { accountId, threadId, nodes } of this.#sealed.ties()) {
      for (const node of nodes) {
        const key = nodeKey(accountId, node);
        sets.join(`t${threadId}`, `n${key}`);
        const thread = this.#threads.threadOfNode(key);
        if (thread !== undefined) sets.join(`t${threadId}`, `t${thread}`);
      }
    }
    const groups = new Map<number, readonly number[]>();
    for (const members of sets.all()) {
      const threads = members.filter((name) => name.startsWith('t')).map((name) => Number(name.slice(1)));
      for (const thread of threads) groups.set(thread, threads);
    }
    return groups;
  }
}

/** Disjoint sets of names. */
class Sets {
  readonly #parent = new Map<string, string>();

  join(a: string, b: string): void {
    const [rootA, rootB] = [this.#root(a), this.#root(b)];
    if (rootA !== rootB) this.#parent.set(rootB, rootA);
  }

  all(): readonly (readonly string[])[] {
    const sets = new Map<string, string[]>();
    for (const name of this.#parent.keys()) {
      const root = this.#root(name);
      const set = sets.get(root);
      if (set) set.push(name);
      else sets.set(root, [name]);
    }
    return [...sets.values()];
  }

  #root(name: string): string {
    let root = name;
    for (let up = this.#parent.get(root); up !== undefined && up !== root; up = this.#parent.get(root)) root = up;
    for (let at = name; at !== root;) {
      const up = this.#parent.get(at);
      this.#parent.set(at, root);
      if (up === undefined) break;
      at = up;
    }
    if (!this.#parent.has(root)) this.#parent.set(root, root);
    return root;
  }
}
