/** The engine's entry in a worker thread: ports in, QuMailCore, RPC out. Bundled to dist/engine.cjs. */
import { parentPort, workerData } from 'node:worker_threads';
import * as v from 'valibot';
import type { EngineSettings } from './api.ts';
import { QuMailError } from './base/errors.ts';
import { toDisposable } from './base/lifetime.ts';
import { serveEngine } from './engineServer.ts';
import { QuMailCore } from './qumailCore.ts';

const StartData = v.object({
  storageDir: v.pipe(v.string(), v.minLength(1)),
  world: v.picklist(['real', 'lab']),
  secretsAreDurable: v.optional(v.boolean()),
  settings: v.optional(v.custom<Partial<EngineSettings>>((value) => typeof value === 'object' && value !== null)),
});

const port = parentPort;
if (port) {
  serveEngine(
    {
      postMessage: (value) => port.postMessage(value),
      onMessage: (listener) => {
        port.on('message', listener);
        return toDisposable(() => port.off('message', listener));
      },
    },
    async (host) => {
      const start = v.safeParse(StartData, workerData);
      if (!start.success) throw new QuMailError('engine.bad-request');
      return QuMailCore.open({
        ...host,
        storageDir: start.output.storageDir,
        world: start.output.world,
        secretsAreDurable: start.output.secretsAreDurable ?? true,
        settings: start.output.settings ?? {},
      });
    },
    () => port.close(),
  );
}
