import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Word } from './killChild.ts';

export interface VictimFolders {
  readonly storageDir: string;
  readonly secretsDir: string;
  /** Where it writes what it produces. */
  readonly produced: string;
  /** Of Node, so that the hundredth window starts as fast as it can. */
  readonly compileCache: string;
}

/** A window in a process of its own, to be killed. */
export class Victim {
  readonly #child: ChildProcess;
  readonly #heard: Word[] = [];
  readonly #gone: Promise<unknown>;
  #isReady = false;

  constructor(folders: VictimFolders, settings: object) {
    const { storageDir, secretsDir, produced, compileCache } = folders;
    const file = fileURLToPath(import.meta.resolve('./killChild.ts'));
    this.#child = fork(file, [storageDir, secretsDir, produced, JSON.stringify(settings)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
    this.#child.on('message', (word: Word) => this.#heard.push(word));
    this.#gone = once(this.#child, 'exit');
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves once it has died, of whatever cause. */
  get gone(): Promise<unknown> {
    return this.#gone;
  }

  /** Resolves once its engine is open, or it has died. */
  async ready(): Promise<void> {
    while (!this.#isReady && this.alive) this.#isReady = (await this.#hear((word) => 'ready' in word)) !== undefined;
  }

  /** Counts points from here, and dies at the `at`-th if one is given. */
  async arm(at?: number): Promise<void> {
    this.#tell({ do: 'arm', ...(at !== undefined && { at }) });
    await this.#hear((word) => 'armed' in word);
  }

  /** Sends; resolves to how that ended, undefined where it died before. */
  async send(draft: { draftId: string; text: string }): Promise<string | undefined> {
    this.#tell({ do: 'send', draft });
    const word = await this.#hear((each) => 'sent' in each);
    return word && 'sent' in word ? word.sent : undefined;
  }

  async points(): Promise<number> {
    this.#tell({ do: 'count' });
    const word = await this.#hear((each) => 'points' in each);
    return word && 'points' in word ? word.points : 0;
  }

  async kill(): Promise<void> {
    if (this.alive) this.#child.kill('SIGKILL');
    await this.#gone;
  }

  #tell(order: Order): void {
    // It may be dying this very moment.
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  async #hear(wanted: (word: Word) => boolean): Promise<Word | undefined> {
    for (;;) {
      const index = this.#heard.findIndex(wanted);
      if (index >= 0) return this.#heard.splice(index, 1)[0];
      if (!this.alive) return undefined;
      const waiting = new AbortController();
      await Promise.race([once(this.#child, 'message', { signal: waiting.signal }).catch(() => {}), this.#gone]);
      waiting.abort();
    }
  }
}
