import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import { QuMailError } from '../base/errors.ts';
import { planReconnect, type Loss } from './backoff.ts';
import type { ConnectionFacts } from './connectionFacts.ts';
import { endOf, openImap, type ImapClient } from './imapClient.ts';
import type { MailAccess, TransportTiming } from './mailAccess.ts';
import { probe } from './probeImap.ts';
import { retryAfterOf, type ServerPause } from './serverPause.ts';
import { Span } from './span.ts';
import { imapError } from './transportErrors.ts';

export interface WatchDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timing: TransportTiming;
  readonly pause: ServerPause;
}

export interface WatchOptions {
  readonly folder: string;
  /** `push` holds a connection in IDLE; `poll` only keeps time. */
  readonly mode: 'push' | 'poll';
  /** Something may have changed: look. Also called whenever pushing begins, for what was missed before. */
  readonly onChange: () => void;
}

interface Session {
  readonly client: ImapClient;
  readonly since: number;
  lastUsed: number;
  idleSince: number | undefined;
}

/**
 * Tells when a folder may have changed: at once while the server pushes (IDLE, RFC 2177) over a connection of its own, every `pollMs`
 * while it does not, for whatever reason. A silent IDLE is probed and begun anew every `idleMs`. Reconnects as planReconnect says until
 * disposed of.
 */
export class ImapWatch implements Disposable {
  readonly #access: MailAccess;
  readonly #deps: WatchDeps;
  readonly #options: WatchOptions;
  readonly #span = new Span();
  #session: Session | undefined;
  /** The log-in under way, which may hang on a network that is gone. */
  #opening: AbortController | undefined;
  #hurry: AbortController | undefined;
  /** The next wait is left out. */
  #impatient = false;
  #poll: Disposable | undefined;

  constructor(access: MailAccess, deps: WatchDeps, options: WatchOptions) {
    this.#access = access;
    this.#deps = deps;
    this.#options = options;
    this.#armPoll();
    if (options.mode === 'push') void this.#keepListening();
  }

  get connection(): ConnectionFacts | undefined {
    if (!this.#session) return undefined;
    const { client, since, lastUsed, idleSince } = this.#session;
    return {
      kind: 'imap-watch',
      since,
      lastUsed,
      ...(idleSince !== undefined && { idleSince }),
      capabilities: [...client.capabilities.keys()],
    };
  }

  /** Finds out now whether the line is dead, and comes back at once where it is. Resolves when that is known; never rejects. */
  async check(): Promise<void> {
    this.#impatient = true;
    this.#opening?.abort();
    if (this.#session && (await this.#probe(this.#session, this.#deps.timing.wakeMs))) this.#impatient = false;
    this.#hurry?.abort();
  }

  async #keepListening(): Promise<void> {
    const { random, log } = this.#deps;
    const { host } = this.#access.servers.imap;
    let failures = 0;
    let how: 'cached' | 'fresh' = 'cached';
    while (!this.#span.ended) {
      const loss = await this.#listen(how);
      if (loss === 'no-idle' || this.#span.ended) return;
      const plan = planReconnect(failures, loss, random.fraction());
      failures = plan.failures;
      how = loss.code === 'auth.token-refused' && loss.heldMs !== undefined ? 'fresh' : 'cached';
      log.info('watch-interrupted', { host, code: loss.code, heldMs: loss.heldMs, delayMs: plan.delayMs });
      await this.#wait(plan.delayMs);
    }
  }

  async #wait(ms: number): Promise<void> {
    const hurry = new AbortController();
    this.#hurry = hurry;
    if (this.#impatient || ms <= 0) hurry.abort();
    this.#impatient = false;
    await this.#deps.clock.sleep(ms, AbortSignal.any([this.#span.signal, hurry.signal])).catch(() => {});
    this.#hurry = undefined;
  }

  /** One connection, from log-in to its end; says how that came. */
  async #listen(how: 'cached' | 'fresh'): Promise<Loss | 'no-idle'> {
    const { clock } = this.#deps;
    let session: Session | undefined;
    try {
      const outcome = await this.#span.during(undefined, async (signal) => {
        const opening = new AbortController();
        this.#opening = opening;
        const client = await this.#open(how, AbortSignal.any([signal, opening.signal]));
        this.#opening = undefined;
        const close = (): void => client.close();
        signal.addEventListener('abort', close, { once: true });
        session = { client, since: clock.now(), lastUsed: clock.now(), idleSince: undefined };
        this.#session = session;
        try {
          return await this.#hold(session);
        } catch (error) {
          throw endOf(client, error);
        } finally {
          signal.removeEventListener('abort', close);
          client.close();
        }
      });
      return outcome;
    } catch (error) {
      const { host } = this.#access.servers.imap;
      const shown = session?.client.options.auth?.accessToken === undefined ? 'password' : 'token';
      const failure = imapError(error, { host, shown });
      this.#deps.pause.note(failure);
      const retryAfterMs = retryAfterOf(failure);
      const heldMs = session?.idleSince === undefined ? undefined : clock.now() - session.since;
      return { code: failure.code, ...(heldMs !== undefined && { heldMs }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
    } finally {
      this.#opening = undefined;
      this.#session = undefined;
    }
  }

  #open(how: 'cached' | 'fresh', signal: AbortSignal): Promise<ImapClient> {
    const { log, timing, pause } = this.#deps;
    // ImapFlow's own watch over silence is the second line, behind the probes.
    const silenceMs = timing.idleMs + 2 * timing.probeMs;
    return openImap({ access: this.#access, timing, log, pause, purpose: 'watch', silenceMs }, how, signal);
  }

  async #hold(session: Session): Promise<'no-idle'> {
    const { client } = session;
    if (!client.capabilities.has('IDLE')) {
      this.#deps.log.info('watch-polls', { host: this.#access.servers.imap.host });
      return 'no-idle';
    }
    await client.mailboxOpen(this.#options.folder, { readOnly: true });
    const notify = (): void => this.#notify();
    for (const event of ['exists', 'expunge', 'flags']) client.on(event, notify);
    let refusal: string | undefined;
    client.on('response', ({ response, code }: { response: string; code?: string }) => {
      refusal = response === 'OK' ? undefined : (code ?? '');
    });
    this.#notify();
    while (client.usable) {
      session.idleSince = this.#deps.clock.now();
      const restart = this.#deps.clock.after(this.#deps.timing.idleMs, () => void this.#probe(session, this.#deps.timing.probeMs));
      const ended = await client.idle().finally(() => restart.dispose());
      // In the shape of an ImapFlow error, for imapError to name.
      if (ended === false && client.usable) throw { responseStatus: 'NO', serverResponseCode: refusal, responseText: 'IDLE' };
    }
    throw new QuMailError('net.cut', { protocol: 'imap', host: this.#access.servers.imap.host });
  }

  async #probe(session: Session, deadlineMs: number): Promise<boolean> {
    const { clock, log } = this.#deps;
    const alive = await probe(session.client, clock, deadlineMs);
    if (alive) session.lastUsed = clock.now();
    else if (!this.#span.ended) log.info('watch-line-dead', { host: this.#access.servers.imap.host });
    return alive;
  }

  #armPoll(): void {
    this.#poll = this.#deps.clock.after(this.#deps.timing.pollMs, () => {
      if (this.#span.ended) return;
      if (this.#session?.idleSince === undefined) this.#notify();
      this.#armPoll();
    });
  }

  #notify(): void {
    if (this.#span.ended) return;
    try {
      this.#options.onChange();
    } catch {
      this.#deps.log.error('watch-listener-failed');
    }
  }

  dispose(): void {
    this.#span.dispose();
    this.#poll?.dispose();
  }
}
