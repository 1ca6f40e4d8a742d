import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Direction = 'to-server' | 'to-client';

/** What happens to one connection; bytes are counted as they are on the wire (TLS included), from when the fault was set. */
export interface Fault {
  /** The direction whose bytes are counted, default `to-client`. */
  readonly direction?: Direction;
  /** Bytes let through before the fault strikes, default 0: with the next byte. */
  readonly afterBytes?: number;
  /**
   * `cut`: both sides closed; `reset`: both sides get RST; `half-close`: the client sees the end of the stream but may still write;
   * `stall`: nothing passes any more, and nobody is told.
   */
  readonly how: 'cut' | 'reset' | 'half-close' | 'stall';
}

/** A TCP proxy between client and server, with faults on demand. */
export interface CuttingProxy {
  readonly port: number;
  /** Connections opened so far. */
  readonly total: number;
  /** Connections open now. */
  readonly open: number;
  /** Most connections open at once so far. */
  readonly peak: number;
  /** Faults that struck so far. */
  readonly struck: number;
  /** Strikes the next connection that is opened, once; undefined for none after all. */
  faultNext(fault: Fault | undefined): void;
  /** Strikes every connection open now. */
  faultNow(fault: Fault): void;
  /** Delays every chunk so that about this many bytes pass per second and direction; undefined for full speed. */
  slowDown(bytesPerSecond: number | undefined): void;
  /** Refuses new connections (they are reset at once) until called with 'accept'. */
  admit(how: 'accept' | 'refuse'): void;
  /** A man in the middle: replaces bytes on their way to the client with others of the same length, in plain text only. */
  rewrite(search: string, replacement: string): void;
  /** Shows every chunk that passes, and which connection it is of, counted as `total` does; call the result to stop. */
  observe(direction: Direction, onChunk: (chunk: Buffer, connection: number) => void): () => void;
  /** Resolves once this many more bytes have passed. */
  untilPassed(direction: Direction, bytes: number): Promise<void>;
  /** Resolves once a stall has struck. */
  untilStalled(): Promise<void>;
  /** Resolves when no connection is open. */
  untilClosed(): Promise<void>;
  close(): Promise<void>;
}

interface Pair {
  readonly number: number;
  readonly client: Socket;
  readonly server: Socket;
  fault: Fault | undefined;
  counted: number;
  stalled: boolean;
}

/** Starts a proxy on a random loopback port in front of `target`. */
export async function startCuttingProxy(target: { readonly host: string; readonly port: number }): Promise<CuttingProxy> {
  const pairs = new Set<Pair>();
  const waiting: (() => void)[] = [];
  const stallWaiters: (() => void)[] = [];
  const observers = new Set<{ direction: Direction; onChunk: (chunk: Buffer, connection: number) => void }>();
  let next: Fault | undefined;
  let speed: number | undefined;
  let total = 0;
  let peak = 0;
  let struck = 0;
  let refusing = false;
  const rewrites: { search: Buffer; replacement: Buffer }[] = [];

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => {});
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...target, allowHalfOpen: true });
    const pair: Pair = { number: total + 1, client, server, fault: next, counted: 0, stalled: false };
    next = undefined;
    pairs.add(pair);
    total++;
    peak = Math.max(peak, pairs.size);
    forward(pair, 'to-server', client, server);
    forward(pair, 'to-client', server, client);
    const over = (): void => {
      if (!client.destroyed || !server.destroyed) return;
      pairs.delete(pair);
      if (pairs.size === 0) for (const resolve of waiting.splice(0)) resolve();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => {
        if (!pair.stalled) destroyBoth(pair);
      });
      socket.on('close', () => {
        if (!pair.stalled) destroyBoth(pair);
        if (socket === client) server.destroy();
        over();
      });
    }
  });

  function forward(pair: Pair, direction: Direction, from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      if (pair.stalled) return;
      const fault = pair.fault;
      const counts = fault !== undefined && (fault.direction ?? 'to-client') === direction;
      if (counts && pair.counted + chunk.length > (fault.afterBytes ?? 0)) {
        const rest = (fault.afterBytes ?? 0) - pair.counted;
        if (rest > 0) to.write(chunk.subarray(0, rest), () => strike(pair, fault));
        else strike(pair, fault);
        return;
      }
      if (counts) pair.counted += chunk.length;
      for (const observer of observers) if (observer.direction === direction) observer.onChunk(chunk, pair.number);
      const out = direction === 'to-client' ? rewritten(chunk) : chunk;
      if (speed !== undefined) {
        from.pause();
        setTimeout(() => from.resume(), (chunk.length / speed) * 1000);
      }
      if (!to.destroyed && !to.write(out)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => {
      if (!pair.stalled && !to.destroyed) to.end();
    });
  }

  function rewritten(chunk: Buffer): Buffer {
    let out = chunk;
    for (const { search, replacement } of rewrites) {
      for (let at = out.indexOf(search); at >= 0; at = out.indexOf(search, at)) {
        out = Buffer.concat([out.subarray(0, at), replacement, out.subarray(at + search.length)]);
      }
    }
    return out;
  }

  function strike(pair: Pair, fault: Fault): void {
    pair.fault = undefined;
    struck++;
    if (fault.how === 'cut') destroyBoth(pair);
    else if (fault.how === 'half-close') {
      pair.stalled = true;
      pair.client.end();
      pair.server.destroy();
    } else if (fault.how === 'stall') {
      pair.stalled = true;
      for (const resolve of stallWaiters.splice(0)) resolve();
    } else {
      pair.client.resetAndDestroy();
      pair.server.resetAndDestroy();
    }
  }

  function observe(direction: Direction, onChunk: (chunk: Buffer, connection: number) => void): () => void {
    const observer = { direction, onChunk };
    observers.add(observer);
    return () => observers.delete(observer);
  }

  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    get total() {
      return total;
    },
    get open() {
      return pairs.size;
    },
    get peak() {
      return peak;
    },
    get struck() {
      return struck;
    },
    faultNext(fault) {
      next = fault;
    },
    faultNow(fault) {
      for (const pair of pairs) {
        pair.counted = 0;
        pair.fault = fault;
        if (fault.afterBytes === undefined) strike(pair, fault);
      }
    },
    slowDown(bytesPerSecond) {
      speed = bytesPerSecond;
    },
    admit(how) {
      refusing = how === 'refuse';
    },
    rewrite(search, replacement) {
      if (search.length !== replacement.length) throw new Error('the replacement must have the same length');
      rewrites.push({ search: Buffer.from(search), replacement: Buffer.from(replacement) });
    },
    observe,
    untilPassed(direction, bytes) {
      return new Promise((resolve) => {
        let left = bytes;
        const stop = observe(direction, (chunk) => {
          left -= chunk.length;
          if (left > 0) return;
          stop();
          resolve();
        });
      });
    },
    untilStalled: () => new Promise((resolve) => stallWaiters.push(resolve)),
    untilClosed() {
      return pairs.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const pair of pairs) destroyBoth(pair);
      await closed;
    },
  };
}

function destroyBoth(pair: Pair): void {
  pair.client.destroy();
  pair.server.destroy();
}
