import { pictureFacts } from './pictureFacts.ts';
import type { HostWord, PageAsk } from './chatProtocol.ts';

/** A picture of a phone takes a fraction of this. */
const ANSWER_MS = 15_000;
const MAX_SIDE = 512;

/**
 * Has the page of a chat draw a picture anew, small and square: the host has no way to decode one. What the camera wrote into the file, the
 * place among it, stays behind.
 */
export class PictureSquarer {
  readonly #post: (word: HostWord) => void;
  readonly #waiting = new Map<number, (content: Uint8Array | undefined) => void>();
  readonly #ready = Promise.withResolvers<void>();
  #last = 0;

  constructor(post: (word: HostWord) => void) {
    this.#post = post;
  }

  /** The page can be asked from now on. */
  ready(): void {
    this.#ready.resolve();
  }

  /** Undefined for what is no picture, or where the page gave no answer that is one. */
  async square(content: Uint8Array): Promise<Uint8Array | undefined> {
    const facts = pictureFacts(content);
    if (!facts) return undefined;
    const ref = ++this.#last;
    const answer = Promise.withResolvers<Uint8Array | undefined>();
    const timer = setTimeout(() => answer.resolve(undefined), ANSWER_MS);
    this.#waiting.set(ref, answer.resolve);
    // VS Code hands over typed arrays as such, but no Buffer, which is what reading a file gives.
    const plain = new Uint8Array(content);
    void this.#ready.promise.then(() => this.#post({ kind: 'square', ref, mimeType: facts.mimeType, content: plain }));
    const squared = await answer.promise;
    clearTimeout(timer);
    this.#waiting.delete(ref);
    // The page is not trusted: what it hands over is looked at like any picture.
    const made = squared && pictureFacts(squared);
    return made && made.width === made.height && made.width <= MAX_SIDE ? squared : undefined;
  }

  answered({ ref, content }: Extract<PageAsk, { kind: 'squared' }>): void {
    this.#waiting.get(ref)?.(content);
  }

  /** Nobody waits for a page that is gone. */
  dispose(): void {
    for (const answer of this.#waiting.values()) answer(undefined);
  }
}
