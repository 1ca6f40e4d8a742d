import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer as createHttpsServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemClock } from '../../../src/core/base/systemPorts.ts';
import { deadline } from '../../../src/core/keys/deadline.ts';
import type { KmeClient, KmeProfile } from '../../../src/core/keys/kmeClient.ts';
import { ALICE, BOB, CAROL, impatientClock, startKmeWorld, type KmeWorld } from '../../world/kmeWorld.ts';
import { issueServer } from '../../world/pki.ts';
import { LeapClock } from '../../faults/leapClock.ts';

const one = { number: 1, size: 256 };

/** Octets in use by the program's values and buffers; the resident memory also tells what earlier tests left behind. */
function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a key manager as met in the field', () => {
  let world: KmeWorld;
  const servers: Server[] = [];
  beforeEach(async () => (world = await startKmeWorld()));
  afterEach(() => {
    world.dispose();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** A client at a server of the test’s own making. */
  async function at(
    handler: (request: IncomingMessage, response: ServerResponse) => void,
    profile: Partial<KmeProfile> = {},
  ): Promise<KmeClient> {
    const own = await issueServer(['KME-A']);
    const server = createHttpsServer({ cert: own.certPem, key: own.keyPem }, handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return world.client(ALICE, { profile: { url, ...profile }, timeouts: { connectMs: 2_000, totalMs: 3_000 } });
  }
  it('an answer that came while the machine slept is not thrown away, and its key is not lost', async () => {
    const clock = new LeapClock();
    const alice = await world.client(ALICE);
    const bob = await world.client(BOB, { clock });
    const [key] = await alice.getKeys(BOB, one);
    world.pair.faults('KME-B').delayMs = 150;
    const fetching = bob.getKeysWithIds(ALICE, [key!.keyId]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    // The lid is closed for an hour in the middle of it; the clock on the wall is that much ahead, and everything due fires at once.
    clock.leap(3_600_000);
    assert.deepEqual(await fetching, [key]);
  });

  it('a time limit that fires too late waits for what is in the socket', async () => {
    let fired = 0;
    const started = performance.now();
    const timer = deadline(10, () => (fired = performance.now() - started));
    // The process is stopped for more than a second, as by a debugger or by SIGSTOP.
    const until = performance.now() + 1_100;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(fired, 0);
    timer.dispose();
  });

  it('a clock that is set back does not keep the circuit breaker closed for hours', async () => {
    let now = 10_000_000;
    const client = await world.client(ALICE, { clock: { ...impatientClock(), now: () => now } });
    await world.pair.stop('KME-A');
    for (let i = 0; i < 2; i++) await assert.rejects(client.getStatus(BOB), { code: 'kme.unreachable' });
    await world.pair.start('KME-A');
    now -= 7_200_000;
    assert.equal((await client.getStatus(BOB)).sourceKmeId, 'KME-A');
  });

  it('that deadlocks when both sides ask at once costs a time-out, and serves them one after the other', async () => {
    world.pair.faults('KME-A').atOnce = 'one';
    world.pair.faults('KME-A').delayMs = 50;
    const client = await world.client(ALICE, { timeouts: { connectMs: 2_000, totalMs: 400 } });
    const both = await Promise.allSettled([client.getKeys(BOB, one), client.getKeys(BOB, one)]);
    assert.ok(both.some(({ status }) => status === 'rejected'));
    for (const result of both) if (result.status === 'rejected') assert.ok(QuMailError.is(result.reason, 'kme.timeout'));
    // It may take a moment to notice that nobody waits any more.
    const again = (): Promise<unknown> => client.getKeys(BOB, one).catch(again);
    await again();
    // With the profile for such key managers nothing is asked at once.
    const careful = await world.client(ALICE, { profile: { quirks: 'cautious' }, timeouts: { connectMs: 2_000, totalMs: 4_000 } });
    assert.equal((await Promise.all([careful.getKeys(BOB, one), careful.getKeys(BOB, one), careful.getKeys(BOB, one)])).flat().length, 3);
  });

  it('that promises larger batches than it gives is asked for what it gives, from then on', async () => {
    world.pair.faults('KME-A').shortBatch = 3;
    const client = await world.client(ALICE);
    await client.getKeys(BOB, { number: 9, size: 256 });
    const asked = world.pair.deliveries.length;
    await client.getKeys(BOB, { number: 6, size: 256 });
    assert.equal(world.pair.deliveries.length - asked, 6);
  });

  it('that promises longer keys than it makes is asked for shorter ones, and nothing was spent on finding out', async () => {
    const bodies: { number: number; size: number }[] = [];
    const client = await at((request, response) => {
      if (request.method === 'GET')
        return void response.end(JSON.stringify({ key_size: 256, max_key_size: 65_536, max_key_per_request: 128 }));
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as { number: number; size: number };
        bodies.push(body);
        if (body.size !== 256 || body.number > 4) return void response.writeHead(400).end('{"message":"size not supported"}');
        const keys = Array.from({ length: body.number }, () => ({
          key_ID: randomBytes(16).toString('hex'),
          key: randomBytes(32).toString('base64'),
        }));
        response.end(JSON.stringify({ keys }));
      });
    });
    const taken: number[] = [];
    const keys = await client.takeBits(BOB, { bits: 256 * 10, additionalSlaveSaeIds: [] }, (batch) => taken.push(batch.length));
    assert.equal(keys.length, 10);
    assert.deepEqual(
      bodies.map(({ number, size }) => [number, size]),
      [
        [1, 2560],
        [10, 256],
        [5, 256],
        [2, 256],
        [2, 256],
        [2, 256],
        [2, 256],
        [2, 256],
      ],
    );
    assert.deepEqual(taken, [10]);
  });

  it('that takes GET only is asked by GET, one key at a time, and never for several readers', async () => {
    for (const id of ['KME-A', 'KME-B']) world.pair.faults(id).verbs = 'get';
    const quirks = 'get-only' as const;
    const [alice, bob] = [await world.client(ALICE, { profile: { quirks } }), await world.client(BOB, { profile: { quirks } })];
    const keys = await alice.getKeys(BOB, { number: 3, size: 512 });
    assert.deepEqual(
      await bob.getKeysWithIds(
        ALICE,
        keys.map(({ keyId }) => keyId),
      ),
      keys,
    );
    await assert.rejects(alice.getKeys(BOB, { ...one, additionalSlaveSaeIds: [CAROL] }), { code: 'kme.bad-request' });
    world.pair.faults('KME-A').getParameters = 'ignored';
    await assert.rejects(alice.getKeys(BOB, { number: 1, size: 512 }), { code: 'kme.bad-answer', details: { reason: 'key-length' } });
  });

  it('that answers 100 MB is hung up on after one, whether it says how much or not', async () => {
    let sent = 0;
    let held = 0;
    const client = await at((request, response) => {
      request.resume();
      const block = Buffer.alloc(65_536, 0x20);
      const more = (): void => {
        held = Math.max(held, inUse());
        while (!response.destroyed && sent < 100 * 1024 * 1024) {
          sent += block.length;
          if (!response.write(block)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    const before = inUse();
    await assert.rejects(client.getKeys(BOB, one), { code: 'net.too-large' });
    assert.ok(sent < 30 * 1024 * 1024, `${sent} octets were taken`);
    assert.ok(held - before < 16 * 1024 * 1024, `${held - before} octets of memory were in use`);
  });

  it('that answers anything at all is refused by a name, whatever it answers', async () => {
    let answer = { status: 200, body: Buffer.alloc(0) };
    const client = await at((request, response) => {
      request.resume();
      response.writeHead(answer.status).end(answer.body);
    });
    const json = fc.jsonValue({ maxDepth: 4 }).map((value) => Buffer.from(JSON.stringify(value)));
    const bytes = fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets));
    const container = fc
      .array(
        fc.record({
          key_ID: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
          key: fc.oneof(fc.base64String(), fc.string(), fc.integer()),
        }),
      )
      .map((keys) => Buffer.from(JSON.stringify({ keys })));
    // Statuses that are not tried again, so that this takes no minute; the others are in the retry tests.
    const statuses = fc.constantFrom(200, 201, 204, 301, 400, 401, 403, 404, 418, 422, 500);
    await fc.assert(
      fc.asyncProperty(statuses, fc.oneof(json, bytes, container), async (status, body) => {
        answer = { status, body: status === 204 ? Buffer.alloc(0) : body };
        for (const ask of [() => client.getKeys(BOB, one), () => client.getKeysWithIds(BOB, ['x']), () => client.getStatus(BOB)]) {
          const error = await ask().then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (error !== undefined) assert.ok(QuMailError.is(error) && /^(?:kme|key)\./.test(error.code), String(error));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('nothing of it reaches a proxy that the environment names', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { https_proxy: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', ALL_PROXY: 'http://127.0.0.1:9' });
    try {
      assert.equal((await (await world.client(ALICE, { clock: systemClock })).getStatus(BOB)).sourceKmeId, 'KME-A');
    } finally {
      for (const name of ['https_proxy', 'HTTPS_PROXY', 'ALL_PROXY'])
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
    }
  });
});
