import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type WriteStream, createWriteStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A port that stays the same for a profile: the browser keeps VS Code's secrets by address. */
export async function stickyPort(profile: string): Promise<number> {
  const file = join(profile, 'port');
  if (!existsSync(file)) writeFileSync(file, String(await freePort()));
  return Number(readFileSync(file, 'utf8'));
}

/** A server program with its children, its output in a file. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #log: WriteStream;
  readonly #exited: Promise<unknown>;

  constructor(command: string, args: readonly string[], options: { readonly env: NodeJS.ProcessEnv; readonly logFile: string }) {
    this.#log = createWriteStream(options.logFile, { flags: 'a' });
    // A process group of its own, so that ending it ends the extension hosts it started as well.
    this.#child = spawn(command, args, { env: options.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.pipe(this.#log, { end: false });
    this.#child.stderr?.pipe(this.#log, { end: false });
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve).once('error', resolve));
    process.once('exit', this.#killGroup);
  }

  /** Resolves once `url` answers anything below 500; rejects when the process ends first or `limitMs` pass. */
  async answersAt(url: string, limitMs = 60_000): Promise<void> {
    const limit = Date.now() + limitMs;
    while (Date.now() < limit) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`the server ended early; see ${String(this.#log.path)}`);
      const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5000) }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer !== undefined && answer.status < 500) return;
      await delay(100);
    }
    throw new Error(`no answer at ${url} after ${limitMs} ms; see ${String(this.#log.path)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#killGroup);
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#signalGroup('SIGTERM');
    const ended = await Promise.race([this.#exited.then(() => true), delay(5000, false, { ref: false })]);
    if (!ended) this.#signalGroup('SIGKILL');
    await this.#exited;
    // Children that outlived their parent.
    this.#signalGroup('SIGKILL');
    this.#log.end();
  }

  readonly #killGroup = (): void => this.#signalGroup('SIGKILL');

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // The group is gone already.
    }
  }
}
