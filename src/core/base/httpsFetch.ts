import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { QuMailError } from './errors.ts';
import { netErrorCode } from './netErrors.ts';
import type { HttpFetch, HttpRequest, HttpResponse, TrustedAuthorities } from './ports.ts';
import { clientContext } from './trustRoots.ts';

/** Answer headers above this many bytes are refused; token endpoints need a fraction. */
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * The HttpFetch port over node:https. One connection per request, no agent, so neither a proxy from the environment nor a pooled
 * socket is ever used; redirects come back as the 3xx they are; certificates are verified against the system's authorities plus
 * the one that `authorities` names for the host.
 *
 * Rejects with `net.tls-required` (not https), `net.host-unknown`, `net.refused`, `net.certificate`, `net.timeout`, `net.cut`,
 * `net.too-large`, `net.protocol` (details: host) or `engine.cancelled`.
 */
export function createHttpsFetch(deps: { authorities: TrustedAuthorities }): HttpFetch {
  return async (request) => {
    const url = parseUrl(request.url);
    if (request.signal?.aborted) throw new QuMailError('engine.cancelled');
    return exchange(url, request, contextFor(url.hostname, deps.authorities));
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new QuMailError('net.protocol', { reason: 'bad-url' });
  if (url.protocol !== 'https:') throw new QuMailError('net.tls-required', { host: url.hostname });
  if (url.username || url.password) throw new QuMailError('net.protocol', { host: url.hostname, reason: 'credentials-in-url' });
  return url;
}

function contextFor(host: string, authorities: TrustedAuthorities): SecureContext {
  try {
    return clientContext(authorities(host.replace(/^\[|\]$/g, '')));
  } catch (error) {
    // The PEM in the person's settings is not one.
    throw new QuMailError('net.certificate', { host, reason: 'bad-authority' }, { cause: error });
  }
}

function exchange(url: URL, request: HttpRequest, secureContext: SecureContext): Promise<HttpResponse> {
  const host = url.hostname;
  return new Promise((resolve, reject) => {
    const body = request.body === undefined ? undefined : Buffer.from(request.body, 'utf8');
    // @types/node leaves `secureContext` out, but https hands its options on to tls.connect.
    const options: https.RequestOptions & Pick<ConnectionOptions, 'secureContext'> = {
      method: request.method,
      headers: { ...request.headers, ...(body ? { 'content-length': String(body.length) } : {}) },
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      secureContext,
    };
    const outgoing = https.request(url, options);
    const timer = setTimeout(() => fail(new QuMailError('net.timeout', { host })), request.timeoutMs);
    const onAbort = (): void => fail(new QuMailError('engine.cancelled'));
    const settle = (): void => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
      outgoing.destroy();
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error instanceof QuMailError ? error : new QuMailError(netErrorCode(error) ?? 'net.cut', { host }, { cause: error }));
    };
    request.signal?.addEventListener('abort', onAbort, { once: true });
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      collect(incoming, request.maxBytes, host).then((response) => {
        settle();
        resolve(response);
      }, fail);
    });
    outgoing.end(body);
  });
}

/** Reads the answer up to `maxBytes`; an answer that ends before its announced length is `net.cut`. */
async function collect(incoming: IncomingMessage, maxBytes: number, host: string): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new QuMailError('net.too-large', { host, limit: maxBytes });
    chunks.push(chunk);
  }
  if (!incoming.complete) throw new QuMailError('net.cut', { host });
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks) };
}
