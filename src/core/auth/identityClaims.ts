import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import { normalizeAddress } from '../mail/address.ts';

/** Who signed in, as the provider tells it. */
export interface Identity {
  /** The provider's own stable identifier (`sub`). */
  readonly userId: string;
  /** Normalised. */
  readonly email: string;
  /** The address where the provider tells no name. */
  readonly displayName: string;
}

// Line breaks and other control characters in a name would end up in header fields.
const Name = v.pipe(
  v.string(),
  v.maxLength(256),
  v.transform((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()),
);

/** OpenID Connect Core section 5.1, the claims we use. A claim that does not fit is as good as absent, except `sub`. */
const ClaimsSchema = v.object({
  sub: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  email: v.fallback(v.optional(v.pipe(v.string(), v.transform(normalizeAddress))), undefined),
  name: v.fallback(v.optional(Name), undefined),
});

/**
 * The identity in an ID token's claims; where they lack the address, `askUserinfo` is asked once for more.
 * @throws `auth.identity-missing` when nobody tells an address, `auth.bad-answer` without a subject
 */
export async function readIdentity(claims: unknown, askUserinfo: (subject: string) => Promise<unknown>): Promise<Identity> {
  const first = parseClaims(claims);
  const more = first.email === undefined ? await askUserinfo(first.sub) : undefined;
  const second = more === undefined ? undefined : parseClaims(more);
  const email = first.email ?? second?.email;
  if (email === undefined) throw new QuMailError('auth.identity-missing');
  return { userId: first.sub, email, displayName: first.name || second?.name || email };
}

function parseClaims(claims: unknown): v.InferOutput<typeof ClaimsSchema> {
  const parsed = v.safeParse(ClaimsSchema, claims);
  if (!parsed.success) throw new QuMailError('auth.bad-answer', { reason: 'claims' });
  return parsed.output;
}
