import { QuMailError } from '../base/errors.ts';
import type { Credential, CredentialSource } from '../base/ports.ts';

/**
 * Logs in with a valid credential: the cached token first; when the server refuses it, one forced refresh and one more try, whose
 * refusal (`auth.token-refused`) is final. A password is tried once. `first` = 'fresh' when the cached token is known to be refused.
 */
export async function withCredential<T>(
  source: CredentialSource,
  first: 'cached' | 'fresh',
  signal: AbortSignal,
  attempt: (credential: Credential) => Promise<T>,
): Promise<T> {
  const credential = await source(first, signal);
  try {
    return await attempt(credential);
  } catch (error) {
    if (credential.kind !== 'token' || first === 'fresh' || !QuMailError.is(error, 'auth.token-refused')) throw error;
  }
  return attempt(await source('fresh', signal));
}
