import type { ChatWords, PageAsk, ShownLine } from '../chatProtocol.ts';

/** What the parts of the page share: the words, the way to ask the host, and what the person does with a line. */
export interface Page {
  readonly words: ChatWords;
  ask(request: PageAsk): void;
  /** A line as known here, for quotes. */
  lineOf(id: string): ShownLine | undefined;
  reply(line: ShownLine): void;
  edit(line: ShownLine): void;
  jump(id: string): void;
  /** Whether anything may be sent into this chat. */
  readonly writable: 'yes' | 'no';
}
