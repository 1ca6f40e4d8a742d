import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import type { IssuedCertificate } from './certificates.ts';
import { strikes, type KmeFaults } from './kmeFaults.ts';
import type { KmeAnswer, KmeRequest } from './kmeRoutes.ts';

const MAX_BODY = 1_048_576;

/** One HTTPS listener on 127.0.0.1 with mutual TLS 1.2 or newer: who has no certificate of the authority does not get in. */
export class KmeListener implements Disposable {
  readonly #answer: (request: KmeRequest) => KmeAnswer;
  readonly #faults: KmeFaults;
  readonly #fraction: () => number;
  #encKeys = 0;
  readonly #clock: Clock;
  readonly #caPem: string;
  #certificate: IssuedCertificate;
  #server: Server | undefined;
  #port = 0;
  #stopping = new AbortController();

  constructor(o: {
    answer: (request: KmeRequest) => KmeAnswer;
    faults: KmeFaults;
    fraction: () => number;
    clock: Clock;
    caPem: string;
    certificate: IssuedCertificate;
  }) {
    this.#answer = o.answer;
    this.#faults = o.faults;
    this.#fraction = o.fraction;
    this.#clock = o.clock;
    this.#caPem = o.caPem;
    this.#certificate = o.certificate;
  }

  get port(): number {
    return this.#port;
  }

  get running(): boolean {
    return this.#server !== undefined;
  }

  /** Listens; after the first time on the same port again. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer(
      {
        cert: this.#certificate.certPem,
        key: this.#certificate.keyPem,
        ca: this.#caPem,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
      },
      (request, response) => void this.#serve(request, response),
    );
    server.on('tlsClientError', () => {}); // a refused handshake is the caller's news, not ours
    this.#server = server;
    this.#stopping = new AbortController();
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Cuts every connection and stops listening. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = once(server, 'close');
    this.dispose();
    await closed;
  }

  /** Serves another certificate from the next handshake on; there is one at once, since open connections are cut. */
  useCertificate(certificate: IssuedCertificate): void {
    this.#certificate = certificate;
    this.#server?.setSecureContext({ cert: certificate.certPem, key: certificate.keyPem, ca: this.#caPem, minVersion: 'TLSv1.2' });
    this.#server?.closeAllConnections();
  }

  dispose(): void {
    const server = this.#server;
    this.#server = undefined;
    this.#stopping.abort();
    server?.close();
    server?.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asking = request.url?.includes('/enc_keys') ? 1 : 0;
    this.#encKeys += asking;
    try {
      // Two at once deadlock: neither is answered, until their connections are cut.
      if (asking > 0 && this.#encKeys > 1 && this.#faults.atOnce === 'one') return await once(request.socket, 'close').then(() => {});
      const answer = await this.#decide(request);
      if (this.#faults.delayMs > 0) await this.#clock.sleep(this.#faults.delayMs, this.#stopping.signal);
      if (answer === undefined || (answer.committed === 'yes' && this.#lost())) request.socket.destroy();
      else this.#write(response, answer);
    } catch {
      request.socket.destroy(); // the client has gone, or sent what is not HTTP
    } finally {
      this.#encKeys -= asking;
    }
  }

  /** Whether the answer that delivers keys is lost on its way. */
  #lost(): boolean {
    return strikes(this.#faults, 'dropAfterCommit') || (this.#faults.lossRate > 0 && this.#fraction() < this.#faults.lossRate);
  }

  async #decide(request: IncomingMessage): Promise<KmeAnswer | undefined> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY) return undefined;
      chunks.push(chunk);
    }
    if (strikes(this.#faults, 'htmlError'))
      return { status: 500, body: '<!DOCTYPE html><html><body><h1>Internal Server Error</h1></body></html>' };
    if (strikes(this.#faults, 'unavailable')) return { status: this.#faults.unavailableStatus, body: { message: 'try again later' } };
    const url = new URL(request.url ?? '/', 'https://kme.invalid');
    const commonName = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
    const saeId = typeof commonName === 'string' ? commonName : '';
    return this.#answer({ method: request.method ?? '', path: url.pathname, query: url.searchParams, body: Buffer.concat(chunks), saeId });
  }

  #write(response: ServerResponse, answer: KmeAnswer): void {
    if (this.#faults.connection === 'close') response.setHeader('Connection', 'close');
    const html = typeof answer.body === 'string';
    const body = Buffer.from(answer.body === undefined ? '' : html ? (answer.body as string) : JSON.stringify(answer.body));
    if (body.length > 0) response.setHeader('Content-Type', html ? 'text/html' : 'application/json');
    response.writeHead(answer.status, { 'Content-Length': body.length }).end(body);
  }
}
