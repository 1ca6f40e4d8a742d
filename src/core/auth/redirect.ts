import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';

/** How a sign-in ended, as far as the page in the browser is concerned. */
export type LandingOutcome = 'signed-in' | 'denied' | 'failed';

/** Waits for the browser to come back with the authorization response (RFC 6749 section 4.1.2). */
export interface RedirectReceiver extends Disposable {
  /** What goes into the authorization request, to the byte. */
  readonly redirectUri: string;
  /** The query of the first redirect, unchecked. Never settles if none comes. */
  readonly received: Promise<URLSearchParams>;
  /** Tells the waiting page how it ended. Call it once, then dispose. */
  finish(outcome: LandingOutcome): void;
}

/**
 * Redirects that come through the editor's own URI handler (RFC 8252 section 7.1): `deliver` is called by whoever gets the URI,
 * and `state` tells which sign-in it belongs to.
 */
export class UriRedirects {
  readonly #waiting = new Map<string, (query: URLSearchParams) => void>();

  expect(redirectUri: string, state: string): RedirectReceiver {
    const { promise, resolve } = Promise.withResolvers<URLSearchParams>();
    this.#waiting.set(state, resolve);
    return {
      redirectUri,
      received: promise,
      finish() {},
      dispose: () => void this.#waiting.delete(state),
    };
  }

  /**
   * Hands over the URI; the first delivery for a state counts. A URI of no waiting sign-in changes nothing: any web page can make the
   * editor open one. @throws `auth.state-mismatch` then
   */
  deliver(uri: string): void {
    const query = URL.canParse(uri) ? new URL(uri).searchParams : undefined;
    const state = query?.get('state') ?? '';
    const waiting = this.#waiting.get(state);
    if (!query || !waiting) throw new QuMailError('auth.state-mismatch');
    this.#waiting.delete(state);
    waiting(query);
  }
}
