import type { BodyMode, ReaderRequest, ReaderWords } from '../readerProtocol.ts';

/** What the parts of the page share: the words, the way to ask the host, and what the person chose. */
export interface Page {
  readonly words: ReaderWords;
  readonly generation: number;
  ask(request: ReaderRequest): void;
  /** Text or formatted, as chosen last. */
  readonly mode: BodyMode;
  setMode(mode: BodyMode): void;
  /** Shows the target of the link under the pointer or the focus. */
  showTarget(url: string): void;
}
