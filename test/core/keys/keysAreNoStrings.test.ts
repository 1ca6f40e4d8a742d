import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { issueClient, issueServer, testCaPem } from '../../world/pki.ts';
import { newKeys } from './ledgerWorld.ts';

describe('key material in the memory of the engine', () => {
  it('is nowhere in the JavaScript heap: neither a key nor the answer it came in has become a string', async () => {
    const keys = newKeys(4);
    const answers: Record<string, string> = {
      enc_keys: container(keys.slice(0, 2)),
      dec_keys: container(keys.slice(2)),
      status: '{"max_key_per_request":16,"source_KME_ID":"control-string-of-this-test"}',
    };
    const own = await issueServer(['KME-A']);
    const server = createServer({ cert: own.certPem, key: own.keyPem }, (request, response) => {
      request.resume().on('end', () => response.end(answers[request.url!.split('/').at(-1)!]));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const profile = { url, kmeId: 'KME-A', saeId: 'SAE-ME', caPem: await testCaPem(), client: await issueClient('SAE-ME'), world: 'real' };
    const worker = new Worker(new URL('heapWorker.ts', import.meta.url), { workerData: { profile, keyIds: keys.slice(2).map((key) => key.keyId) } });
    try {
      const [lengths] = (await once(worker, 'message')) as [number[]];
      assert.deepEqual(lengths, [32, 32, 32, 32]);
      const chunks: Buffer[] = [];
      for await (const chunk of await worker.getHeapSnapshot()) chunks.push(Buffer.from(chunk as Buffer));
      const heap = Buffer.concat(chunks).toString('utf8');
      assert.ok(heap.includes('control-string-of-this-test') && heap.includes(keys[0]!.keyId), 'the search would find a string');
      for (const { bytes } of keys) {
        for (const form of [bytes.toString('base64'), bytes.toString('hex'), bytes.toString('base64url')]) {
          assert.ok(!heap.includes(form.slice(0, 20)), 'a key became a string');
        }
      }
      worker.postMessage('stop');
      assert.deepEqual(await once(worker, 'exit'), [4]);
    } finally {
      await worker.terminate();
      server.close();
      server.closeAllConnections();
    }
  }).timeout(30_000);
});

function container(keys: readonly { keyId: string; bytes: Buffer }[]): string {
  return JSON.stringify({ keys: keys.map(({ keyId, bytes }) => ({ key_ID: keyId, key: bytes.toString('base64') })) });
}
