import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QuMailError } from '../base/errors.ts';
import { LANDING_HEADERS, landingPage } from './landingPage.ts';
import type { LandingOutcome, RedirectReceiver } from './redirect.ts';

/** The path registered with providers; the port is free to differ (RFC 8252 section 7.3). */
const CALLBACK_PATH = '/callback';
const MAX_CONNECTIONS = 16;

/**
 * Listens on a random port of 127.0.0.1 for one redirect. The browser's page waits until `finish` says how the sign-in ended, so that
 * it never claims a success that has not happened; then the server closes itself.
 * @throws `net.refused` when no port can be had
 */
export async function openLoopback(): Promise<RedirectReceiver> {
  const server = createServer({
    maxHeaderSize: 16_384,
    requestTimeout: 10_000,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 5_000,
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    throw new QuMailError('net.refused', { host: '127.0.0.1' }, { cause: error });
  }
  return new LoopbackServer(server);
}

class LoopbackServer implements RedirectReceiver {
  readonly redirectUri: string;
  readonly received: Promise<URLSearchParams>;
  readonly #server: Server;
  readonly #host: string;
  readonly #resolve: (query: URLSearchParams) => void;
  /** Pages that wait for the outcome: a browser that loads the redirect twice has two. */
  readonly #waiting = new Set<ServerResponse>();
  #outcome: LandingOutcome | undefined;

  constructor(server: Server) {
    const { promise, resolve } = Promise.withResolvers<URLSearchParams>();
    this.received = promise;
    this.#resolve = resolve;
    this.#server = server;
    this.#host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.redirectUri = `http://${this.#host}${CALLBACK_PATH}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
  }

  finish(outcome: LandingOutcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    for (const response of this.#waiting) show(response, 200, outcome);
    this.#close();
  }

  dispose(): void {
    // Pages on their way are let through (#close ends with them); pages that no outcome reached are dropped.
    if (this.#outcome !== undefined) return;
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    // Another name that leads to 127.0.0.1 is how a web page would reach us (DNS rebinding).
    if (request.headers.host !== this.#host) return show(response, 400, 'not-found');
    if (request.method !== 'GET') return show(response, 405, 'not-found');
    const url = URL.parse(request.url ?? '', this.redirectUri);
    if (url?.pathname !== CALLBACK_PATH || !(url.searchParams.has('code') || url.searchParams.has('error')))
      return show(response, 404, 'not-found');
    if (this.#outcome !== undefined) return show(response, 200, this.#outcome);
    this.#waiting.add(response);
    response.on('close', () => this.#waiting.delete(response));
    this.#resolve(url.searchParams);
  }

  /** Stops listening, lets the pages under way out, then drops connections that a browser opened ahead and never used. */
  #close(): void {
    this.#server.close();
    const leave = (): void => {
      if (this.#waiting.size === 0) this.#server.closeAllConnections();
    };
    for (const response of this.#waiting) response.on('close', leave);
    leave();
  }
}

function show(response: ServerResponse, status: number, outcome: LandingOutcome | 'not-found'): void {
  response.writeHead(status, { ...LANDING_HEADERS, connection: 'close' });
  response.end(landingPage(outcome));
}
