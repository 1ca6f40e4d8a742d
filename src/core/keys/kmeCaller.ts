import { wipe } from '../base/bytes.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { KeyAudit } from './audit.ts';
import { CircuitBreaker } from './circuitBreaker.ts';
import { pathOf, type DeliveredKey, type Etsi014Method } from './etsi014.ts';
import { answerError } from './kmeAnswers.ts';
import { DEFAULT_TIMEOUTS, KmeHttp, type KmeAnswer, type KmeTimeouts } from './kmeHttp.ts';
import type { KmeProfile } from './kmeTls.ts';
import { delayBeforeRetry, MAX_ATTEMPTS, type Attempt } from './retryPolicy.ts';

export interface KmeDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly audit?: KeyAudit;
  readonly timeouts?: KmeTimeouts;
  /** Tries at most, the first one counted; default 4. Fewer where another key manager can be asked instead. */
  readonly attempts?: number;
}

/** One call of a method of the key manager. */
export interface KmeCall {
  readonly method: Etsi014Method;
  readonly peerSaeId: string;
  readonly body?: Buffer;
  /** Of a GET, with its question mark. */
  readonly query?: string;
  /** Bits that enc_keys asks for; 0 otherwise. */
  readonly bits: number;
  /** Key IDs that dec_keys names. */
  readonly keyIds: readonly string[];
  /** Whether it answers at all: made once, also while it is spared. */
  readonly probe?: true;
}

type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: QuMailError; readonly attempt: Attempt };

/** Key IDs whose answer was lost, remembered so that a later "not found" gets its true name. */
const MAX_LOST = 4096;

/** Carries calls to one key manager: retries as far as the policy allows, behind a circuit breaker, and every outcome into the audit log. */
export class KmeCaller implements Disposable {
  readonly #saeId: string;
  readonly #deps: KmeDependencies;
  readonly #http: KmeHttp;
  readonly #breaker: CircuitBreaker;
  readonly #lost = new Set<string>();
  readonly #disposal = new AbortController();

  constructor(profile: KmeProfile, deps: KmeDependencies) {
    this.#saeId = profile.saeId;
    this.#deps = deps;
    this.#http = new KmeHttp(profile, { clock: deps.clock, timeouts: deps.timeouts ?? DEFAULT_TIMEOUTS });
    this.#breaker = new CircuitBreaker(deps.clock);
  }

  get disposed(): boolean {
    return this.#disposal.signal.aborted;
  }

  /** The decoded answer. `decode` must copy what it needs: the answer is wiped when it returns. */
  async call<T>(call: KmeCall, decode: (answer: Buffer) => T, signal: AbortSignal | undefined): Promise<T> {
    const either = signal === undefined ? this.#disposal.signal : AbortSignal.any([signal, this.#disposal.signal]);
    try {
      for (let made = 1; ; made++) {
        const outcome = await this.#attempt(call, decode, either);
        if (outcome.kind === 'done') return outcome.value;
        if (call.probe || made >= (this.#deps.attempts ?? MAX_ATTEMPTS)) throw outcome.error;
        const delay = delayBeforeRetry(call.method, outcome.attempt, made, this.#deps.random.fraction());
        // Waiting milliseconds does not fill a store that real links fill at kilobits per second.
        if (delay === undefined || outcome.error.code === 'kme.exhausted') throw outcome.error;
        this.#deps.log.info('retry', { method: call.method, code: outcome.error.code, delay });
        await this.#deps.clock.sleep(delay, either);
      }
    } catch (error) {
      throw this.disposed ? new QuMailError('engine.stopped') : error;
    }
  }

  dispose(): void {
    this.#disposal.abort();
    this.#http.dispose();
  }

  async #attempt<T>(call: KmeCall, decode: (answer: Buffer) => T, signal: AbortSignal): Promise<Outcome<T>> {
    throwIfCancelled(signal);
    const refusal = call.probe ? undefined : this.#breaker.refusal();
    if (refusal !== undefined)
      throw new QuMailError(refusal.error.code, { ...refusal.error.details, retryInMs: refusal.retryInMs }, { cause: refusal.error });
    const started = performance.now();
    const request = {
      method: call.body === undefined ? ('GET' as const) : ('POST' as const),
      path: pathOf(call.method, call.peerSaeId) + (call.query ?? ''),
    };
    const exchange = await this.#http
      .exchange(call.body === undefined ? request : { ...request, body: call.body }, signal)
      .catch((error: unknown) => {
        this.#breaker.abandoned();
        if (QuMailError.is(error) && error.details['sent'] === 'sent') this.#noteLost(call, started, error.code);
        throw error;
      });
    if (exchange.kind === 'answer') return this.#judge(call, exchange, decode, started);
    this.#breaker.failed(exchange.error);
    this.#deps.log.warn('failed', { method: call.method, code: exchange.error.code, sent: exchange.kind === 'lost' });
    if (exchange.kind === 'lost') this.#noteLost(call, started, exchange.error.code);
    return { kind: 'failed', error: exchange.error, attempt: exchange };
  }

  #judge<T>(call: KmeCall, answer: KmeAnswer, decode: (answer: Buffer) => T, started: number): Outcome<T> {
    const { status } = answer;
    const latencyMs = Math.round(performance.now() - started);
    try {
      if (status !== 200) throw answerError(call.method, answer, call.bits);
      const value = decode(answer.body);
      this.#breaker.succeeded();
      this.#auditDelivery(call, value, latencyMs);
      for (const keyId of call.keyIds) this.#lost.delete(keyId);
      return { kind: 'done', value };
    } catch (thrown) {
      const error = this.#trueName(QuMailError.from(thrown, 'kme.bad-answer'), call);
      if (error.code === 'kme.unavailable') this.#breaker.failed(error);
      else this.#breaker.succeeded();
      this.#deps.log.warn('refused', { method: call.method, status, code: error.code });
      // With status 200 the keys have left the key manager, whatever we think of them.
      this.#append(call, { keyId: '', bits: status === 200 ? call.bits : 0, status, latencyMs, outcome: error.code });
      return { kind: 'failed', error, attempt: { kind: 'answer', status, retryAfterMs: answer.retryAfterMs } };
    } finally {
      wipe(answer.body);
    }
  }

  #trueName(error: QuMailError, call: KmeCall): QuMailError {
    if (error.code !== 'kme.key-not-found' || !call.keyIds.some((keyId) => this.#lost.has(keyId))) return error;
    return new QuMailError('kme.key-may-be-lost', error.details, { cause: error });
  }

  /** What an answer that never came may have taken along: its row counts the bits as gone, without a key ID. */
  #noteLost(call: KmeCall, started: number, outcome: string): void {
    if (call.method === 'status') return;
    for (const keyId of call.keyIds) if (this.#lost.size < MAX_LOST) this.#lost.add(keyId);
    this.#append(call, { keyId: '', bits: call.bits, status: 0, latencyMs: Math.round(performance.now() - started), outcome });
  }

  #auditDelivery(call: KmeCall, value: unknown, latencyMs: number): void {
    if (call.method === 'status' || !Array.isArray(value)) return;
    const keys = value as readonly DeliveredKey[];
    this.#append(
      call,
      ...keys.map((key) => ({ keyId: key.keyId, bits: key.bytes.length * 8, status: 200, latencyMs, outcome: 'delivered' })),
    );
  }

  #append(call: KmeCall, ...rows: readonly { keyId: string; bits: number; status: number; latencyMs: number; outcome: string }[]): void {
    const { method, peerSaeId } = call;
    if (method === 'status' || rows.length === 0) return;
    try {
      this.#deps.audit?.append(...rows.map((row) => ({ at: this.#deps.clock.now(), ownSaeId: this.#saeId, peerSaeId, method, ...row })));
    } catch (error) {
      // Keys that came must reach the ledger; a store that cannot take them says so there.
      this.#deps.log.error('audit', { code: QuMailError.from(error).code });
    }
  }
}
