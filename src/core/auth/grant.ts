import type { StoredGrant } from './grantVault.ts';

/**
 * What a sign-in won, on its way to the vault. Its access token may be tried on the mail servers; its refresh token cannot be read
 * from outside, printed, cloned or serialised.
 */
export class Grant {
  readonly #stored: StoredGrant;

  constructor(stored: StoredGrant) {
    this.#stored = stored;
  }

  get accessToken(): string {
    return this.#stored.accessToken;
  }

  /** For the vault alone. */
  static contentOf(grant: Grant): StoredGrant {
    return grant.#stored;
  }
}
