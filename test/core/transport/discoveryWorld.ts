import { createSocket } from 'node:dgram';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { createHttpsFetch } from '../../../src/core/base/httpsFetch.ts';
import type { HttpFetch } from '../../../src/core/base/ports.ts';
import type { SrvRecord } from '../../../src/core/transport/srvRecords.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';

/** What a page answers; `silent` never does. */
export type Page = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string | Buffer } | 'silent';

/** A real HTTPS server that stands for every host in `pages` (`host/path`, without the query); other hosts do not resolve. */
export interface Pages {
  readonly fetch: HttpFetch;
  /** Every URL asked for, with its query. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function startPages(pages: Readonly<Record<string, Page>>): Promise<Pages> {
  const { certPem, keyPem } = await issueServer();
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    const page = pages[(request.url ?? '').slice(1).split('?')[0] ?? ''];
    if (page === 'silent') return;
    response.writeHead(page ? (page.status ?? 200) : 404, page?.headers).end(page?.body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ca = await testCaPem();
  const real = createHttpsFetch({ authorities: () => ca });
  const hosts = new Set(Object.keys(pages).map((page) => page.split('/')[0]));
  const asked: string[] = [];
  return {
    asked,
    fetch: async (request) => {
      asked.push(request.url);
      const url = new URL(request.url);
      if (url.protocol !== 'https:') throw new QuMailError('net.tls-required');
      if (!hosts.has(url.hostname)) throw new QuMailError('net.host-unknown', { host: url.hostname });
      return real({ ...request, url: `https://localhost:${port}/${url.hostname}${url.pathname}${url.search}` });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A name server that knows these SRV records and says NXDOMAIN to everything else. */
export async function startNameServer(
  records: Readonly<Record<string, readonly SrvRecord[]>>,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    let end = 12;
    const labels: string[] = [];
    for (; query[end] !== 0; end += query[end]! + 1) labels.push(query.toString('latin1', end + 1, end + 1 + query[end]!));
    const known = records[labels.join('.').toLowerCase()] ?? [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(known.length > 0 ? 0x8580 : 0x8583, 2);
    head.writeUInt16BE(known.length, 6);
    head.fill(0, 8);
    const answers = known.map(({ name, port, priority, weight }) => {
      const target = Buffer.concat([...wireName(name)]);
      const fixed = Buffer.alloc(18);
      for (const [value, at] of [
        [0xc00c, 0],
        [33, 2],
        [1, 4],
        [60, 8],
        [6 + target.length, 10],
        [priority, 12],
        [weight, 14],
        [port, 16],
      ] as const)
        fixed.writeUInt16BE(value, at);
      return Buffer.concat([fixed, target]);
    });
    socket.send(Buffer.concat([head, query.subarray(12, end + 5), ...answers]), peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function* wireName(name: string): Generator<Buffer> {
  for (const label of name.split('.').filter((each) => each !== '')) {
    yield Buffer.from([label.length]);
    yield Buffer.from(label);
  }
  yield Buffer.from([0]);
}
