/** An engine in a process of its own, to be killed: see actionsKilled.test.ts. Told what to move over IPC, says when it is journaled. */
import { QuMailCore } from '../../../src/core/qumailCore.ts';
import { folderSecrets } from '../store/vaultFixture.ts';

const [storageDir = '', secretsDir = '', settings = '{}'] = process.argv.slice(2);

const engine = await QuMailCore.open({
  storageDir,
  secrets: folderSecrets(secretsDir),
  openBrowser: async () => false,
  log: () => {},
  settings: JSON.parse(settings),
});
process.on('message', (request) => {
  const { messageIds, folder } = request as { messageIds: number[]; folder: string };
  void engine
    .setFlags({ messageIds, add: ['flagged'], remove: [] })
    .then(() => engine.moveMessages({ messageIds, folder }))
    .then(() => process.send?.({ journaled: true }));
});
await engine.fetchMail({});
process.send?.({ ready: true });
