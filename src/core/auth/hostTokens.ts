import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock, HostToken, HostTokenRequest, HostTokenSource } from '../base/ports.ts';
import { normalizeAddress } from '../mail/address.ts';
import { BearerToken } from './bearerToken.ts';
import { OUTLOOK } from './outlook.ts';

/** The editor answers from its own store or after one refresh; it has been seen never to answer (microsoft/vscode#188850). */
const ANSWER_MS = 30_000;
/** With a person at it. */
const PERSON_MS = 5 * 60_000;

const HostTokenSchema = v.object({
  accessToken: BearerToken,
  account: v.object({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(512)), label: v.pipe(v.string(), v.maxLength(512)) }),
});

export interface HostAccount {
  readonly accessToken: string;
  readonly userId: string;
  /** Normalised. */
  readonly email: string;
}

/** Tokens of accounts that the editor signed in to (Outlook). Nothing of them is stored here. */
export class HostTokens {
  readonly #deps: { readonly source: HostTokenSource | undefined; readonly clock: Clock; readonly log: Log };

  constructor(deps: { source: HostTokenSource | undefined; clock: Clock; log: Log }) {
    this.#deps = deps;
  }

  /**
   * Lets the person choose an account in the editor, or sign `email` in again.
   * @throws `auth.cancelled`, `auth.timeout`, `auth.denied` (details: reason), `auth.bad-answer`, `auth.identity-missing`
   */
  async signIn(email?: string, signal?: AbortSignal): Promise<HostAccount> {
    const answer = await this.#ask({ how: 'interactive', ...(email !== undefined && { account: email }) }, signal).catch(
      (error: unknown) => {
        const failure = QuMailError.from(error);
        if (failure.code === 'engine.cancelled') throw new QuMailError('auth.cancelled');
        throw failure.code === 'net.timeout' ? new QuMailError('auth.timeout') : failure;
      },
    );
    if (!answer) throw new QuMailError('auth.cancelled');
    const address = normalizeAddress(answer.account.label);
    if (address === undefined) throw new QuMailError('auth.identity-missing');
    return { accessToken: answer.accessToken, userId: answer.account.id, email: address };
  }

  /**
   * A token of this very account, without asking the person; `fresh` because a server refused the last one.
   * @throws `auth.sign-in-again` (details: reason), `auth.refresh-failed` (details: status 0, reason), `auth.bad-answer`, `engine.cancelled`
   */
  async token(account: { email: string; userId: string }, how: 'cached' | 'fresh', signal?: AbortSignal): Promise<string> {
    const answer = await this.#ask({ how, account: account.email }, signal).catch((error: unknown) => {
      const failure = QuMailError.from(error);
      if (failure.code === 'engine.cancelled' || failure.code === 'auth.bad-answer') throw failure;
      throw new QuMailError('auth.refresh-failed', { status: 0, reason: failure.code === 'net.timeout' ? failure.code : 'host' });
    });
    if (!answer) throw new QuMailError('auth.sign-in-again', { reason: 'no-session' });
    if (answer.account.id !== account.userId) throw new QuMailError('auth.sign-in-again', { reason: 'other-account' });
    return answer.accessToken;
  }

  async #ask(request: Pick<HostTokenRequest, 'how' | 'account'>, signal: AbortSignal | undefined): Promise<HostToken | undefined> {
    const { source, log } = this.#deps;
    if (!source) throw new QuMailError('auth.client-missing', { provider: 'outlook', what: 'host' });
    if (signal?.aborted) throw new QuMailError('engine.cancelled');
    const asked = Promise.resolve()
      .then(() => source({ provider: 'microsoft', scopes: OUTLOOK.scopes, ...request }, signal))
      .catch((error: unknown) => {
        if (QuMailError.is(error, 'engine.cancelled')) throw error;
        // What the editor's own sign-in says may name accounts and tenants: it stops here.
        log.warn('host-token-failed', { how: request.how, type: error instanceof Error ? error.name : typeof error });
        throw new QuMailError('auth.denied', { reason: 'host' });
      });
    const answer = await this.#within(asked, request.how === 'interactive' ? PERSON_MS : ANSWER_MS, signal);
    if (answer === undefined) return undefined;
    const parsed = v.safeParse(HostTokenSchema, answer);
    if (!parsed.success) throw new QuMailError('auth.bad-answer', { reason: v.getDotPath(parsed.issues[0]) ?? 'shape' });
    return parsed.output;
  }

  async #within<T>(work: Promise<T>, ms: number, signal: AbortSignal | undefined): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(new QuMailError('engine.cancelled'));
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = this.#deps.clock.after(ms, () => reject(new QuMailError('net.timeout')));
    try {
      return await Promise.race([work, promise]);
    } finally {
      timer.dispose();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
