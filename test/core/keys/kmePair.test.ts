import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { ALICE, BOB, CAROL, startKmeWorld, type KmeWorld } from '../../world/kmeWorld.ts';
import type { KmePairOptions } from '../../../src/core/lab/kmePair.ts';

interface Said {
  readonly status: number;
  readonly body: { keys?: { key_ID: string; key: string }[]; message?: string } & Record<string, unknown>;
  readonly text: string;
}

/** A plain HTTPS client with the certificate of `as`, so that these tests do not lean on KmeClient. */
async function say(
  world: KmeWorld,
  as: string | undefined,
  at: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<Said> {
  const own = as === undefined ? undefined : await world.pair.client(as);
  return new Promise((resolve, reject) => {
    const options = { method, agent: false, ca: world.pair.caPem, ...(own === undefined ? {} : { cert: own.certPem, key: own.keyPem }) };
    const request = httpsRequest(`${world.pair.url(at)}/api/v1/keys/${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : {}, text });
      });
    });
    request.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe('the pair of key managers', () => {
  let world: KmeWorld;
  const start = async (options: Partial<KmePairOptions> = {}): Promise<KmeWorld> => (world = await startKmeWorld(options));
  const encKeys = (body: unknown, at = 'KME-A', as = ALICE, peer = BOB): Promise<Said> =>
    say(world, as, at, 'POST', `${peer}/enc_keys`, body);
  const decKeys = (ids: readonly string[], as = BOB, at = 'KME-B', master = ALICE): Promise<Said> =>
    say(world, as, at, 'POST', `${master}/dec_keys`, { key_IDs: ids.map((id) => ({ key_ID: id })) });
  const ids = (said: Said): string[] => said.body.keys!.map((key) => key.key_ID);

  afterEach(() => world.dispose());

  it('gives both sides the same key, once each', async () => {
    await start();
    const given = await encKeys({ number: 2, size: 512 });
    assert.equal(given.status, 200);
    assert.deepEqual(
      given.body.keys?.map((key) => Buffer.from(key.key, 'base64').length),
      [64, 64],
    );
    const fetched = await decKeys(ids(given));
    assert.deepEqual(fetched.body, given.body);
    const again = await decKeys(ids(given));
    assert.deepEqual([again.status, again.body], [400, { message: 'one or more keys specified are not found on KME' }]);
  });

  it('tells its status in the words of the standard', async () => {
    await start({ stock: 10, maxKeyPerRequest: 5, maxKeySize: 1024, maxSaeIdCount: 3 });
    const { body } = await say(world, ALICE, 'KME-A', 'GET', `${BOB}/status`);
    assert.deepEqual(body, {
      source_KME_ID: 'KME-A',
      target_KME_ID: 'KME-B',
      master_SAE_ID: ALICE,
      slave_SAE_ID: BOB,
      key_size: 256,
      stored_key_count: 10,
      max_key_count: 10,
      max_key_per_request: 5,
      max_key_size: 1024,
      min_key_size: 64,
      max_SAE_ID_count: 3,
    });
  });

  it('answers GET with number and size, and GET for exactly one key ID', async () => {
    await start();
    const one = await say(world, ALICE, 'KME-A', 'GET', `${BOB}/enc_keys`);
    assert.equal(one.body.keys?.length, 1);
    const two = await say(world, ALICE, 'KME-A', 'GET', `${BOB}/enc_keys?number=2&size=128`);
    assert.equal(two.body.keys?.length, 2);
    const fetched = await say(world, BOB, 'KME-B', 'GET', `${ALICE}/dec_keys?key_ID=${ids(one)[0]}`);
    assert.deepEqual(fetched.body, one.body);
    const both = ids(two)
      .map((id) => `key_ID=${id}`)
      .join('&');
    assert.equal((await say(world, BOB, 'KME-B', 'GET', `${ALICE}/dec_keys?${both}`)).status, 400);
  });

  it('lets nobody in without a certificate of its authority', async () => {
    await start();
    await assert.rejects(say(world, undefined, 'KME-A', 'GET', `${BOB}/status`));
  });

  it('takes the SAE ID from the certificate: a stranger, and an SAE of the other key manager, get 401 without a body', async () => {
    await start();
    for (const as of ['SAE-MALLORY', BOB]) {
      const said = await encKeys({}, 'KME-A', as, CAROL);
      assert.deepEqual([said.status, said.text], [401, '']);
    }
  });

  it('gives a key to nobody but those named for it', async () => {
    await start();
    const given = await encKeys({});
    const stolen = await decKeys(ids(given), CAROL);
    assert.deepEqual([stolen.status, stolen.text], [401, '']);
    assert.equal((await decKeys(ids(given), BOB, 'KME-B', CAROL)).status, 400); // another master
    assert.equal((await decKeys(ids(given))).status, 200);
  });

  it('removes all the keys of a request or none of them', async () => {
    await start();
    const given = await encKeys({ number: 2 });
    assert.equal((await decKeys([...ids(given), 'no-such-key'])).status, 400);
    assert.equal((await decKeys(ids(given))).status, 200);
  });

  it('refuses bad requests with the exact texts of the standard', async () => {
    await start({ maxKeyPerRequest: 3, maxKeySize: 1024 });
    const texts: [unknown, string][] = [
      [{ size: 100 }, 'size shall be a multiple of 8'],
      [{ extension_mandatory: [{ route: 1 }] }, 'not all extension_mandatory parameters are supported'],
      [{ size: 2048 }, 'size shall be between min_key_size and max_key_size'],
      [{ number: 4 }, 'number shall not exceed max_key_per_request'],
      [{ number: 0 }, 'malformed key request'],
      ['nonsense', 'malformed key request'],
    ];
    for (const [body, message] of texts) {
      const said = await encKeys(body);
      assert.deepEqual([said.status, said.body], [400, { message }]);
    }
    assert.equal((await encKeys({}, 'KME-A', ALICE, 'SAE-NOBODY')).status, 400);
    assert.equal((await encKeys({}, 'KME-A', ALICE, '%ff')).status, 400);
    assert.equal((await say(world, ALICE, 'KME-A', 'GET', `${BOB}/all_keys`)).status, 404);
  });

  it('serves one key to several slaves, each once, and knows no more of it after the last', async () => {
    await start({ maxSaeIdCount: 1 });
    const given = await encKeys({ additional_slave_SAE_IDs: [CAROL] });
    for (const slave of [BOB, CAROL]) assert.deepEqual((await decKeys(ids(given), slave)).body, given.body);
    assert.equal((await decKeys(ids(given), BOB)).status, 400);
    assert.equal((await encKeys({ additional_slave_SAE_IDs: [CAROL, 'SAE-X'] })).status, 400);
  });

  it('answers 503 when the stock is used up, takes nothing then, and refills at the rate of the link', async () => {
    let now = 1_000_000;
    await start({ stock: 4, rate: 256, clock: { now: () => now, after: () => ({ dispose() {} }), sleep: () => Promise.resolve() } });
    assert.equal((await encKeys({ number: 3 })).status, 200);
    assert.equal((await encKeys({ number: 2 })).status, 503);
    assert.equal((await encKeys({ number: 1 })).status, 200);
    assert.equal((await encKeys({ number: 1 })).status, 503);
    now += 2_500;
    assert.equal(world.pair.stock('KME-A', 'KME-B'), 640);
    assert.equal((await encKeys({ number: 2 })).status, 200);
    now += 3_600_000;
    assert.equal(world.pair.stock('KME-B', 'KME-A'), 4 * 256);
  });

  it('never gives one key to two who ask at the same time', async () => {
    await start({ stock: 40 });
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? encKeys({ number: 5 }) : encKeys({ number: 5 }, 'KME-B', BOB, ALICE))),
    );
    const given = asked.filter((said) => said.status === 200).flatMap((said) => said.body.keys!);
    assert.equal(given.length, 40);
    assert.equal(new Set(given.map((key) => key.key_ID)).size, 40);
    assert.equal(new Set(given.map((key) => key.key)).size, 40);
  });

  it('writes down who got which key ID by which method, and never a key', async () => {
    await start();
    const given = await encKeys({});
    await decKeys(ids(given));
    assert.deepEqual(
      world.pair.deliveries.map(({ kmeId, saeId, peerSaeIds, keyId, verb }) => ({ kmeId, saeId, peerSaeIds, keyId, verb })),
      [
        { kmeId: 'KME-A', saeId: ALICE, peerSaeIds: [BOB], keyId: ids(given)[0], verb: 'enc_keys' },
        { kmeId: 'KME-B', saeId: BOB, peerSaeIds: [ALICE], keyId: ids(given)[0], verb: 'dec_keys' },
      ],
    );
    assert.ok(!JSON.stringify(world.pair.deliveries).includes(given.body.keys![0]!.key));
  });

  it('links more than two key managers, each pair with a stock of its own', async () => {
    await start({
      kmes: ['K1', 'K2', 'K3'],
      saes: [
        { saeId: ALICE, kmeId: 'K1' },
        { saeId: BOB, kmeId: 'K2' },
        { saeId: CAROL, kmeId: 'K3' },
      ],
      stock: 2,
    });
    assert.equal((await encKeys({ number: 2 }, 'K1')).status, 200);
    assert.equal((await encKeys({}, 'K1')).status, 503);
    const given = await encKeys({ number: 1 }, 'K1', ALICE, CAROL);
    assert.equal((await decKeys(ids(given), CAROL, 'K3')).status, 200);
    assert.equal((await encKeys({ additional_slave_SAE_IDs: [CAROL] }, 'K1')).status, 503); // every link must pay
    assert.equal(world.pair.stock('K1', 'K3'), 256);
  });
});
