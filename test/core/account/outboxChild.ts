/** An engine in a process of its own, to be killed: see outboxKilled.test.ts. Told what to send over IPC, tells its events. */
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
engine.onEvent((event) => process.send?.({ event }));
process.on('message', (request) => {
  engine.sendDraft(request as { draftId: string; text: string }).then(
    (result) => process.send?.({ result }),
    (error: { code?: string }) => process.send?.({ code: error.code }),
  );
});
process.send?.({ ready: true });
