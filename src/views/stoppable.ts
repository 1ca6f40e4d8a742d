import { QuMailError, type QuMailApi } from '../core/api.ts';

/** An engine proxy whose every call, also those under way, rejects with `engine.stopped` once `stop` was called. */
export interface StoppableApi {
  readonly api: QuMailApi;
  stop(): void;
}

/**
 * A worker that died answers nothing, so the calls it owed would wait for ever. This remembers who waits.
 * (Racing each call against one long-lived promise would keep every result alive for as long as the engine runs.)
 */
export function stoppable(engine: QuMailApi): StoppableApi {
  const waiting = new Set<(error: QuMailError) => void>();
  let stopped = false;
  const call = (run: () => Promise<unknown>): Promise<unknown> => {
    if (stopped) return Promise.reject(new QuMailError('engine.stopped'));
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      run()
        .then(resolve, reject)
        .finally(() => waiting.delete(reject));
    });
  };
  const wrapped = new Map<string, unknown>();
  const api = new Proxy(engine, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof name !== 'string' || name === 'onEvent' || typeof member !== 'function') return member;
      let wrapper = wrapped.get(name);
      if (!wrapper) {
        wrapper = (...args: unknown[]) => call(() => Reflect.apply(member, target, args) as Promise<unknown>);
        wrapped.set(name, wrapper);
      }
      return wrapper;
    },
  });
  return {
    api,
    stop() {
      stopped = true;
      for (const reject of waiting) reject(new QuMailError('engine.stopped'));
      waiting.clear();
    },
  };
}
