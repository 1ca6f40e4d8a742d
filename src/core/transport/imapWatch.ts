import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import { QuMailError } from '../base/errors.ts';
import { backoffDelay } from './backoff.ts';
import { openImap, type ImapClient } from './imapClient.ts';
import type { MailAccess, TransportTiming } from './mailAccess.ts';
import { Span } from './span.ts';
import { imapError } from './transportErrors.ts';

/** IDLE is quiet by nature: probed after five minutes, so that a dead line is noticed within ten. */
const IDLE_SILENCE_MS = 300_000;
/** Servers may end a session that sent nothing for 29 minutes (RFC 2177). */
const IDLE_RESTART_MS = 20 * 60_000;
/** A connection that held this long was a good one: the next loss starts from a short delay again. */
const HELD_MS = 30_000;
/** Attempts after which a refused log-in waits as long as it gets: more would only lock the account. */
const PATIENCE = 20;

export interface WatchOptions {
  readonly folder: string;
  /** `push` holds a connection in IDLE; `poll` only keeps time. */
  readonly mode: 'push' | 'poll';
  /** Something may have changed: look. Also called whenever pushing begins, for what was missed before. */
  readonly onChange: () => void;
}

/**
 * Tells when a folder may have changed: at once while the server pushes (IDLE, RFC 2177) over a connection of its own, every `pollMs`
 * while it does not, for whatever reason. Reconnects with full-jitter backoff until disposed of.
 */
export class ImapWatch implements Disposable {
  readonly #access: MailAccess;
  readonly #deps: { clock: Clock; random: Random; log: Log; timing: TransportTiming };
  readonly #options: WatchOptions;
  readonly #span = new Span();
  #pushing = false;
  #poll: Disposable | undefined;

  constructor(access: MailAccess, deps: { clock: Clock; random: Random; log: Log; timing: TransportTiming }, options: WatchOptions) {
    this.#access = access;
    this.#deps = deps;
    this.#options = options;
    this.#armPoll();
    if (options.mode === 'push') void this.#keepListening();
  }

  async #keepListening(): Promise<void> {
    const { clock, random, log } = this.#deps;
    const { host } = this.#access.servers.imap;
    let failures = 0;
    while (!this.#span.ended) {
      const started = clock.now();
      try {
        const outcome = await this.#span.during(undefined, (signal) => this.#listen(signal));
        if (outcome === 'no-idle') return;
      } catch (error) {
        if (this.#span.ended) return;
        const failure = imapError(error, { host });
        log.info('watch-interrupted', { host, code: failure.code });
        if (failure.code.startsWith('auth.')) failures = Math.max(failures, PATIENCE);
      } finally {
        this.#pushing = false;
      }
      if (clock.now() - started > HELD_MS) failures = 0;
      const delay = backoffDelay(failures++, random.fraction());
      await clock.sleep(delay, this.#span.signal).catch(() => {});
    }
  }

  async #listen(signal: AbortSignal): Promise<'no-idle' | 'over'> {
    const { log, timing } = this.#deps;
    const opening = { access: this.#access, timing, log, purpose: 'watch', silenceMs: IDLE_SILENCE_MS } as const;
    const client = await openImap(opening, 'cached', signal);
    const close = (): void => client.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      if (!client.capabilities.has('IDLE')) {
        log.info('watch-polls', { host: this.#access.servers.imap.host });
        return 'no-idle';
      }
      client.maxIdleTime = IDLE_RESTART_MS;
      await client.mailboxOpen(this.#options.folder, { readOnly: true });
      await this.#idle(client);
      return 'over';
    } finally {
      signal.removeEventListener('abort', close);
      client.close();
    }
  }

  async #idle(client: ImapClient): Promise<void> {
    const notify = (): void => this.#notify();
    client.on('exists', notify);
    client.on('expunge', notify);
    client.on('flags', notify);
    this.#pushing = true;
    this.#notify();
    while (client.usable) {
      if ((await client.idle()) === false && client.usable) throw new QuMailError('imap.rejected', { response: 'IDLE' });
    }
  }

  #armPoll(): void {
    this.#poll = this.#deps.clock.after(this.#deps.timing.pollMs, () => {
      if (this.#span.ended) return;
      if (!this.#pushing) this.#notify();
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
