import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { Secrets } from '../base/ports.ts';
import type { OAuthProviderId } from './providers.ts';

/** Which grant: an account is known to the token machinery by its provider and address. */
export interface AccountKey {
  readonly provider: OAuthProviderId;
  readonly email: string;
}

const Text = v.pipe(v.string(), v.maxLength(16_384));

/** One account's tokens as they lie in the secret store: one JSON value, replaced whole. */
const StoredGrantSchema = v.object({
  version: v.literal(1),
  /** The issuer to discover the token endpoint from; absent where the table knows the endpoints. */
  issuer: v.optional(Text),
  /** A refresh token belongs to the client it was issued to, whatever the settings say today. */
  clientId: Text,
  accessToken: Text,
  /** Milliseconds since the epoch. */
  expiresAt: v.number(),
  /** When it was granted, and how far the provider's clock was ahead of ours then; milliseconds. */
  obtainedAt: v.optional(v.number()),
  skew: v.optional(v.number()),
  refreshToken: v.optional(Text),
  scopes: v.pipe(v.array(Text), v.maxLength(200)),
});

export type StoredGrant = v.InferOutput<typeof StoredGrantSchema>;

export function nameOf(key: AccountKey): string {
  return `oauth.grant.${key.provider}.${key.email}`;
}

/**
 * Grants in the secret store. Every read asks the store, because another window may have refreshed meanwhile; nothing is cached
 * except a grant that could not be written: losing a rotated refresh token would lose the account, so it is written at the next chance.
 */
export class GrantVault {
  readonly #secrets: Secrets;
  readonly #unwritten = new Map<string, StoredGrant>();

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Undefined when the account has none, or one that cannot be read: the person signs in again then. @throws `store.locked` */
  async read(key: AccountKey): Promise<StoredGrant | undefined> {
    const unwritten = this.#unwritten.get(nameOf(key));
    if (unwritten) {
      await this.write(key, unwritten);
      return unwritten;
    }
    const text = await this.#guard(this.#secrets.get(nameOf(key)));
    return text === undefined ? undefined : parseGrant(text);
  }

  /** @throws `store.locked` when the secret store refuses; the grant is then kept in memory and written by the next `read` or `write`. */
  async write(key: AccountKey, grant: StoredGrant): Promise<void> {
    this.#unwritten.set(nameOf(key), grant);
    await this.#guard(this.#secrets.set(nameOf(key), JSON.stringify(grant)));
    if (this.#unwritten.get(nameOf(key)) === grant) this.#unwritten.delete(nameOf(key));
  }

  async erase(key: AccountKey): Promise<void> {
    this.#unwritten.delete(nameOf(key));
    await this.#guard(this.#secrets.delete(nameOf(key)));
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw QuMailError.from(error, 'store.locked', { what: 'secrets' });
    }
  }
}

function parseGrant(text: string): StoredGrant | undefined {
  try {
    const parsed = v.safeParse(StoredGrantSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
