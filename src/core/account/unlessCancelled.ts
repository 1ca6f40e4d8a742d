import { QuMailError } from '../base/errors.ts';

/** The outcome of work that goes on for others, for somebody who stops waiting when `signal` is aborted: `engine.cancelled` then. */
export async function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: cancelled, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new QuMailError('engine.cancelled'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
