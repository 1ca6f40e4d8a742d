import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { SingleFlight } from '../base/singleFlight.ts';
import { nameOf, type AccountKey, type GrantVault, type StoredGrant } from './grantVault.ts';
import { Serial } from './serial.ts';
import type { TokenAnswer } from './tokenAnswer.ts';

/** A token with less life than this is refreshed before it is handed out. */
const REFRESH_AHEAD_MS = 5 * 60_000;

export interface TokenKeeperDeps {
  readonly vault: GrantVault;
  readonly clock: Clock;
  /** Asks the token endpoint; `auth.sign-in-again` says that the grant is gone. */
  readonly refresh: (key: AccountKey, grant: StoredGrant, refreshToken: string) => Promise<TokenAnswer>;
  /** Told once per refusal. */
  readonly onSignInAgain: (key: AccountKey) => void;
}

/**
 * When to refresh, and in which order: one refresh in flight per account, the vault read again before it (another window may have been
 * faster) and written before anybody gets the new token. Sign-in and sign-out wait for their turn, so that no late answer brings back
 * the tokens of before.
 */
export class TokenKeeper {
  readonly #deps: TokenKeeperDeps;
  readonly #flights = new SingleFlight<StoredGrant>();
  readonly #turns = new Serial();
  /** Refresh tokens that the provider refused, by account: asking again would earn nothing. In memory, so a restart asks once more. */
  readonly #refused = new Map<string, string>();

  constructor(deps: TokenKeeperDeps) {
    this.#deps = deps;
  }

  /** A grant whose access token lives for five more minutes, and is not the present one when `forced`. */
  async validGrant(key: AccountKey, how: 'if-needed' | 'forced'): Promise<StoredGrant> {
    const seen = await this.#deps.vault.read(key);
    if (seen && how === 'if-needed' && this.#isFresh(seen)) return seen;
    return this.#flights.run(nameOf(key), () => this.#turns.run(nameOf(key), () => this.#refresh(key, seen?.accessToken, 'once more')));
  }

  replace(key: AccountKey, grant: StoredGrant): Promise<void> {
    return this.#turns.run(nameOf(key), () => this.#deps.vault.write(key, grant));
  }

  /** Erases the grant and returns what it was. */
  erase(key: AccountKey): Promise<StoredGrant | undefined> {
    return this.#turns.run(nameOf(key), async () => {
      const stored = await this.#deps.vault.read(key).catch(() => undefined);
      await this.#deps.vault.erase(key);
      this.#refused.delete(nameOf(key));
      return stored;
    });
  }

  /** Resolves once no refresh is under way. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }

  async #refresh(key: AccountKey, seen: string | undefined, onRefusal: 'once more' | 'give up'): Promise<StoredGrant> {
    const { vault, clock, refresh } = this.#deps;
    const grant = await vault.read(key);
    if (grant && grant.accessToken !== seen && this.#isFresh(grant)) return grant;
    if (grant?.refreshToken === undefined) return this.#signInAgain(key, grant ? 'no-refresh-token' : 'no-grant');
    if (this.#refused.get(nameOf(key)) === grant.refreshToken) return this.#signInAgain(key, 'refused-before');
    const askedAt = clock.now();
    try {
      const next = mergeGrant(grant, await refresh(key, grant, grant.refreshToken), askedAt);
      await vault.write(key, next);
      return next;
    } catch (error) {
      if (!QuMailError.is(error, 'auth.sign-in-again')) throw error;
      // Refused because another window used this very token first? Then the vault holds its successor.
      const now = await vault.read(key);
      if (onRefusal === 'once more' && now?.refreshToken !== grant.refreshToken) return this.#refresh(key, grant.accessToken, 'give up');
      this.#refused.set(nameOf(key), grant.refreshToken);
      return this.#signInAgain(key, String(error.details.reason));
    }
  }

  #signInAgain(key: AccountKey, reason: string): never {
    this.#deps.onSignInAgain(key);
    throw new QuMailError('auth.sign-in-again', { reason });
  }

  #isFresh(grant: StoredGrant): boolean {
    return grant.expiresAt - this.#deps.clock.now() >= REFRESH_AHEAD_MS;
  }
}

/** What is stored after an answer: a refresh token that was not replaced stays good (RFC 6749 section 6), scopes likewise. */
export function mergeGrant(
  before: Pick<StoredGrant, 'clientId' | 'issuer' | 'refreshToken' | 'scopes'>,
  answer: TokenAnswer,
  askedAt: number,
): StoredGrant {
  const refreshToken = answer.refreshToken ?? before.refreshToken;
  return {
    version: 1,
    clientId: before.clientId,
    ...(before.issuer === undefined ? {} : { issuer: before.issuer }),
    accessToken: answer.accessToken,
    expiresAt: askedAt + answer.expiresIn * 1000,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    scopes: [...(answer.scopes ?? before.scopes)],
  };
}
