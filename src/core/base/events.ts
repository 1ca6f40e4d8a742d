/** Something changed; the data itself is asked for. */
export type QuMailEvent =
  | { readonly kind: 'accounts' }
  | { readonly kind: 'folders'; readonly accountId: string }
  | { readonly kind: 'messages'; readonly accountId: string; readonly folder: string }
  | { readonly kind: 'contacts'; readonly accountId: string }
  | { readonly kind: 'key-managers' }
  /** A link to a contact, or the pad shared with it, has fallen below the low-water mark. Said once until it has risen again. */
  | { readonly kind: 'key-budget'; readonly accountId: string; readonly address: string }
  /** A key manager gave away keys by their IDs; none of them was used. */
  | { readonly kind: 'key-alarm'; readonly accountId: string; readonly how: 'id-from-key' | 'key-from-id' }
  | { readonly kind: 'pad-progress'; readonly accountId: string; readonly done: number; readonly total: number }
  | { readonly kind: 'drafts' }
  /** Copies of drafts came to lie on the server, or could not: `getDraftState` tells. */
  | { readonly kind: 'draft-copies'; readonly accountId: string }
  /** Saved searches, or how many messages match them. */
  | { readonly kind: 'saved-searches' }
  /** What waits for a server, what it refused, what was snoozed or muted. */
  | { readonly kind: 'actions' }
  /** Bytes read of what is imported; messages of what is exported, `total` 0 while unknown. */
  | {
      readonly kind: 'transfer-progress';
      readonly what: 'import' | 'export';
      readonly path: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: 'outbox' }
  | { readonly kind: 'chats'; readonly accountId: string }
  | { readonly kind: 'chat-messages'; readonly chatId: string }
  /** Locked, unlocked, or a passphrase set or removed. */
  | { readonly kind: 'vault' }
  /** A message left, at once or later by itself. With `draftId` its draft is gone; without, it was edited meanwhile or had gone before. */
  | { readonly kind: 'sent'; readonly accountId: string; readonly draftId?: string; readonly subject: string }
  | { readonly kind: 'activity'; readonly accountId: string; readonly busy: boolean }
  /** The offline copy is being filled: messages taken in so far, of those found missing so far. It goes on until `sync-ended`. */
  | { readonly kind: 'sync-progress'; readonly accountId: string; readonly folder?: string; readonly done: number; readonly total: number }
  /** Filling ended, whatever became of it: `getSyncState` tells. */
  | { readonly kind: 'sync-ended'; readonly accountId: string }
  | { readonly kind: 'send-progress'; readonly draftId: string; readonly step: 'keys' | 'sealing' | 'sending' | 'filing' };
