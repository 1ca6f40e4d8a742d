import { QuMailError } from './errors.ts';
import type { HttpFetch } from './ports.ts';

/** What a library passes to a fetch-shaped function; only what HttpFetch can carry. */
interface FetchOptions {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The HttpFetch port in the shape of WHATWG fetch, for oauth4webapi's `[customFetch]`: GET or POST, string or URLSearchParams
 * bodies, every request under the same limits. Rejects as HttpFetch does.
 */
export function asFetch(
  httpFetch: HttpFetch,
  limits: { readonly timeoutMs: number; readonly maxBytes: number },
): (url: string, options: FetchOptions) => Promise<Response> {
  return async (url, options) => {
    const method = options.method ?? 'GET';
    if (method !== 'GET' && method !== 'POST') throw new QuMailError('net.protocol', { reason: 'method' });
    const answer = await httpFetch({
      method,
      url,
      ...limits,
      ...(options.headers ? { headers: options.headers } : {}),
      ...(options.body === undefined || options.body === null ? {} : { body: String(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    if (answer.status < 200 || answer.status > 599) throw new QuMailError('net.protocol', { status: answer.status });
    // The Response constructor refuses a body for these three (WHATWG fetch, "null body status").
    const empty = answer.status === 204 || answer.status === 205 || answer.status === 304;
    return new Response(empty ? null : new Uint8Array(answer.body), { status: answer.status, headers: answer.headers });
  };
}
