import { Worker } from 'node:worker_threads';
import * as vscode from 'vscode';
import {
  connectEngine,
  type EngineSettings,
  type HostTokenSource,
  type LogSink,
  type OpenBrowser,
  type QuMailApi,
  type QuMailEvent,
  type Secrets,
} from '../core/api.ts';
import { stoppable, type StoppableApi } from './stoppable.ts';
import type { WorldName } from './viewContext.ts';

/**
 * V8 lets a heap grow to four times what is in use before it collects, unless it is bounded: then to less than twice. With this and young objects
 * in 8 MiB at a time rather than 16, syncing 100,000 messages takes 160 MiB in all instead of 260, and no longer. Sources of mail are not in it.
 */
const ENGINE_MEMORY = { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 1024 };

export interface EngineClientOptions {
  readonly world: WorldName;
  /** Absolute path of the bundled engine, dist/engine.cjs. */
  readonly script: string;
  /** The engine's own folder; created by the engine. */
  readonly storageDir: string;
  readonly secrets: Secrets;
  readonly openBrowser: OpenBrowser;
  /** Tokens of accounts that VS Code holds itself; the lab has none. */
  readonly hostToken?: HostTokenSource;
  readonly log: LogSink;
  /** Asked each time the engine starts. */
  readonly settings: () => Partial<EngineSettings>;
}

interface Running {
  readonly worker: Worker;
  readonly engine: QuMailApi;
  readonly guarded: StoppableApi;
}

/** How long a closing engine may take to finish what it holds before its thread is ended. */
const CLOSE_TIME_MS = 3_000;

/**
 * The engine of one world in a worker thread of its own. It starts on the first use of `api`. When the thread dies by itself,
 * calls reject with `engine.stopped` until `restart`: starting again unasked could repeat what killed it.
 */
export class EngineClient implements vscode.Disposable {
  readonly #options: EngineClientOptions;
  readonly #events = new vscode.EventEmitter<QuMailEvent>();
  readonly #started = new vscode.EventEmitter<void>();
  readonly #stopped = new vscode.EventEmitter<void>();
  #running: Running | undefined;
  #closed = false;

  readonly onEvent = this.#events.event;
  readonly onDidStart = this.#started.event;
  /** The thread died without being asked to. */
  readonly onDidStop = this.#stopped.event;

  constructor(options: EngineClientOptions) {
    this.#options = options;
  }

  get world(): WorldName {
    return this.#options.world;
  }

  get isStarted(): boolean {
    return this.#running !== undefined;
  }

  get api(): QuMailApi {
    return (this.#running ?? this.#start()).guarded.api;
  }

  /** A new engine on the same folder, after the old thread has been ended. */
  async restart(): Promise<void> {
    if (this.#closed) return;
    await this.#end();
    this.#start();
  }

  /** Closes the engine and resolves when its thread is gone. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#end();
    this.#events.dispose();
    this.#started.dispose();
    this.#stopped.dispose();
  }

  dispose(): void {
    void this.close();
  }

  #start(): Running {
    const { script, storageDir, world, settings, secrets, openBrowser, hostToken, log } = this.#options;
    const worker = new Worker(script, {
      workerData: { storageDir, world, settings: settings() },
      execArgv: [],
      name: `qumail-${world}`,
      resourceLimits: ENGINE_MEMORY,
    });
    const engine = connectEngine(
      {
        postMessage: (value) => worker.postMessage(value),
        onMessage: (listener) => {
          worker.on('message', listener);
          return { dispose: () => worker.off('message', listener) };
        },
      },
      { secrets, openBrowser, hostToken, log },
    );
    const running: Running = { worker, engine, guarded: stoppable(engine) };
    worker.on('error', (error) =>
      log({ level: 'error', event: 'host.engine-error', facts: { world, type: error instanceof Error ? error.name : typeof error } }),
    );
    worker.on('exit', (exitCode) => this.#onExit(running, exitCode));
    engine.onEvent((event) => this.#events.fire(event));
    this.#running = running;
    // Whoever asked for the API gets it before others hear of the start.
    queueMicrotask(() => this.#started.fire());
    return running;
  }

  #onExit(running: Running, exitCode: number): void {
    running.guarded.stop();
    this.#options.log({ level: 'info', event: 'host.engine-exit', facts: { world: this.#options.world, exitCode } });
    // A closing engine is no longer the running one. A dead one stays in place, so that calls fail instead of starting another.
    if (this.#running === running && !this.#closed) this.#stopped.fire();
  }

  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    const exited = new Promise<void>((resolve) => running.worker.once('exit', () => resolve()));
    if (running.worker.threadId === -1) return;
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIME_MS);
    });
    // The engine's own thread ends once it has closed its sockets and databases.
    await Promise.race([running.engine[Symbol.asyncDispose]().then(() => exited), exited, tooLong]).catch(() => {});
    clearTimeout(timer);
    running.guarded.stop();
    await running.worker.terminate();
  }
}
