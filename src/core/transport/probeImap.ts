import { toDisposable, type Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import type { ImapClient } from './imapClient.ts';

/** Asks a connection for a sign of life (NOOP); one that gives none in time is closed. Resolves to whether it lives; never rejects. */
export async function probe(client: ImapClient, clock: Clock, deadlineMs: number): Promise<boolean> {
  const deadline = clock.after(deadlineMs, () => client.close());
  try {
    await client.noop();
  } catch {
    // what closed it is known to whoever works with it
  } finally {
    deadline.dispose();
  }
  return client.usable;
}

/** Closes a connection that is at work unless its server sends something in time. Dispose of the result when the work is done. */
export function expectSomething(client: ImapClient, clock: Clock, deadlineMs: number): Disposable {
  const before = client.stats().received;
  const deadline = clock.after(deadlineMs, () => {
    if (client.usable && client.stats().received === before) client.close();
  });
  return toDisposable(() => deadline.dispose());
}
