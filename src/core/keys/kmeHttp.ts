import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { SecureContext } from 'node:tls';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { DisposableStore, toDisposable, type Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import { deadline } from './deadline.ts';
import { KME_PROFILES } from './kmeQuirks.ts';
import { checkKmeIdentity, connectionError, ownCertificateExpired, secureContextOf, type KmeProfile } from './kmeTls.ts';

export interface KmeTimeouts {
  /** Milliseconds from having a socket of our own to the end of the TLS handshake. */
  readonly connectMs: number;
  /** Milliseconds for the whole exchange, waiting for one of the four sockets included. */
  readonly totalMs: number;
}

export const DEFAULT_TIMEOUTS: KmeTimeouts = { connectMs: 10_000, totalMs: 30_000 };

/** 1 MiB of answer; a 64 KiB pad in base64 needs a tenth of it. */
const MAX_ANSWER = 1_048_576;
/** Idle sockets are closed before servers of the usual five seconds do, so that no request is written to a dying one. */
const IDLE_MS = 4_000;

export interface KmeAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly body: Buffer;
  /** From a Retry-After header in seconds; 0 without one. */
  readonly retryAfterMs: number;
}

/** How an exchange ended. `lost`: the request was or may have been sent, and no whole answer came. */
export type Exchange = KmeAnswer | { readonly kind: 'not-sent' | 'lost'; readonly error: QuMailError };

/**
 * HTTPS to one key manager as one SAE: one keep-alive agent of at most four sockets (one where its profile says so), mutual TLS with the KME ID pinned, no proxy, no
 * redirects, every answer bounded in size and time. Who gets an answer wipes its body.
 */
export class KmeHttp implements Disposable {
  readonly #profile: KmeProfile;
  readonly #agent: Agent;
  readonly #base: URL;
  readonly #clock: Clock;
  readonly #timeouts: KmeTimeouts;

  /** Throws `account.bad-settings` (details: field) for a profile that cannot work. */
  constructor(profile: KmeProfile, deps: { clock: Clock; timeouts: KmeTimeouts }) {
    this.#profile = profile;
    this.#base = baseUrl(profile.url);
    this.#clock = deps.clock;
    this.#timeouts = deps.timeouts;
    const secureContext: SecureContext = secureContextOf(profile);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: KME_PROFILES[profile.quirks ?? 'etsi'].sockets,
      timeout: IDLE_MS,
      // A resumed session skips the identity check, so there are none.
      maxCachedSessions: 0,
      secureContext,
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => checkKmeIdentity(certificate, profile),
    });
  }

  /** One exchange. Never rejects but with `engine.cancelled`; a failed one is part of the result. */
  async exchange(r: { method: 'GET' | 'POST'; path: string; body?: Buffer }, signal: AbortSignal): Promise<Exchange> {
    const headers = {
      Accept: 'application/json',
      ...(r.body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': r.body.length }),
    };
    const owned = new DisposableStore();
    let sent: 'sent' | 'not-sent' = 'not-sent';
    const request = httpsRequest({
      agent: this.#agent,
      method: r.method,
      headers,
      protocol: 'https:',
      host: this.#base.hostname.replace(/^\[|\]$/g, ''),
      port: this.#base.port || 443,
      path: this.#base.pathname.replace(/\/+$/, '') + r.path,
    });
    request.on('error', () => {}); // destroying it may report to nobody
    try {
      return await new Promise<Exchange>((resolve, reject) => {
        const fail = (error: QuMailError): void => {
          request.destroy();
          if (error.code === 'engine.cancelled') reject(new QuMailError('engine.cancelled', { sent }));
          else resolve({ kind: sent === 'sent' ? 'lost' : 'not-sent', error });
        };
        const onAbort = (): void => fail(new QuMailError('engine.cancelled'));
        if (signal.aborted) return onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        owned.add(toDisposable(() => signal.removeEventListener('abort', onAbort)));
        owned.add(
          deadline(this.#timeouts.totalMs, () => fail(new QuMailError('kme.timeout', { phase: 'answer', ms: this.#timeouts.totalMs }))),
        );
        watchConnecting(request, owned, this.#timeouts.connectMs, {
          timedOut: () => fail(new QuMailError('kme.timeout', { phase: 'connect', ms: this.#timeouts.connectMs })),
          // What is written before the handshake is done stays in our own buffer.
          connected: () => (sent = 'sent'),
        });
        request.on('error', (error) => fail(this.#explain(connectionError(error, sent))));
        request.on('response', (response) => {
          readAnswer(response).then(
            (answer) => (owned.disposed ? wipe(answer.body) : resolve(answer)), // too late: nobody else would wipe it
            (error: unknown) => fail(this.#explain(connectionError(error, sent))),
          );
        });
        request.end(r.body);
      });
    } finally {
      owned.dispose();
    }
  }

  dispose(): void {
    this.#agent.destroy();
  }

  #explain(error: QuMailError): QuMailError {
    const reset = error.details['reason'] === 'ECONNRESET';
    if (!reset || ownCertificateExpired(this.#profile, this.#clock.now()) === 'valid') return error;
    return new QuMailError('kme.certificate-expired', { whose: 'own' }, { cause: error });
  }
}

function baseUrl(url: string): URL {
  const parsed = URL.parse(url);
  const fits =
    parsed !== null &&
    parsed.protocol === 'https:' &&
    parsed.username === '' &&
    parsed.password === '' &&
    parsed.search === '' &&
    parsed.hash === '';
  if (!fits) throw new QuMailError('account.bad-settings', { field: 'url' });
  return parsed;
}

function watchConnecting(
  request: ClientRequest,
  owned: DisposableStore,
  connectMs: number,
  on: { timedOut: () => void; connected: () => void },
): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) return on.connected();
    const timer = owned.add(deadline(connectMs, on.timedOut));
    const connected = (): void => {
      owned.release(timer);
      on.connected();
    };
    socket.once('secureConnect', connected);
    owned.add(toDisposable(() => socket.removeListener('secureConnect', connected)));
  });
}

/** Collects a bounded answer into one buffer of its own, wiping the chunks it came in. */
async function readAnswer(response: IncomingMessage): Promise<KmeAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_ANSWER) throw new QuMailError('net.too-large', { limit: MAX_ANSWER });
    }
    if (!response.complete) throw new QuMailError('kme.unreachable', { reason: 'cut', sent: 'sent' });
    const seconds = Number(response.headers['retry-after']);
    return {
      kind: 'answer',
      status: response.statusCode ?? 0,
      body: Buffer.concat(chunks, length),
      retryAfterMs: seconds > 0 ? seconds * 1000 : 0,
    };
  } finally {
    wipe(...chunks);
  }
}
