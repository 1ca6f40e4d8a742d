import * as vscode from 'vscode';
import { QuMailError, type ChatLevel } from '../../core/api.ts';
import { sentenceOf } from '../present.ts';
import type { ViewContext } from '../viewContext.ts';
import type { HostWord, PageAsk } from './chatProtocol.ts';

export interface SendQueueOptions {
  readonly context: Pick<ViewContext, 'api' | 'log'>;
  readonly chatId: string;
  readonly post: (word: HostWord) => void;
  readonly signal: AbortSignal;
}

/** Sends what is said in one chat one after the other, so that messages leave in the order they were written in; tells the page of each. */
export class SendQueue {
  readonly #options: SendQueueOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  /** Never rejects: what could not be sent is told to the page, which gives it back to its writer. */
  add({ ref, text, files, replyTo }: Extract<PageAsk, { kind: 'send' }>, level: ChatLevel | undefined): Promise<void> {
    const { context, chatId, post, signal } = this.#options;
    this.#last = this.#last.then(async () => {
      try {
        const about = { ...(replyTo !== undefined && { replyTo }), ...(level && { level }) };
        await context.api.sendChatMessage({ chatId, text, files, ...about }, { signal });
        post({ kind: 'sent', ref });
      } catch (error) {
        const { code, details } = QuMailError.from(error);
        context.log.warn(`chat message not sent: ${code}`);
        post({ kind: 'refused', ref, sentence: sentenceOf({ code, details }, vscode.l10n) });
      }
    });
    return this.#last;
  }
}
