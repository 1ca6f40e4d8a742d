import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleEngine } from '../world/bundleEngine.ts';
import { connectEngine, QuMailError, type EngineSettings, type LogSink, type QuMailApi } from '../../src/core/api.ts';

/** What an engine in a process of its own is opened with. */
export interface EngineProcessOptions {
  readonly storageDir: string;
  /** The secret store, which outlives the process as the editor's does. */
  readonly secrets: Map<string, string>;
  readonly settings: Partial<EngineSettings>;
  readonly log?: LogSink;
  /** How far its clock is ahead already, milliseconds; default 0. */
  readonly ahead?: number;
}

/** The engine bundled once, to be started many times: a fresh process of it answers after a quarter of a second. */
export class EngineProgram {
  readonly #dir = mkdtempSync(join(tmpdir(), 'qumail-engine-'));
  readonly #running = new Set<EngineProcess>();

  static async bundle(): Promise<EngineProgram> {
    const program = new EngineProgram();
    await bundleEngine({
      entry: fileURLToPath(new URL('./engineProcessChild.ts', import.meta.url)),
      outfile: program.#file,
      size: 'readable',
    });
    return program;
  }

  get #file(): string {
    return join(this.#dir, 'engine.cjs');
  }

  /** Starts an engine; its requests wait until it is open. */
  start(options: EngineProcessOptions): EngineProcess {
    const engine = new EngineProcess(this.#file, options);
    this.#running.add(engine);
    void engine.gone.then(() => this.#running.delete(engine));
    return engine;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#running].map((engine) => engine.kill()));
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** An engine in a process of its own, which may be killed at any moment. What it was asked then rejects with `engine.stopped`. */
export class EngineProcess {
  readonly engine: QuMailApi;
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;

  constructor(file: string, { storageDir, secrets, settings, log, ahead = 0 }: EngineProcessOptions) {
    const args = [JSON.stringify({ storageDir, settings, ahead })];
    this.#child = fork(file, args, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
    this.gone = once(this.#child, 'exit').then(() => {});
    const child = this.#child;
    const engine = connectEngine(
      {
        postMessage: (value) => void (child.connected && child.send(value as object, () => {})),
        onMessage: (listener) => {
          child.on('message', listener);
          return { dispose: () => void child.off('message', listener) };
        },
      },
      {
        secrets: {
          get: async (key) => secrets.get(key),
          set: async (key, value) => void secrets.set(key, value),
          delete: async (key) => void secrets.delete(key),
        },
        openBrowser: async () => false,
        log: log ?? (() => {}),
      },
    );
    const stopped = this.gone.then(() => Promise.reject(new QuMailError('engine.stopped')));
    stopped.catch(() => {});
    this.engine = new Proxy(engine, {
      get: (target, name: keyof QuMailApi) => {
        const member = target[name] as unknown;
        if (name === 'onEvent' || typeof member !== 'function') return member;
        return (...request: unknown[]) => Promise.race([(member as (...of: unknown[]) => Promise<unknown>)(...request), stopped]);
      },
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Lets the engine's clock go ahead. */
  leap(ms: number): void {
    if (this.#child.connected) this.#child.send({ leap: ms }, () => {});
  }

  /** SIGKILL: nothing is closed, nothing is given back. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.gone;
  }

  /** As a window closes. */
  async close(): Promise<void> {
    await Promise.resolve(this.engine[Symbol.asyncDispose]()).catch(() => {});
    await this.gone;
  }
}
