import { Worker } from 'node:worker_threads';
import { ERROR_CODES, QuMailError, type LabWorld } from '../../core/api.ts';

/** The running lab: mail host and key managers in a thread of their own. */
export interface LabWorker {
  readonly world: LabWorld;
  /** Resolves when the thread is gone, for whatever reason. */
  readonly ended: Promise<void>;
  end(): Promise<void>;
}

/** The lab's first and only message. */
type FirstMessage = { readonly kind: 'ready'; readonly world: LabWorld } | { readonly kind: 'failed'; readonly code: string };

/**
 * Starts dist/lab.cjs and waits until its servers listen.
 * @throws QuMailError with the code the lab names, `engine.stopped` where it ends without a word, `engine.cancelled`
 */
export async function startLabWorker(script: string, signal: AbortSignal): Promise<LabWorker> {
  const worker = new Worker(script, { execArgv: [], name: 'qumail-demo-lab' });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  try {
    const world = await new Promise<LabWorld>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new QuMailError('engine.cancelled')), { once: true });
      worker.on('error', (error) => reject(new QuMailError('engine.stopped', {}, { cause: error })));
      worker.once('exit', () => reject(new QuMailError('engine.stopped')));
      worker.once('message', (message: FirstMessage) => {
        if (message.kind === 'ready') resolve(message.world);
        else reject(new QuMailError(ERROR_CODES.find((code) => code === message.code) ?? 'engine.internal'));
      });
    });
    return { world, ended, end: async () => void (await worker.terminate()) };
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}
