import type { MessageSummary, QuMailRequests, ThreadSummary } from '../../core/api.ts';

/** The messages of conversations that were unfolded, until the list is read anew. */
export class ThreadCache {
  readonly #api: () => Pick<QuMailRequests, 'getThread'>;
  readonly #threads = new Map<number, Promise<readonly MessageSummary[]>>();
  readonly #messages = new Map<number, MessageSummary>();

  constructor(api: () => Pick<QuMailRequests, 'getThread'>) {
    this.#api = api;
  }

  /** A message of any of them. */
  find(messageId: number): MessageSummary | undefined {
    return this.#messages.get(messageId);
  }

  /** Oldest first, over all folders. A failure is not kept. */
  messagesOf(thread: ThreadSummary): Promise<readonly MessageSummary[]> {
    const known = this.#threads.get(thread.threadId);
    if (known) return known;
    const loading = this.#api()
      .getThread({ messageId: thread.newest.id })
      .then((messages) => {
        for (const message of messages) this.#messages.set(message.id, message);
        return messages;
      });
    this.#threads.set(thread.threadId, loading);
    loading.catch(() => this.#threads.delete(thread.threadId));
    return loading;
  }

  /** Those of the folder that the conversation was listed in; its newest alone where the others cannot be had. */
  async idsOf(thread: ThreadSummary): Promise<readonly number[]> {
    const { newest } = thread;
    const messages = await this.messagesOf(thread).catch(() => [newest]);
    return messages.filter(({ accountId, folder }) => accountId === newest.accountId && folder === newest.folder).map(({ id }) => id);
  }

  clear(): void {
    this.#threads.clear();
    this.#messages.clear();
  }
}
