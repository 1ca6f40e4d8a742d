/** The lab's entry in a worker thread: mail host and key managers up, one message with where they are. Bundled to dist/lab.cjs. */
import { parentPort } from 'node:worker_threads';
import { QuMailError } from '../base/errors.ts';
import { startLab } from './lab.ts';

const port = parentPort;
if (port) {
  startLab().then(
    ({ world }) => port.postMessage({ kind: 'ready', world }),
    (error: unknown) => port.postMessage({ kind: 'failed', code: QuMailError.from(error).code }),
  );
}
