import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { issueServer } from '../../world/pki.ts';

/** What is changed of what passes, line by line as it is said; undefined or the text itself for nothing. */
export interface Rewriting {
  toServer?: (text: string) => string;
  toClient?: (text: string) => string;
}

export interface RewritingProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** Ends TLS on both sides, so that a real server can be made to behave as another one does. Changing `rewriting` takes effect at once. */
export async function startRewritingProxy(
  target: { readonly host: string; readonly port: number },
  rewriting: Rewriting,
): Promise<RewritingProxy> {
  const { certPem, keyPem } = await issueServer();
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: certPem, key: keyPem }, (client) => {
    // The certificate of the server behind it is the test's own.
    const upstream = connect({ host: target.host, port: target.port, rejectUnauthorized: false });
    for (const [from, to, way] of [
      [client, upstream, 'toServer'],
      [upstream, client, 'toClient'],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        const change = rewriting[way];
        to.write(change ? Buffer.from(change(chunk.toString('latin1')), 'latin1') : chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
