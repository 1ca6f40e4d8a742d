import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { asFetch } from '../../../src/core/base/asFetch.ts';
import { createHttpsFetch } from '../../../src/core/base/httpsFetch.ts';
import { createAuthority } from '../../../src/core/lab/certificates.ts';
import { issueServer, testAuthority, testCaPem } from '../../world/pki.ts';
import type { HttpFetch, HttpRequest } from '../../../src/core/base/ports.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe('base/httpsFetch', () => {
  let server: https.Server;
  let origin: string;
  let fetch: HttpFetch;
  let handler: Handler;
  const limits = { timeoutMs: 5_000, maxBytes: 1_000 };
  const get = (
    path: string,
    more: Partial<HttpRequest> = {},
  ): Promise<{ status: number; body: Buffer; headers: Readonly<Record<string, string>> }> =>
    fetch({ method: 'GET', url: `${origin}${path}`, ...limits, ...more });

  before(async () => {
    const { certPem: cert, keyPem: key } = await issueServer();
    server = https.createServer({ cert, key }, (request, response) => handler(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    const ca = await testCaPem();
    fetch = createHttpsFetch({ authorities: (host) => (host === '127.0.0.1' ? ca : undefined) });
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('posts a body and brings back status, lower-case headers and bytes', async () => {
    handler = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(418, { 'X-Method': request.method, 'Set-Cookie': ['a=1', 'b=2'] });
        response.end(`${Buffer.concat(chunks).toString()} ${request.headers['content-type']} ${request.headers.connection}`);
      });
    };
    const answer = await get('/x', { method: 'POST', body: 'hé=1', headers: { 'content-type': 'text/x' } });
    assert.equal(answer.status, 418);
    assert.equal(answer.headers['x-method'], 'POST');
    assert.equal(answer.headers['set-cookie'], 'a=1, b=2');
    assert.equal(answer.body.toString(), 'hé=1 text/x close');
  });

  it('does not follow a redirect', async () => {
    let asked = 0;
    handler = (_request, response) => {
      asked++;
      response.writeHead(302, { location: `${origin}/elsewhere` }).end();
    };
    assert.equal((await get('/')).status, 302);
    assert.equal(asked, 1);
  });

  it('takes an answer of exactly the cap, and refuses one byte more', async () => {
    handler = (request, response) => void response.end(Buffer.alloc(Number(request.url!.slice(1)), 'a'));
    assert.equal((await get('/1000')).body.length, 1_000);
    await assert.rejects(get('/1001'), { code: 'net.too-large', details: { host: '127.0.0.1', limit: 1_000 } });
  });

  it('gives up after its total time, however steadily the server drips', async () => {
    handler = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(drip));
    };
    await assert.rejects(get('/', { timeoutMs: 80 }), { code: 'net.timeout' });
  });

  it('ends when the caller aborts, before and during the exchange', async () => {
    const abort = new AbortController();
    handler = () => abort.abort();
    await assert.rejects(get('/', { signal: abort.signal }), { code: 'engine.cancelled' });
    await assert.rejects(get('/', { signal: abort.signal }), { code: 'engine.cancelled' });
  });

  it('calls an answer that ends early cut, with and without a length', async () => {
    handler = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket!.destroy());
    };
    await assert.rejects(get('/'), { code: 'net.cut' });
    handler = (_request, response) => void response.socket!.destroy();
    await assert.rejects(get('/'), { code: 'net.cut' });
  });

  it('trusts the extra authority for its own host only', async () => {
    await assert.rejects(fetch({ method: 'GET', url: origin.replace('127.0.0.1', 'localhost'), ...limits }), { code: 'net.certificate' });
  });

  it('refuses another authority, a certificate for another name, an expired one, and a PEM that is none', async () => {
    const stranger = await createAuthority({ commonName: 'Stranger', organization: 'Stranger' });
    const wrongCa = createHttpsFetch({ authorities: () => stranger.caPem });
    await assert.rejects(wrongCa({ method: 'GET', url: origin, ...limits }), { code: 'net.certificate' });
    const noPem = createHttpsFetch({ authorities: () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' });
    await assert.rejects(noPem({ method: 'GET', url: origin, ...limits }), { code: 'net.certificate' });

    const authority = await testAuthority();
    const bad = {
      name: await issueServer(['elsewhere.test']),
      expired: await authority.issue({
        commonName: 'x',
        ips: ['127.0.0.1'],
        usage: 'server',
        notBefore: new Date(Date.now() - 9e8),
        notAfter: new Date(Date.now() - 1e6),
      }),
    };
    for (const { certPem: cert, keyPem: key } of Object.values(bad)) {
      const other = https.createServer({ cert, key }, (_request, response) => void response.end());
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const url = `https://127.0.0.1:${(other.address() as net.AddressInfo).port}/`;
      await assert.rejects(fetch({ method: 'GET', url, ...limits }), { code: 'net.certificate' });
      other.close();
    }
  });

  it('names a refused port, a server without TLS, an http address and a text that is no address', async () => {
    const plain = net.createServer(
      (socket) =>
        void socket
          .resume()
          .on('error', () => {})
          .end('220 mail ESMTP\r\n'),
    );
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as net.AddressInfo;
    await assert.rejects(fetch({ method: 'GET', url: `https://127.0.0.1:${port}/`, ...limits }), { code: 'net.protocol' });
    plain.close();
    await once(plain, 'close');
    await assert.rejects(fetch({ method: 'GET', url: `https://127.0.0.1:${port}/`, ...limits }), { code: 'net.refused' });
    await assert.rejects(fetch({ method: 'GET', url: 'http://127.0.0.1/', ...limits }), { code: 'net.tls-required' });
    await assert.rejects(fetch({ method: 'GET', url: 'nowhere', ...limits }), { code: 'net.protocol' });
    await assert.rejects(fetch({ method: 'GET', url: 'https://nobody.invalid/', ...limits }), { code: 'net.host-unknown' });
  });

  it('speaks as fetch: bodies of forms, empty answers, json', async () => {
    const like = asFetch(fetch, limits);
    handler = (request, response) => {
      if (request.url === '/empty') return void response.writeHead(204).end();
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ body })));
    };
    const posted = await like(`${origin}/`, { method: 'POST', body: new URLSearchParams({ a: '1 2' }) });
    assert.deepEqual(await posted.json(), { body: 'a=1+2' });
    assert.equal((await like(`${origin}/empty`, {})).status, 204);
    await assert.rejects(like(`${origin}/`, { method: 'PUT' }), { code: 'net.protocol' });
  });
});
