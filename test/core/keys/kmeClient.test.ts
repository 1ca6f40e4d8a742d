import assert from 'node:assert/strict';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createServer as createHttpsServer, type Server, type ServerOptions } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes, randomUUID } from 'node:crypto';
import { QuMailError, type ErrorCode } from '../../../src/core/base/errors.ts';
import { KmeClient, type DeliveredKey, type KmeProfile } from '../../../src/core/keys/kmeClient.ts';
import { LAB_ORGANIZATION } from '../../../src/core/lab/kmePair.ts';
import { createAuthority } from '../../../src/core/lab/certificates.ts';
import { ALICE, BOB, CAROL, impatientClock, startKmeWorld, type ClientOptions, type KmeWorld } from '../../world/kmeWorld.ts';
import { issueServer } from '../../world/pki.ts';
import { PKCS12_BASE64, PKCS12_CERTIFICATE, PKCS12_PASSPHRASE } from './pkcs12.ts';

const SHORT = { connectMs: 2_000, totalMs: 80 };

async function fails(work: Promise<unknown>, code: ErrorCode, details: Record<string, unknown> = {}): Promise<QuMailError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof QuMailError, `expected ${code}, got ${String(error)}`);
  const told = Object.fromEntries(Object.keys(details).map((name) => [name, error.details[name]]));
  assert.deepEqual({ code: error.code, ...told }, { code, ...details });
  return error;
}

const idsOf = (keys: readonly DeliveredKey[]): string[] => keys.map((key) => key.keyId);

describe('the key manager client', () => {
  let world: KmeWorld;
  let alice: KmeClient;
  let bob: KmeClient;
  const start = async (options: Parameters<typeof startKmeWorld>[0] = {}, client: ClientOptions = {}): Promise<void> => {
    world?.dispose();
    world = await startKmeWorld(options);
    alice = await world.client(ALICE, client);
    bob = await world.client(BOB, client);
  };
  const one = { number: 1, size: 256 };

  afterEach(() => world.dispose());

  describe('talking to a key manager that does what it should', () => {
    it('Alice gets keys, Bob gets the same keys by their IDs, in the order he asked for', async () => {
      await start();
      const keys = await alice.getKeys(BOB, { number: 3, size: 512 });
      assert.deepEqual(
        keys.map((key) => key.bytes.length),
        [64, 64, 64],
      );
      const wanted = idsOf(keys).reverse();
      const fetched = await bob.getKeysWithIds(ALICE, wanted);
      assert.deepEqual(fetched, [...keys].reverse());
    });

    it('reads the status', async () => {
      await start({ stock: 7, maxKeyPerRequest: 2, maxSaeIdCount: 4 });
      const status = await alice.getStatus(BOB);
      assert.deepEqual(
        [status.sourceKmeId, status.slaveSaeId, status.storedKeyCount, status.maxKeyPerRequest, status.maxSaeIdCount],
        ['KME-A', BOB, 7, 2, 4],
      );
    });

    it('shares one key with several', async () => {
      await start();
      const carol = await world.client(CAROL);
      const [key] = await alice.getKeys(BOB, { ...one, additionalSlaveSaeIds: [CAROL] });
      for (const client of [bob, carol]) assert.deepEqual(await client.getKeysWithIds(ALICE, [key!.keyId]), [key]);
    });

    it('asks for key IDs in batches of max_key_per_request, handing over each before the next', async () => {
      await start({ maxKeyPerRequest: 2 });
      const keys = [
        ...(await alice.getKeys(BOB, { number: 2, size: 256 })),
        ...(await alice.getKeys(BOB, { number: 2, size: 256 })),
        ...(await alice.getKeys(BOB, one)),
      ];
      const batches: number[] = [];
      const fetched = await bob.getKeysWithIds(ALICE, idsOf(keys), undefined, (batch) => batches.push(batch.length));
      assert.deepEqual(fetched, keys);
      assert.deepEqual(batches, [2, 2, 1]);
    });

    it('opens no more than four sockets, and uses them again', async () => {
      let most = 0;
      let opened = 0;
      await start();
      const server = await foreign((_request, response) => void setTimeout(() => response.end('{}'), 5));
      server.on('secureConnection', () => {
        opened += 1;
        server.getConnections((_error, count) => (most = Math.max(most, count)));
      });
      const client = await clientOf(server);
      for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 10 }, () => client.getStatus(BOB)));
      assert.ok(opened <= 4 && most <= 4, `${opened} sockets, ${most} at once`);
    });

    it('a client certificate may come as PKCS#12', async () => {
      await start();
      const client = { pfx: Buffer.from(PKCS12_BASE64, 'base64'), passphrase: PKCS12_PASSPHRASE };
      const mutual = { requestCert: true, rejectUnauthorized: true, ca: PKCS12_CERTIFICATE };
      const server = await foreign((request, response) => {
        response.end(JSON.stringify({ master_SAE_ID: (request.socket as TLSSocket).getPeerCertificate().subject.CN }));
      }, mutual);
      const kme = await clientOf(server, { client });
      assert.deepEqual(await kme.getStatus(BOB), { masterSaeId: ALICE });
      const profile = await world.profile(ALICE);
      assert.throws(() => new KmeClient({ ...profile, client: { ...client, passphrase: 'wrong' } }, deps()), badField('client'));
    });

    it('logs neither keys nor certificates', async () => {
      await start();
      world.pair.faults('KME-A').unavailable = 1;
      const keys = await alice.getKeys(BOB, one);
      const log = JSON.stringify(world.logged);
      assert.ok(log.includes('kme.retry'));
      for (const encoding of ['base64', 'hex', 'base64url'] as const) assert.ok(!log.includes(keys[0]!.bytes.toString(encoding)));
    });
  });

  describe('making sure who is there', () => {
    it('accepts the KME ID as common name, with or without SAN, and as alternative name', async () => {
      for (const naming of ['common-name', 'common-name-only', 'alternative-name'] as const) {
        await start({ naming });
        assert.equal((await alice.getStatus(BOB)).sourceKmeId, 'KME-A', naming);
        world.dispose();
      }
    });

    it('a certificate for another KME ID is kme.identity, never retried', async () => {
      await start();
      await world.pair.show('KME-A', 'wrong-id');
      const clock = impatientClock();
      const error = await fails((await world.client(ALICE, { clock })).getKeys(BOB, one), 'kme.identity', { expected: 'KME-A' });
      assert.ok((error.details['found'] as string[]).includes('KME-A-OTHER'));
      assert.deepEqual(clock.slept, []);
      assert.equal(world.pair.deliveries.length, 0);
    });

    it('an expired certificate is kme.certificate-expired; once renewed, the next call works', async () => {
      await start();
      await world.pair.show('KME-A', 'expired');
      await fails(alice.getStatus(BOB), 'kme.certificate-expired', { whose: 'key-manager' });
      await world.pair.show('KME-A', 'right');
      assert.equal((await alice.getStatus(BOB)).sourceKmeId, 'KME-A');
    });

    it('a certificate of another authority is kme.identity, even of the same name', async () => {
      await start();
      await world.pair.show('KME-A', 'foreign-authority');
      await fails(alice.getStatus(BOB), 'kme.identity');
    });

    it('an open connection does not save a key manager whose certificate changes', async () => {
      await start();
      await alice.getStatus(BOB);
      await world.pair.show('KME-A', 'wrong-id');
      await fails(alice.getStatus(BOB), 'kme.identity');
    });

    it('a real account refuses a simulated key manager, and a lab account every other', async () => {
      await start({ organization: LAB_ORGANIZATION });
      assert.equal((await alice.getStatus(BOB)).sourceKmeId, 'KME-A'); // the world makes lab profiles here
      await fails((await world.client(ALICE, { profile: { world: 'real' } })).getStatus(BOB), 'kme.simulated', { world: 'real' });
      world.dispose();
      await start();
      await fails((await world.client(ALICE, { profile: { world: 'lab' } })).getKeys(BOB, one), 'kme.simulated', { world: 'lab' });
    });

    it('an SAE that the key manager does not serve is kme.unauthorised', async () => {
      await start();
      const unknown = await world.client(ALICE, { profile: { client: await world.pair.client('SAE-MALLORY') } });
      await fails(unknown.getKeys(BOB, one), 'kme.unauthorised', { status: 401 });
    });

    it('an own certificate that has run out is kme.certificate-expired, though the key manager only hangs up', async () => {
      await start();
      const client = await world.pair.authority.issue({ commonName: ALICE, usage: 'client', notAfter: new Date(Date.now() - 1000) });
      await fails((await world.client(ALICE, { profile: { client } })).getKeys(BOB, one), 'kme.certificate-expired', { whose: 'own' });
    });

    it('a client certificate of another authority gets nothing', async () => {
      await start();
      const stranger = await (
        await createAuthority({ commonName: 'Elsewhere', organization: 'Elsewhere' })
      ).issue({ commonName: ALICE, usage: 'client' });
      // Node as a server resets the connection where others send an alert (kmeTls.test.ts).
      await fails((await world.client(ALICE, { profile: { client: stranger } })).getKeys(BOB, one), 'kme.unreachable');
      assert.equal(world.pair.deliveries.length, 0);
    });

    it('refuses settings that cannot work before any connection', async () => {
      await start();
      const profile = await world.profile(ALICE);
      for (const url of ['http://127.0.0.1:1', 'ftp://x', 'nonsense', 'https://user:pw@x', 'https://x/?q=1']) {
        assert.throws(() => new KmeClient({ ...profile, url }, deps()), badField('url'), url);
      }
      assert.throws(() => new KmeClient({ ...profile, caPem: 'nothing' }, deps()), badField('caPem'));
      assert.throws(() => new KmeClient({ ...profile, client: { certPem: 'x', keyPem: 'y' } }, deps()), badField('client'));
    });
  });

  describe('when things go wrong', () => {
    it('key manager not there: kme.unreachable after retries with full jitter', async () => {
      await start();
      await world.pair.stop('KME-A');
      const clock = impatientClock();
      const random = { bytes: randomBytes, uuid: randomUUID, fraction: () => 0.5 };
      await fails((await world.client(ALICE, { clock, random })).getKeys(BOB, one), 'kme.unreachable', {
        reason: 'ECONNREFUSED',
        sent: 'not-sent',
      });
      assert.deepEqual(clock.slept, [250, 500, 1000]);
    });

    it('late start: the retries reach a key manager that has come up meanwhile', async () => {
      await start({ lateStart: ['KME-A'] });
      const clock = impatientClock();
      const late = await world.client(ALICE, {
        clock: { ...clock, sleep: async (ms, signal) => (await world.pair.start('KME-A'), clock.sleep(ms, signal)) },
      });
      assert.equal((await late.getKeys(BOB, one)).length, 1);
      assert.equal(clock.slept.length, 1);
    });

    it('drop after commit, enc_keys: not repeated, the keys count as gone, the next call gets others', async () => {
      await start();
      world.pair.faults('KME-A').dropAfterCommit = 1;
      await fails(alice.getKeys(BOB, one), 'kme.unreachable', { sent: 'sent' });
      assert.equal(world.pair.deliveries.length, 1);
      const [key] = await alice.getKeys(BOB, one);
      assert.equal(world.pair.deliveries.length, 2);
      assert.equal(key!.keyId, world.pair.deliveries[1]!.keyId);
    });

    it('drop after commit, dec_keys: asked again, and then named as what it is, kme.key-may-be-lost', async () => {
      await start();
      const [key] = await alice.getKeys(BOB, one);
      world.pair.faults('KME-B').dropAfterCommit = 1;
      await fails(bob.getKeysWithIds(ALICE, [key!.keyId]), 'kme.key-may-be-lost', { status: 400 });
    });

    it('drop after commit, dec_keys, at a key manager that delivers again: the retry has the key', async () => {
      await start();
      const [key] = await alice.getKeys(BOB, one);
      Object.assign(world.pair.faults('KME-B'), { dropAfterCommit: 1, keepCollected: 1 });
      assert.deepEqual(await bob.getKeysWithIds(ALICE, [key!.keyId]), [key]);
    });

    it('delay: kme.timeout; enc_keys is not repeated, status is', async () => {
      await start();
      world.pair.faults('KME-A').delayMs = 5_000;
      const clock = impatientClock();
      const hasty = await world.client(ALICE, { clock, timeouts: SHORT });
      await fails(hasty.getKeys(BOB, one), 'kme.timeout', { phase: 'answer' });
      assert.deepEqual(clock.slept, []);
      await fails(hasty.getStatus(BOB), 'kme.timeout');
      assert.equal(clock.slept.length, 3);
    });

    it('a server that accepts and never finishes the handshake: kme.timeout in the connect phase', async () => {
      await start();
      const { createServer } = await import('node:net');
      const silent = createServer(() => {}).listen(0, '127.0.0.1');
      await new Promise((resolve) => silent.once('listening', resolve));
      try {
        const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
        const client = await world.client(ALICE, { profile: { url }, timeouts: { connectMs: 30, totalMs: 2_000 } });
        await fails(client.getStatus(BOB), 'kme.timeout', { phase: 'connect' });
      } finally {
        silent.close();
      }
    });

    it('short batch: the rest is asked for, and nothing that came is thrown away', async () => {
      await start();
      world.pair.faults('KME-A').shortBatch = 2;
      const keys = await alice.getKeys(BOB, { number: 5, size: 256 });
      assert.equal(new Set(idsOf(keys)).size, 5);
      assert.equal(world.pair.deliveries.length, 5);
    });

    it('short batch, then nothing: kme.exhausted says how much came, and the next call starts with it', async () => {
      await start({ stock: 5, rate: 0 });
      world.pair.faults('KME-A').shortBatch = 3;
      await fails(alice.getKeys(BOB, { number: 6, size: 256 }), 'kme.exhausted', { wantedBits: 1536, gotBits: 3 * 256, status: 503 });
      world.pair.setStock('KME-A', 'KME-B', 3 * 256);
      const keys = await alice.getKeys(BOB, { number: 6, size: 256 });
      assert.deepEqual(
        idsOf(keys),
        world.pair.deliveries.map((delivery) => delivery.keyId),
      );
      assert.equal(keys.length, 6);
    });

    it('200 without a key is kme.exhausted too', async () => {
      await start();
      world.pair.faults('KME-A').shortBatch = 0;
      await fails(alice.getKeys(BOB, one), 'kme.exhausted', { wantedBits: 256, gotBits: 0 });
    });

    it('out of keys: kme.exhausted at once, whatever status says so', async () => {
      await start({ stock: 1 });
      const clock = impatientClock();
      const client = await world.client(ALICE, { clock });
      for (const status of [503, 400, 404] as const) {
        world.pair.faults('KME-A').exhaustionStatus = status;
        await fails(client.getKeys(BOB, { number: 2, size: 256 }), 'kme.exhausted', { status, wantedBits: 512, gotBits: 0 });
      }
      assert.deepEqual(clock.slept, []);
    });

    it('HTML: kme.bad-answer', async () => {
      await start();
      world.pair.faults('KME-A').htmlError = 3;
      await fails(alice.getKeys(BOB, one), 'kme.bad-answer', { status: 500, reason: 'not-json' });
      await fails(alice.getStatus(BOB), 'kme.bad-answer');
      await fails(alice.getKeysWithIds(BOB, ['x']), 'kme.bad-answer');
    });

    it('503 and 429 are retried for every method, 504 for all but enc_keys; then kme.unavailable', async () => {
      await start();
      const faults = world.pair.faults('KME-A');
      for (const status of [503, 429] as const) {
        Object.assign(faults, { unavailable: 2, unavailableStatus: status });
        assert.equal((await alice.getKeys(BOB, one)).length, 1);
      }
      Object.assign(faults, { unavailable: 1, unavailableStatus: 504 });
      await fails(alice.getKeys(BOB, one), 'kme.unavailable', { status: 504 });
      faults.unavailable = 1;
      assert.equal((await alice.getStatus(BOB)).sourceKmeId, 'KME-A');
      Object.assign(faults, { unavailable: 4, unavailableStatus: 503 });
      await fails(alice.getKeys(BOB, one), 'kme.unavailable', { status: 503, reason: 'try again later' });
      assert.equal(faults.unavailable, 0);
    });

    it('peer key manager down: kme.unavailable', async () => {
      await start();
      world.pair.faults('KME-A').peer = 'down';
      await fails(alice.getKeys(BOB, one), 'kme.unavailable', { status: 503, reason: 'peer KME is not reachable' });
      world.pair.faults('KME-A').peer = 'up';
      await world.pair.stop('KME-B');
      await fails(alice.getKeys(BOB, one), 'kme.unavailable');
    });

    it('`Keys` instead of `keys` is understood', async () => {
      await start();
      world.pair.faults('KME-A').containerMember = 'Keys';
      world.pair.faults('KME-B').containerMember = 'Keys';
      const keys = await alice.getKeys(BOB, one);
      assert.deepEqual(await bob.getKeysWithIds(ALICE, idsOf(keys)), keys);
    });

    it('redelivery within one call is kme.bad-answer; across calls the ledger has to refuse it', async () => {
      await start();
      const faults = world.pair.faults('KME-A');
      const [first] = await alice.getKeys(BOB, one);
      faults.redelivery = 1;
      assert.deepEqual(await alice.getKeys(BOB, one), [first]);
      Object.assign(faults, { shortBatch: 1 });
      const two = alice.getKeys(BOB, { number: 2, size: 256 });
      faults.redelivery = 0;
      assert.equal((await two).length, 2);
      faults.redelivery = 2;
      await fails(alice.getKeys(BOB, { number: 2, size: 256 }), 'kme.bad-answer', { reason: 'duplicate-id' });
    });

    it('Connection: close after every answer is tolerated', async () => {
      await start();
      world.pair.faults('KME-A').connection = 'close';
      for (let i = 0; i < 5; i++) assert.equal((await alice.getKeys(BOB, one)).length, 1);
    });

    it('a key manager restarted between two calls is found again', async () => {
      await start();
      await alice.getStatus(BOB);
      for (let round = 0; round < 3; round++) {
        await world.pair.stop('KME-A');
        await world.pair.start('KME-A');
        assert.equal((await alice.getStatus(BOB)).sourceKmeId, 'KME-A');
      }
    });

    it('multicast off or ignored: refused here, so that nobody is left without a key', async () => {
      await start();
      for (const multicast of ['off', 'ignored'] as const) {
        world.pair.faults('KME-A').multicast = multicast;
        await alice.getStatus(BOB);
        await fails(alice.getKeys(BOB, { ...one, additionalSlaveSaeIds: [CAROL] }), 'kme.bad-request', {
          reason: 'max_SAE_ID_count',
          limit: 0,
          wanted: 1,
        });
      }
      assert.equal(world.pair.deliveries.length, 0);
    });

    it('one key per request: key IDs are asked for one by one', async () => {
      await start();
      world.pair.faults('KME-A').keysPerRequest = 'one';
      world.pair.faults('KME-B').keysPerRequest = 'one';
      assert.equal((await alice.getStatus(BOB)).maxKeyPerRequest, 1);
      // Asked for two all the same, it refuses, and the client learns to ask for one at a time.
      const keys = await alice.getKeys(BOB, { number: 2, size: 256 });
      assert.deepEqual(await bob.getKeysWithIds(ALICE, idsOf(keys)), keys);
    });

    it('a key not found is kme.key-not-found under every status that is used for it, the raw one kept', async () => {
      await start();
      for (const status of [400, 401, 404, 500] as const) {
        world.pair.faults('KME-B').notFoundStatus = status;
        await fails(bob.getKeysWithIds(ALICE, ['no-such-key']), 'kme.key-not-found', { status });
      }
    });

    it('a key for somebody else is kme.unauthorised', async () => {
      await start();
      const [key] = await alice.getKeys(BOB, one);
      await fails((await world.client(CAROL)).getKeysWithIds(ALICE, [key!.keyId]), 'kme.unauthorised', { status: 401 });
    });

    it('a bad request is kme.bad-request with the words of the key manager, not retried', async () => {
      await start({ maxKeySize: 512 });
      await fails(alice.getKeys(BOB, { number: 1, size: 1024 }), 'kme.bad-request', {
        status: 400,
        reason: 'size shall be between min_key_size and max_key_size',
      });
    });

    it('keys that betray themselves are refused by name', async () => {
      await start();
      for (const betrayal of ['id-from-key', 'key-from-id'] as const) {
        world.pair.faults('KME-A').betrayal = betrayal;
        const error = await fails(alice.getKeys(BOB, one), 'key.betrayed', { how: betrayal });
        assert.equal(error.details['keyId'], world.pair.deliveries.at(-1)?.keyId);
      }
    });

    it('keys that came before a failure are there for the next call', async () => {
      await start({ maxKeyPerRequest: 1 });
      const keys = [...(await alice.getKeys(BOB, one)), ...(await alice.getKeys(BOB, one))];
      await fails(bob.getKeysWithIds(ALICE, [keys[0]!.keyId, 'no-such-key', keys[1]!.keyId]), 'kme.key-not-found');
      assert.deepEqual(await bob.getKeysWithIds(ALICE, idsOf(keys)), keys);
      assert.equal(world.pair.deliveries.length, 4);
    });

    it('keys that the caller could not store are there for the next call, those it stored are not given twice', async () => {
      await start({ maxKeyPerRequest: 1 });
      const keys = [...(await alice.getKeys(BOB, one)), ...(await alice.getKeys(BOB, one)), ...(await alice.getKeys(BOB, one))];
      const stored: string[] = [];
      const diskFull = (batch: readonly DeliveredKey[]): void => {
        if (stored.length === 1) throw new QuMailError('store.full');
        stored.push(...idsOf(batch));
      };
      await fails(bob.getKeysWithIds(ALICE, idsOf(keys), undefined, diskFull), 'store.full');
      assert.deepEqual(stored, [keys[0]!.keyId]);
      assert.deepEqual(await bob.getKeysWithIds(ALICE, idsOf(keys.slice(1))), keys.slice(1));
      assert.equal(world.pair.deliveries.filter((delivery) => delivery.verb === 'dec_keys').length, 3);
    });

    it('a key manager that tells a slave no status still gives it keys', async () => {
      await start();
      const bodies: unknown[] = [];
      const bytes = [randomBytes(32), randomBytes(32)];
      const server = await foreign((request, response) => {
        if (request.method === 'GET') return void response.writeHead(401).end();
        request.on('data', (chunk: Buffer) => bodies.push(JSON.parse(chunk.toString())));
        request.on('end', () =>
          response.end(JSON.stringify({ keys: bytes.map((key, i) => ({ key_ID: `k${i}`, key: key.toString('base64') })) })),
        );
      });
      const client = await clientOf(server, { quirks: 'master-in-key-ids' });
      assert.deepEqual(
        (await client.getKeysWithIds(BOB, ['k0', 'k1'])).map((key) => key.bytes),
        bytes,
      );
      assert.deepEqual(bodies, [
        {
          key_IDs: [
            { key_ID: 'k0', master_SAE_ID: BOB },
            { key_ID: 'k1', master_SAE_ID: BOB },
          ],
        },
      ]);
    });

    it('cancelling ends a call at once with engine.cancelled', async () => {
      await start();
      world.pair.faults('KME-A').delayMs = 5_000;
      const abort = new AbortController();
      const call = alice.getKeys(BOB, one, abort.signal);
      setImmediate(() => abort.abort());
      await fails(call, 'engine.cancelled');
      await fails(alice.getKeys(BOB, one, AbortSignal.abort()), 'engine.cancelled');
    });

    it('disposing ends every call with engine.stopped, closes every socket, and no call starts any more', async () => {
      await start();
      world.pair.faults('KME-A').delayMs = 5_000;
      const calls = [alice.getStatus(BOB), alice.getKeys(BOB, one)].map((call) => fails(call, 'engine.stopped'));
      setImmediate(() => alice.dispose());
      await Promise.all(calls);
      await fails(alice.getStatus(BOB), 'engine.stopped');
    });

    it('after six failures in a row it does not knock for a while, then tries once', async () => {
      await start();
      let now = 0;
      const clock = { ...impatientClock(), now: () => now };
      const client = await world.client(ALICE, { clock });
      await world.pair.stop('KME-A');
      await fails(client.getStatus(BOB), 'kme.unreachable');
      await fails(client.getStatus(BOB), 'kme.unreachable', { retryInMs: 15_000 });
      await world.pair.start('KME-A');
      now = 14_999;
      await fails(client.getStatus(BOB), 'kme.unreachable', { retryInMs: 1 });
      now = 15_000;
      assert.equal((await client.getStatus(BOB)).sourceKmeId, 'KME-A');
    });
  });

  describe('talking to something else', () => {
    const container = (...keys: [string, Buffer][]): string =>
      JSON.stringify({ keys: keys.map(([id, key]) => ({ key_ID: id, key: key.toString('base64') })) });
    const answering = async (body: string | Buffer, status = 200, headers = {}): Promise<KmeClient> => {
      await start();
      return clientOf(await foreign((_request, response) => void response.writeHead(status, headers).end(body)));
    };

    it('refuses unrequested IDs, duplicate IDs, duplicate keys and wrong lengths', async () => {
      const a = randomBytes(32);
      const b = randomBytes(32);
      const client = await answering('');
      const say = async (body: string, reason: string, work: (to: KmeClient) => Promise<unknown>): Promise<void> => {
        const to = await clientOf(await foreign((_request, response) => void response.end(body)));
        await fails(work(to), 'kme.bad-answer', { reason });
      };
      client.dispose();
      await say(container(['z', a]), 'unrequested-id', (to) => to.getKeysWithIds(BOB, ['x']));
      await say(container(['x', a], ['x', b]), 'duplicate-id', (to) => to.getKeysWithIds(BOB, ['x']));
      await say(container(['x', a], ['y', a]), 'duplicate-key', (to) => to.getKeys(BOB, { number: 2, size: 256 }));
      await say(container(['x', a], ['y', b]), 'too-many-keys', (to) => to.getKeys(BOB, one));
      await say(container(['x', a.subarray(1)]), 'key-length', (to) => to.getKeys(BOB, one));
      await say(container(['x', Buffer.alloc(0)]), 'key-length', (to) => to.getKeysWithIds(BOB, ['x']));
    });

    it('matches by ID, not by order', async () => {
      const [a, b] = [randomBytes(32), randomBytes(32)];
      const client = await answering(container(['b', b], ['a', a]));
      assert.deepEqual(await client.getKeysWithIds(BOB, ['a', 'b']), [
        { keyId: 'a', bytes: a },
        { keyId: 'b', bytes: b },
      ]);
    });

    it('follows no redirect', async () => {
      const client = await answering('{}', 302, { Location: world?.pair.url('KME-A') ?? 'https://127.0.0.1/' });
      await fails(client.getStatus(BOB), 'kme.bad-answer', { status: 302, reason: 'redirect' });
    });

    it('reads no more than 1 MiB', async () => {
      const client = await answering(Buffer.alloc(1_048_577, 0x20));
      await fails(client.getStatus(BOB), 'net.too-large', { limit: 1_048_576 });
    });

    it('an answer cut in the middle is no answer', async () => {
      await start();
      const client = await clientOf(
        await foreign((request, response) => {
          response.writeHead(200, { 'Content-Length': 1000 }).write('{"keys":');
          setImmediate(() => request.socket.destroy());
        }),
      );
      await fails(client.getKeys(BOB, one), 'kme.unreachable', { sent: 'sent' });
    });

    it('422 is permanent, 500 with JSON is kme.unavailable, garbage that is not HTTP is kme.bad-answer', async () => {
      await fails((await answering('{"detail":"no"}', 422)).getKeys(BOB, one), 'kme.bad-request', { status: 422, reason: 'no' });
      await fails((await answering('{"title":"oops"}', 500)).getKeys(BOB, one), 'kme.unavailable', { status: 500, reason: 'oops' });
      const own = await issueServer(['KME-A']);
      const garbage = createTlsServer(
        { cert: own.certPem, key: own.keyPem },
        (socket: TLSSocket) => void socket.on('error', () => {}).end('SMTP? 220 hello\r\n'),
      );
      await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
      try {
        const client = await world.client(ALICE, { profile: { url: `https://127.0.0.1:${(garbage.address() as AddressInfo).port}` } });
        await fails(client.getStatus(BOB), 'kme.bad-answer');
      } finally {
        garbage.close();
      }
    });
  });

  // A server of the test authority that answers what a test tells it to.
  const servers: Server[] = [];
  async function foreign(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    options: ServerOptions = {},
  ): Promise<Server> {
    const own = await issueServer(['KME-A']);
    const server = createHttpsServer({ cert: own.certPem, key: own.keyPem, ...options }, answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }
  const clientOf = (server: Server, profile: Partial<KmeProfile> = {}): Promise<KmeClient> =>
    world.client(ALICE, { profile: { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, ...profile } });
  const deps = () => ({
    clock: impatientClock(),
    random: { bytes: randomBytes, uuid: randomUUID, fraction: () => 0 },
    log: { info() {}, warn() {} } as never,
  });
  const badField =
    (field: string) =>
    (error: unknown): boolean =>
      QuMailError.is(error, 'account.bad-settings') && error.details['field'] === field;

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });
});
