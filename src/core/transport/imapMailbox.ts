import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import type { ConnectionFacts } from './connectionFacts.ts';
import { endOf, openImap, type ImapClient } from './imapClient.ts';
import type { MailAccess, TransportTiming } from './mailAccess.ts';
import { expectSomething, probe } from './probeImap.ts';
import type { ServerPause } from './serverPause.ts';
import { Span } from './span.ts';
import { imapError, isImapRefusal } from './transportErrors.ts';
import { WorkQueue } from './workQueue.ts';

/**
 * `repeatable` work has the same effect when it is done twice: after a cut it is done once more on a new connection. `once` is for
 * the rest; a connection that has been quiet is probed before it.
 */
export type Repetition = 'repeatable' | 'once';

/** A connection that was used this recently needs no probe before work that cannot be repeated. */
const FRESH_MS = 2000;
/** An idle connection says something this often, so that nobody between forgets it. */
const KEEP_ALIVE_MS = 45_000;

/** The one IMAP connection that work is done on: opened when needed, one operation after the other, reopened after a cut. */
export class ImapMailbox implements Disposable {
  readonly #access: MailAccess;
  readonly #timing: TransportTiming;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pause: ServerPause;
  readonly #span = new Span();
  readonly #queue = new WorkQueue();
  #client: ImapClient | undefined;
  #since = 0;
  #lastUse = 0;
  #working = false;
  /** The log-in under way, which may hang on a network that is gone. */
  #opening: AbortController | undefined;
  #keepAlive: Disposable | undefined;
  #check: Disposable | undefined;

  constructor(access: MailAccess, deps: { clock: Clock; log: Log; timing: TransportTiming; pause: ServerPause }) {
    this.#access = access;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#timing = deps.timing;
    this.#pause = deps.pause;
  }

  get connection(): ConnectionFacts | undefined {
    if (!this.#client?.usable) return undefined;
    const capabilities = [...this.#client.capabilities.keys()];
    return { kind: 'imap-work', since: this.#since, lastUsed: this.#lastUse, capabilities };
  }

  /** Resolves once the work asked for by now has ended. */
  get idle(): Promise<void> {
    return this.#queue.idle;
  }

  /** Drops the connection unless it shows a sign of life in time. Resolves when that is known of an idle one; never rejects. */
  async check(): Promise<void> {
    this.#opening?.abort();
    const client = this.#client;
    if (!client?.usable) return;
    if (this.#working) {
      this.#check?.dispose();
      this.#check = expectSomething(client, this.#clock, this.#timing.wakeMs);
    } else await this.#queue.run(this.#span.signal, () => this.#probe(client, this.#timing.wakeMs)).catch(() => {});
  }

  /**
   * Does `work` on an authenticated connection, after all work asked for before. Rejects with the codes of transportErrors. When
   * `signal` is aborted the connection is dropped, for a command on the wire cannot be taken back.
   */
  run<T>(repetition: Repetition, signal: AbortSignal | undefined, work: (client: ImapClient) => Promise<T>): Promise<T> {
    return this.#span.during(signal, (both) => this.#queue.run(both, () => this.#attempt(repetition, both, work)));
  }

  async #attempt<T>(repetition: Repetition, signal: AbortSignal, work: (client: ImapClient) => Promise<T>): Promise<T> {
    this.#keepAlive?.dispose();
    let how: 'cached' | 'fresh' = 'cached';
    for (let attempt = 0; ; attempt++) {
      try {
        const client = await this.#open(repetition, how, signal);
        const result = await this.#work(client, signal, work);
        this.#rest();
        return result;
      } catch (error) {
        const failure = this.#failed(error);
        if (attempt > 0 || signal.aborted) throw failure;
        if (failure instanceof RefusedInSession) how = 'fresh';
        else if (failure.code !== 'net.cut' || (repetition === 'once' && failure instanceof FailedAtWork)) throw failure;
        this.#log.info('reconnecting', { host: this.#access.servers.imap.host, code: failure.code });
      }
    }
  }

  async #open(repetition: Repetition, how: 'cached' | 'fresh', signal: AbortSignal): Promise<ImapClient> {
    const current = this.#client;
    if (current?.usable && how === 'cached') {
      const quiet = this.#clock.now() - this.#lastUse;
      if (repetition === 'repeatable' || quiet < FRESH_MS) return current;
      await interruptible(current, signal, () => probe(current, this.#clock, this.#timing.probeMs));
      throwIfCancelled(signal);
      if (current.usable) return current;
    }
    current?.close();
    const opening = {
      access: this.#access,
      timing: this.#timing,
      log: this.#log,
      purpose: 'work',
      silenceMs: this.#timing.silenceMs,
      pause: this.#pause,
    } as const;
    const login = new AbortController();
    this.#opening = login;
    try {
      this.#client = await openImap(opening, how, AbortSignal.any([signal, login.signal]));
    } catch (error) {
      if (login.signal.aborted && !signal.aborted)
        throw new QuMailError('net.cut', { protocol: 'imap', host: this.#access.servers.imap.host });
      throw error;
    } finally {
      this.#opening = undefined;
    }
    this.#since = this.#lastUse = this.#clock.now();
    return this.#client;
  }

  async #work<T>(client: ImapClient, signal: AbortSignal, work: (client: ImapClient) => Promise<T>): Promise<T> {
    // A line that died while it was quiet shows by the lack of any answer; a busy server is given its full time.
    const quiet = this.#clock.now() - this.#lastUse >= FRESH_MS;
    const answered = quiet ? expectSomething(client, this.#clock, this.#timing.probeMs) : undefined;
    this.#working = true;
    try {
      return await interruptible(client, signal, () => work(client));
    } catch (error) {
      const { host } = this.#access.servers.imap;
      const shown = client.options.auth?.accessToken === undefined ? 'password' : 'token';
      const first = imapError(error, { host, shown });
      const failure = first.code === 'net.cut' ? imapError(endOf(client, first), { host, shown }) : first;
      if (failure.code === 'auth.token-refused') throw new RefusedInSession(failure);
      throw new FailedAtWork(failure);
    } finally {
      this.#working = false;
      answered?.dispose();
      this.#check?.dispose();
    }
  }

  /** What a failure leaves behind: a refused command leaves the connection as it was, anything else ends it. */
  #failed(error: unknown): QuMailError {
    const failure = imapError(error, { host: this.#access.servers.imap.host });
    this.#pause.note(failure);
    if (isImapRefusal(failure) && this.#client?.usable) this.#rest();
    else this.#drop();
    return failure;
  }

  #rest(): void {
    this.#lastUse = this.#clock.now();
    this.#armKeepAlive();
  }

  #armKeepAlive(): void {
    this.#keepAlive?.dispose();
    if (this.#span.ended) return;
    this.#keepAlive = this.#clock.after(KEEP_ALIVE_MS, () => {
      const client = this.#client;
      if (!client?.usable) return;
      if (this.#clock.now() - this.#lastUse >= this.#timing.imapIdleMs) this.#drop();
      else
        this.#queue
          .run(this.#span.signal, () => this.#probe(client, this.#timing.probeMs))
          .then(
            () => this.#armKeepAlive(),
            () => {}, // the next work finds a closed connection and opens another
          );
    });
  }

  async #probe(client: ImapClient, deadlineMs: number): Promise<void> {
    if (client !== this.#client || (await probe(client, this.#clock, deadlineMs))) return;
    this.#drop();
  }

  #drop(): void {
    this.#keepAlive?.dispose();
    this.#client?.close();
    this.#client = undefined;
  }

  dispose(): void {
    this.#span.dispose();
    this.#drop();
  }
}

/** The session's token was refused by a command: nothing was done, so even `once` work may be tried again. */
class RefusedInSession extends QuMailError {
  constructor(failure: QuMailError) {
    super(failure.code, failure.details, { cause: failure.cause });
  }
}

/** The failure came while the work was under way, so some of it may have been done. */
class FailedAtWork extends QuMailError {
  constructor(failure: QuMailError) {
    super(failure.code, failure.details, { cause: failure.cause });
  }
}

async function interruptible<T>(client: ImapClient, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const onAbort = (): void => client.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
