import type { Failure } from '../base/model.ts';
import type { SignatureFact } from '../base/protection.ts';
import { isPgpEncrypted } from '../mail/pgpMime.ts';
import type { ReadMessage } from '../mail/readMime.ts';
import { autocryptOf } from './autocrypt.ts';
import { sameMailbox, type OpenDeps, type SealedSource } from './openJob.ts';
import { signatureOfPlain } from './openPgpMime.ts';

/** What ordinary mail says about itself that can be checked. */
export interface PlainFacts {
  readonly signature?: SignatureFact;
  /** It is encrypted, to a certificate that is not the own one. */
  readonly failure?: Failure;
}

/**
 * Looks at an ordinary message that a person opens: whether it is signed, and whether its Autocrypt header brings a certificate of its
 * author, which is remembered as the weakest of all sources.
 */
export async function factsOfPlain(
  source: Pick<SealedSource, 'accountId' | 'self' | 'raw'>,
  parts: ReadMessage,
  deps: Pick<OpenDeps, 'pgp' | 'trust' | 'own' | 'clock'>,
): Promise<PlainFacts> {
  await learnAutocrypt(source, parts, deps);
  if (isPgpEncrypted(parts.headers)) return { failure: { code: 'open.no-secret-key', details: {} } };
  const signature = await signatureOfPlain(source, parts.from.address, deps);
  return signature ? { signature } : {};
}

async function learnAutocrypt(
  { accountId, self }: Pick<SealedSource, 'accountId' | 'self'>,
  { from, headers }: ReadMessage,
  { trust, clock }: Pick<OpenDeps, 'trust' | 'clock'>,
): Promise<void> {
  const { address } = from;
  if (address === '' || sameMailbox(address, self)) return;
  const header = autocryptOf(headers, address);
  if (!header) return;
  const prefersEncryption = header.preferEncrypt === 'mutual';
  try {
    await trust.learn({
      accountId,
      address,
      certificate: header.keydata,
      source: 'autocrypt',
      under: 'none',
      at: clock.now(),
      prefersEncryption,
    });
  } catch {
    // Reading a message must not fail because of what it says about its author.
  }
}
