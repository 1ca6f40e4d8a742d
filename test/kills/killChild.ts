/**
 * One window to be killed: `node killChild.ts STORAGE SECRETS PRODUCED SETTINGS`. It opens an engine, does what it is told over IPC, and writes
 * every MIME message it produces to the folder PRODUCED.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { QuMailCore } from '../../src/core/qumailCore.ts';
import { folderSecrets } from '../core/store/vaultFixture.ts';
import { installPoints, watchMime } from './points.ts';

/** What a window is told. */
export type Order =
  | { readonly do: 'arm'; readonly at?: number }
  | { readonly do: 'count' }
  | { readonly do: 'send'; readonly draft: { draftId: string; text: string } };
/** What a window tells. */
export type Word = { readonly ready: true } | { readonly armed: true } | { readonly points: number } | { readonly sent: string };

const [storageDir = '', secretsDir = '', produced = '', settings = '{}'] = process.argv.slice(2);
const points = installPoints();
watchMime((mime) => writeFileSync(join(produced, `${createHash('sha256').update(mime).digest('hex')}.eml`), mime));
const tell = (word: Word): void => void process.send?.(word);

const engine = await QuMailCore.open({
  storageDir,
  secrets: folderSecrets(secretsDir),
  openBrowser: async () => false,
  log: () => {},
  settings: JSON.parse(settings),
});
process.on('message', (order: Order) => {
  if (order.do === 'arm') {
    points.arm(order.at, (point) => appendFileSync(join(produced, 'points.log'), `${point}\n`));
    tell({ armed: true });
  } else if (order.do === 'count') {
    tell({ points: points.count() });
  } else {
    engine.sendDraft(order.draft).then(
      () => tell({ sent: 'sent' }),
      (error: { code?: string }) => tell({ sent: error.code ?? 'unknown' }),
    );
  }
});
tell({ ready: true });
