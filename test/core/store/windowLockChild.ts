/** Another window that takes a lock and does not give it back: `node windowLockChild.ts FOLDER hold|hang`. See windowLock.test.ts. */
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { WindowLock } from '../../../src/core/store/windowLock.ts';

const [folder = '', task] = process.argv.slice(2);
const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
const lock = new WindowLock({ db, clock: systemClock, random: systemRandom });

await lock.run('work', 300, async () => {
  process.send?.('holding');
  // A thread that computes for ever, or a debugger at a breakpoint: alive, and silent.
  if (task === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  await new Promise(() => {
    setInterval(() => {}, 1000);
  });
});
