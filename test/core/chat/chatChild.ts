/**
 * A window that says one line in a chat and is killed between the two halves of it: `node chatChild.ts STORAGE SECRETS SETTINGS CHAT TEXT`.
 * The halves are the envelopes for members with a link and for those without.
 */
import { QuMailCore } from '../../../src/core/qumailCore.ts';
import { OutboxStore } from '../../../src/core/store/outbox.ts';
import { folderSecrets } from '../store/vaultFixture.ts';

const [storageDir = '', secretsDir = '', settings = '{}', chatId = '', text = ''] = process.argv.slice(2);
const original = OutboxStore.prototype.add;
let halves = 0;
OutboxStore.prototype.add = function (record) {
  halves += 1;
  if (halves === 2) {
    process.kill(process.pid, 'SIGKILL');
    // The signal takes a moment; nothing more may happen in it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
  }
  return original.call(this, record);
};
const engine = await QuMailCore.open({
  storageDir,
  secrets: folderSecrets(secretsDir),
  openBrowser: async () => false,
  log: () => {},
  settings: JSON.parse(settings),
});
await engine.sendChatMessage({ chatId, text });
// Still connecting: it waits until the account is online.
setInterval(() => {}, 1000);
