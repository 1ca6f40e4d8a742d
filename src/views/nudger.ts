import * as vscode from 'vscode';
import { QuMailError } from '../core/api.ts';
import type { EngineClient } from './engineClient.ts';

/** Away for longer than this, the network may be another one and tokens may have run out. */
const GAP_MS = 5 * 60_000;

/**
 * Has connections and tokens looked at when the person comes back to the window after a while, and when the engine starts anew. The engine
 * notices sleep by its own clock; what it cannot see is that somebody is about to read their mail.
 */
export class Nudger implements vscode.Disposable {
  readonly #engine: EngineClient;
  readonly #log: vscode.LogOutputChannel;
  readonly #subscriptions: vscode.Disposable[];
  #leftAt = Date.now();
  #starts = 0;

  constructor(engine: EngineClient, log: vscode.LogOutputChannel) {
    this.#engine = engine;
    this.#log = log;
    this.#subscriptions = [
      vscode.window.onDidChangeWindowState(({ focused }) => {
        if (focused && Date.now() - this.#leftAt > GAP_MS) void this.#nudge();
        this.#leftAt = Date.now();
      }),
      engine.onDidStart(() => {
        // The first start connects anyway.
        if (++this.#starts > 1) void this.#nudge();
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #nudge(): Promise<void> {
    if (!this.#engine.isStarted) return;
    await this.#engine.api.nudge({ reason: 'wake' }).catch((error: unknown) => {
      this.#log.debug(`not nudged: ${QuMailError.from(error).code}`);
    });
  }
}
