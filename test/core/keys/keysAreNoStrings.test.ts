import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Log, type LogFact } from '../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { KmeClient, type DeliveredKey } from '../../../src/core/keys/kmeClient.ts';
import { issueClient, issueServer, testCaPem } from '../../world/pki.ts';
import { newKeys } from './ledgerWorld.ts';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Every way by which JavaScript makes a string of bytes, or takes one in to parse. */
const DOORS: readonly [object, string][] = [
  ...['toString', 'utf8Slice', 'latin1Slice', 'asciiSlice', 'base64Slice', 'base64urlSlice', 'hexSlice', 'ucs2Slice'].map(
    (name): [object, string] => [Buffer.prototype, name],
  ),
  [TextDecoder.prototype, 'decode'],
  [JSON, 'parse'],
  [String, 'fromCharCode'],
  [globalThis, 'atob'],
];

/** Runs `work` and returns every string that came through one of the doors meanwhile. */
async function stringsMadeBy(work: () => Promise<void>): Promise<string[]> {
  const strings: string[] = [];
  const restore = DOORS.map(([owner, name]) => {
    const original = Reflect.get(owner, name) as Method;
    Reflect.set(owner, name, function watched(this: unknown, ...args: unknown[]) {
      const result = original.apply(this, args);
      for (const value of [...args, result]) if (typeof value === 'string') strings.push(value);
      return result;
    });
    return () => Reflect.set(owner, name, original);
  });
  try {
    await work();
  } finally {
    for (const undo of restore) undo();
  }
  return strings;
}

describe('key material in the memory of the engine', () => {
  it('never becomes a string on the way from the socket to the caller, in any encoding', async () => {
    const keys = newKeys(4);
    const container = (some: readonly DeliveredKey[]): string =>
      JSON.stringify({ keys: some.map(({ keyId, bytes }) => ({ key_ID: keyId, key: bytes.toString('base64') })) });
    const answers: Record<string, string> = {
      enc_keys: container(keys.slice(0, 2)),
      dec_keys: container(keys.slice(2)),
      status: '{"max_key_per_request":16}',
    };
    const own = await issueServer(['KME-A']);
    const server = createServer({ cert: own.certPem, key: own.keyPem }, (request, response) => {
      request.resume().on('end', () => response.end(answers[request.url!.split('/').at(-1)!]));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const told: Record<string, LogFact>[] = [];
    const client = new KmeClient(
      { url, kmeId: 'KME-A', saeId: 'SAE-ME', caPem: await testCaPem(), client: await issueClient('SAE-ME'), world: 'real' },
      { clock: systemClock, random: systemRandom, log: new Log((entry) => told.push(entry.facts), 'kme') },
    );
    try {
      const got: DeliveredKey[] = [];
      const strings = await stringsMadeBy(async () => {
        got.push(...(await client.getKeys('SAE-PEER', { number: 2, size: 256 })));
        got.push(
          ...(await client.getKeysWithIds(
            'SAE-PEER',
            keys.slice(2).map((key) => key.keyId),
          )),
        );
      });
      assert.deepEqual(got, keys);
      for (const { keyId } of keys)
        assert.ok(
          strings.some((text) => text.includes(keyId)),
          'the doors were watched',
        );
      const all = JSON.stringify([strings, told]);
      for (const { bytes } of keys) {
        for (const encoding of ['base64', 'base64url', 'hex', 'latin1', 'utf8'] as const) {
          assert.ok(!all.includes(JSON.stringify(bytes.toString(encoding)).slice(1, 15)), `a key became ${encoding}`);
        }
      }
    } finally {
      client.dispose();
      server.close();
      server.closeAllConnections();
    }
  });
});
