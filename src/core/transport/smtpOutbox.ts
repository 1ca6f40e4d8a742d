import { domainToASCII } from 'node:url';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import type { ConnectionFacts } from './connectionFacts.ts';
import type { MailAccess, TransportTiming } from './mailAccess.ts';
import type { SendOutcome, SendRequest } from './remoteMail.ts';
import { SmtpSession, type SendProgress } from './smtpSession.ts';
import { Span } from './span.ts';
import { smtpError } from './transportErrors.ts';
import { WorkQueue } from './workQueue.ts';

/** How long a QUIT may take before the socket is closed anyway. */
const QUIT_MS = 2000;

/** Sends messages one after the other over one connection, which stays open a little for the next. */
export class SmtpOutbox implements Disposable {
  readonly #access: MailAccess;
  readonly #timing: TransportTiming;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #span = new Span();
  readonly #queue = new WorkQueue();
  #session: SmtpSession | undefined;
  #idle: Disposable | undefined;
  #since = 0;
  #lastUse = 0;
  /** True between two messages: nothing is under way. */
  #resting = false;

  constructor(access: MailAccess, deps: { clock: Clock; log: Log; timing: TransportTiming }) {
    this.#access = access;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#timing = deps.timing;
  }

  get connection(): ConnectionFacts | undefined {
    return this.#session?.alive === true ? { kind: 'smtp', since: this.#since, lastUsed: this.#lastUse } : undefined;
  }

  /** Drops a connection that only waits for the next message: after sleep or a change of network it is not worth a doubt. */
  check(): void {
    if (this.#resting) this.#drop();
  }

  /** Logs in once; rejects as `send` does. */
  verify(signal: AbortSignal | undefined): Promise<void> {
    return this.#span.during(signal, (both) =>
      this.#queue.run(both, async () => {
        await this.#open('cached', both);
        this.#rest();
      }),
    );
  }

  /**
   * Resolves once the server answered 250 to the whole message. Every rejection but `smtp.acceptance-unknown` means that nobody will
   * get this message from this attempt, so sending the same bytes again is safe: `net.*`, `auth.*`, `smtp.deferred` (4xx), `smtp.rejected`
   * (5xx), `smtp.too-large`, `smtp.recipient-rejected` (all of them), `engine.cancelled`, `engine.stopped`.
   * `smtp.acceptance-unknown`: the connection ended, or the caller gave up, after the last octet and before the answer.
   */
  async send(request: SendRequest, signal: AbortSignal | undefined): Promise<SendOutcome> {
    requireCrLf(request.raw);
    const asciiDomains = { ...request, from: asciiDomain(request.from), to: request.to.map(asciiDomain) };
    const progress: SendProgress = { stage: 'envelope' };
    try {
      return await this.#span.during(signal, (both) => this.#queue.run(both, () => this.#attempt(asciiDomains, progress, both)));
    } catch (error) {
      const gaveUp = QuMailError.is(error, 'engine.cancelled') || QuMailError.is(error, 'engine.stopped');
      if (gaveUp && progress.stage === 'sent') throw new QuMailError('smtp.acceptance-unknown', this.#place(), { cause: error });
      throw error;
    }
  }

  async #attempt(request: SendRequest, progress: SendProgress, signal: AbortSignal): Promise<SendOutcome> {
    let how: 'cached' | 'fresh' = 'cached';
    for (let attempt = 0; ; attempt++) {
      const reused = how === 'cached' && this.#session?.alive === true;
      const session = await this.#open(how, signal);
      try {
        const outcome = await session.send(request, progress, signal);
        this.#rest();
        this.#log.info('sent', {
          ...this.#place(),
          bytes: request.raw.length,
          accepted: outcome.accepted.length,
          rejected: outcome.rejected.length,
        });
        return outcome;
      } catch (error) {
        const failure = smtpError(error, { host: this.#access.servers.smtp.host, shown: session.shown, stage: progress.stage });
        await this.#settle(session, progress);
        this.#log.warn('not-sent', { ...this.#place(), code: failure.code, stage: progress.stage });
        if (attempt > 0 || signal.aborted || progress.stage !== 'envelope') throw failure;
        // A kept connection may have died unnoticed; and a token may expire while it is kept. Nothing was sent in either case.
        if (failure.code === 'auth.token-refused') how = 'fresh';
        else if (!(reused && !session.alive && (failure.code === 'net.cut' || failure.details['status'] === 421))) throw failure;
      }
    }
  }

  async #open(how: 'cached' | 'fresh', signal: AbortSignal): Promise<SmtpSession> {
    this.#idle?.dispose();
    this.#resting = false;
    if (how === 'cached' && this.#session?.alive) return this.#session;
    this.#drop();
    try {
      this.#session = await SmtpSession.open(this.#access, this.#timing, how, signal);
    } catch (error) {
      this.#log.warn('connect-failed', { ...this.#place(), code: QuMailError.from(error).code });
      throw error;
    }
    this.#since = this.#lastUse = this.#clock.now();
    this.#log.info('connected', this.#place());
    return this.#session;
  }

  /** After a refused envelope the session goes on; after anything else its state is anyone's guess. */
  async #settle(session: SmtpSession, progress: SendProgress): Promise<void> {
    if (progress.stage === 'envelope' && session.alive) {
      try {
        await session.reset();
        this.#rest();
        return;
      } catch {
        // fall through: a session that cannot be reset is of no use
      }
    }
    this.#drop();
  }

  #rest(): void {
    this.#idle?.dispose();
    if (this.#span.ended) return this.#drop();
    this.#lastUse = this.#clock.now();
    this.#resting = true;
    this.#idle = this.#clock.after(this.#timing.smtpIdleMs, () => {
      const session = this.#session;
      session?.quit();
      this.#idle = this.#clock.after(QUIT_MS, () => session?.close());
    });
  }

  #drop(): void {
    this.#idle?.dispose();
    this.#session?.close();
    this.#session = undefined;
    this.#resting = false;
  }

  #place(): { protocol: string; host: string } {
    return { protocol: 'smtp', host: this.#access.servers.smtp.host };
  }

  dispose(): void {
    this.#span.dispose();
    this.#drop();
  }
}

/** SMTP cannot carry a lone CR or LF (RFC 5321 section 2.3.8), and nothing here rewrites what was written or sealed. */
function requireCrLf(raw: Buffer): void {
  for (let at = raw.indexOf(10); at >= 0; at = raw.indexOf(10, at + 1)) {
    if (raw[at - 1] !== 13) throw new QuMailError('engine.bad-request', { reason: 'bare-lf' });
  }
  for (let at = raw.indexOf(13); at >= 0; at = raw.indexOf(13, at + 1)) {
    if (raw[at + 1] !== 10) throw new QuMailError('engine.bad-request', { reason: 'bare-cr' });
  }
}

/** The domain as A-labels, so that only an internationalised local part needs SMTPUTF8. */
function asciiDomain(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  if (at < 0 || /^[\x20-\x7e]*$/.test(domain)) return address;
  return `${address.slice(0, at)}@${domainToASCII(domain) || domain}`;
}
