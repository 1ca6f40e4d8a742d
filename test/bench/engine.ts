import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleEngine } from '../world/bundleEngine.ts';
import type { ChildConfig } from './engineChild.ts';

/** As the extension starts the engine (views/engineClient.ts). */
const ENGINE_MEMORY = ['--max-semi-space-size=8', '--max-old-space-size=1024'];

export interface ChildResult {
  readonly ms: number;
  /** Highest resident memory of the process, in octets. */
  readonly rss: number;
  readonly stored?: number;
  /** How late timers of 5 ms fired at worst, in ms: without the time in which other programs had the processor, and all of it. */
  readonly worst?: number;
  readonly worstOfAll?: number;
  readonly messages?: number;
}

/** The engine as it is shipped, bundled and minified, in processes of its own. */
export class EngineProgram implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'qumail-bench-'));
  readonly #file = join(this.#dir, 'engineChild.cjs');

  static async bundle(): Promise<EngineProgram> {
    const program = new EngineProgram();
    await bundleEngine({ entry: join(import.meta.dirname, 'engineChild.ts'), outfile: program.#file, size: 'minified' });
    return program;
  }

  run(phase: 'full' | 'again' | 'again-cold' | 'screen' | 'flow-raw' | 'flow-envelopes', config: ChildConfig): Promise<ChildResult> {
    const { promise, resolve, reject } = Promise.withResolvers<ChildResult>();
    const child = spawn(process.execPath, [...(phase.startsWith('flow') ? [] : ENGINE_MEMORY), this.#file, phase, JSON.stringify(config)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(printed) as ChildResult);
      else reject(new Error(`the engine ended with ${code}`));
    });
    return promise;
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Runs another program to its end; resolves to the milliseconds it took. */
export function timed(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const began = performance.now();
  execFileSync(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  return performance.now() - began;
}
