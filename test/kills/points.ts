/**
 * Numbered points of a process: every durable step, every statement outside of one, everything written to a socket or read from one. A process
 * that is armed with a number kills itself at that point, without a word to anyone.
 */
import { Socket } from 'node:net';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { OutboxStore } from '../../src/core/store/outbox.ts';

export interface Points {
  /** Counts from here; SIGKILL at the `at`-th point, never where undefined. `tell` hears the name of the last one. */
  arm(at: number | undefined, tell: (point: string) => void): void;
  /** Points since `arm`. */
  count(): number;
}

type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

/** Counts in this process from now on. Only for a process whose life is to be ended. */
export function installPoints(): Points {
  let limit: number | undefined;
  let passed = 0;
  let hear: (point: string) => void = () => {};
  const pass = (point: string): void => {
    passed += 1;
    if (limit === undefined || passed < limit) return;
    hear(point);
    process.kill(process.pid, 'SIGKILL');
    // The signal takes a moment; nothing more may happen in it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
  };
  const around = (proto: object, name: string, points: (args: unknown[]) => { before?: string; after?: string }): void => {
    const holder = proto as Record<string, AnyMethod>;
    const original = holder[name]!;
    holder[name] = function (this: unknown, ...args: unknown[]) {
      const { before, after } = points(args);
      if (before !== undefined) pass(before);
      const result = original.apply(this, args);
      if (after !== undefined) pass(after);
      return result;
    };
  };
  around(DatabaseSync.prototype, 'exec', ([sql]) => (sql === 'COMMIT' ? { before: 'before commit', after: 'after commit' } : {}));
  around(StatementSync.prototype, 'run', () => ({ before: 'before statement', after: 'after statement' }));
  around(Socket.prototype, 'write', () => ({ before: 'before socket write', after: 'after socket write' }));
  around(Socket.prototype, 'push', () => ({ before: 'before socket read', after: 'after socket read' }));
  return {
    arm(at, tell) {
      limit = at;
      hear = tell;
      passed = 0;
    },
    count: () => passed,
  };
}

/** Hands every complete MIME message to `seen` before the outbox gets it, committed or not. Returns what undoes it. */
export function watchMime(seen: (mime: Buffer) => void): () => void {
  const original = OutboxStore.prototype.add;
  OutboxStore.prototype.add = function (record) {
    seen(record.mime);
    return original.call(this, record);
  };
  return () => {
    OutboxStore.prototype.add = original;
  };
}
