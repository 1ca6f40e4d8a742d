/** A worker that asks a key manager for keys and keeps them: what keysAreNoStrings.test.ts looks into. */
import { parentPort, workerData } from 'node:worker_threads';
import { Log } from '../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { KmeClient, type DeliveredKey, type KmeProfile } from '../../../src/core/keys/kmeClient.ts';

const { profile, keyIds } = workerData as { profile: KmeProfile; keyIds: string[] };
const client = new KmeClient(profile, { clock: systemClock, random: systemRandom, log: new Log(() => {}, 'kme') });
const kept: DeliveredKey[] = [
  ...(await client.getKeys('SAE-PEER', { number: 2, size: 256 })),
  ...(await client.getKeysWithIds('SAE-PEER', keyIds)),
];
parentPort?.postMessage(kept.map((key) => key.bytes.length));
parentPort?.on('message', () => {
  client.dispose();
  process.exit(kept.length);
});
