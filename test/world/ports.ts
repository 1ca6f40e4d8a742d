import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/** Below the range that Linux hands to outgoing connections, so that a free port stays free until its server binds it. */
const LOWEST = 15_000;
const HIGHEST = 32_000;
/** Processes that run beside each other have ids beside each other: each begins to draw in a stretch of its own. */
const STRETCH = 500;
const STRETCHES = (HIGHEST - LOWEST) / STRETCH;
const FEW_LEFT = 50;

const drawn = new Set<number>();

/**
 * A TCP port on 127.0.0.1 that nothing listens on, and never the same twice: a server takes a while to bind it. Several test processes may draw
 * at once.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const stretch = (process.pid + Math.floor(drawn.size / (STRETCH - FEW_LEFT))) % STRETCHES;
    const port = LOWEST + stretch * STRETCH + randomInt(STRETCH);
    if (drawn.has(port)) continue;
    drawn.add(port);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Resolves once something accepts connections on the port; rejects after `timeoutMs`, or when `failed` rejects first. */
export async function untilListening(port: number, timeoutMs: number, failed: Promise<never>): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await Promise.race([accepts(port), failed]))) {
    if (Date.now() > end) throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
