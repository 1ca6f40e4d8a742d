import type { QuMailEvent } from '../base/events.ts';
import type { ChatStore } from '../store/chats.ts';
import { chatIdOf } from './shownChat.ts';

/** What the outbox says of a message that was queued. */
export type LetterState = { readonly state: 'gone' | 'waiting' } | { readonly state: 'failed'; readonly failureJson: string };

/** Keeps the state of own messages in step with the outbox: sent once nothing of them waits any more. */
export class ChatStates {
  readonly #store: ChatStore;
  readonly #stateOf: (accountId: string, messageId: string) => LetterState;
  readonly #emit: (event: QuMailEvent) => void;

  constructor(deps: {
    store: ChatStore;
    stateOf: (accountId: string, messageId: string) => LetterState;
    emit: (event: QuMailEvent) => void;
  }) {
    this.#store = deps.store;
    this.#stateOf = deps.stateOf;
    this.#emit = deps.emit;
  }

  /** Looks at every own message that has not left. */
  look(accountIds: readonly string[]): void {
    for (const accountId of accountIds) {
      const changed = new Set<string>();
      for (const { messageId, failureJson } of this.#store.unsent(accountId)) {
        const now = this.#stateOf(accountId, messageId);
        if (now.state === 'gone') for (const group of this.#store.setState(accountId, messageId, 'sent')) changed.add(group);
        else if (now.state === 'failed' && now.failureJson !== failureJson) {
          for (const group of this.#store.setState(accountId, messageId, 'failed', now.failureJson)) changed.add(group);
        }
      }
      for (const groupId of changed) this.#emit({ kind: 'chat-messages', chatId: chatIdOf(accountId, groupId) });
      if (changed.size > 0) this.#emit({ kind: 'chats', accountId });
    }
  }
}
