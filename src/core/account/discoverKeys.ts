import { QuMailError } from '../base/errors.ts';
import type { HttpFetch, HttpResponse } from '../base/ports.ts';
import { wkdPlaces } from './wkd.ts';

/** Octets; a certificate has 14 KB, and the engine's own limit is smaller still. */
const MAX_ANSWER = 1024 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * Asks the Web Key Directory of an address's own domain for its certificate: the advanced method, and the direct one only where the host
 * of the advanced one does not exist, as the draft wants it. https alone, no redirect followed, nobody else asked. What comes back is
 * foreign bytes.
 *
 * @throws QuMailError `wkd.refused`, `wkd.not-found` (details: domain), `net.*`, `engine.cancelled`
 */
export async function discoverKey(address: string, deps: { readonly fetch: HttpFetch }, signal?: AbortSignal): Promise<Buffer> {
  const places = wkdPlaces(address);
  if (!places) throw new QuMailError('wkd.refused', { domain: address.slice(address.lastIndexOf('@') + 1) });
  const { domain } = places;
  const get = (url: string): Promise<HttpResponse> =>
    deps.fetch({ method: 'GET', url, timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER, ...(signal && { signal }) });
  const answer = await get(places.advanced).catch(async (error: unknown) => {
    if (!QuMailError.is(error, 'net.host-unknown')) throw error;
    return get(places.direct).catch((cause: unknown) => {
      throw QuMailError.is(cause, 'net.host-unknown') ? new QuMailError('wkd.not-found', { domain }, { cause }) : cause;
    });
  });
  // A redirect is not followed: it would let one host speak for the mailboxes of another.
  if (answer.status !== 200 || answer.body.length === 0) throw new QuMailError('wkd.not-found', { domain, status: answer.status });
  return answer.body;
}
