import type * as vscode from 'vscode';
import type { Draft, SpecialUse } from '../../core/api.ts';
import type { ListRow } from './listRows.ts';

export type MessageNode =
  | (Extract<ListRow, { kind: 'message' }> & { readonly parent?: Extract<ListRow, { kind: 'thread' }> })
  | Extract<ListRow, { kind: 'thread' }>
  | { readonly kind: 'more' };

/** What the list needs to know about folders; the Mail tree knows it. */
export interface FolderFacts {
  foldersOf(accountId: string): Promise<readonly { readonly path: string; readonly name: string; readonly specialUse?: SpecialUse }[]>;
}

/** Where a window remembers how it lists; what a message waits for. */
export interface ListTools {
  readonly memory: Pick<vscode.Memento, 'get' | 'update'>;
  /** Whether something done to a message has not reached the server yet. */
  readonly server: (messageId: number) => 'told' | 'waiting';
  /** Whether the conversation of a message is muted. */
  readonly muted: (messageId: number) => boolean;
  /** The draft that a message is the sealed copy of. */
  readonly draftOf: (messageId: number) => Draft | undefined;
  /** Something was done to messages in this window. */
  readonly onDidPerform: vscode.Event<unknown>;
  /** What a message waits for, or is the copy of, may be something else now. */
  readonly onDidChangeFacts: vscode.Event<unknown>;
}
