/** The plain data of what a person does with messages: it happens here at once, on the server when there is a connection. */
import type { Failure, MessageSummary } from './model.ts';
import type { SpecialUse } from './types.ts';

export const ACTION_PURPOSES = ['flags', 'move', 'archive', 'delete', 'junk', 'not-junk', 'expunge', 'undo'] as const;
/** What the person asked for. `expunge` removes for good and is the only one that cannot be undone. */
export type ActionPurpose = (typeof ACTION_PURPOSES)[number];

/** What is answered as soon as the action is journaled and shown, also without a connection. */
export interface ActionReceipt {
  readonly actionId: string;
  /** Those of the messages that anything was to be done to; none where all was so already, and nothing was journaled. */
  readonly messageIds: readonly number[];
  /** False for what was removed for good, and where nothing was to be done. */
  readonly undoable: boolean;
}

/** Nothing is removed for good by being deleted: what cannot be moved to Trash is left as it is, and named. */
export interface DeleteReceipt extends ActionReceipt {
  /** They lie in Trash already. */
  readonly inTrash: readonly number[];
  /** Their accounts have no Trash. */
  readonly noTrash: readonly { readonly accountId: string; readonly messageIds: readonly number[] }[];
}

/** Roles whose folder is made where an account has none (`createRoleFolder`). */
export type MadeRole = Extract<SpecialUse, 'archive' | 'junk' | 'trash'>;

export interface PendingAction {
  readonly id: string;
  readonly accountId: string;
  readonly purpose: ActionPurpose;
  /** Where messages are moved to. */
  readonly target?: string;
  /** How many messages it is about. */
  readonly messages: number;
  /**
   * `waiting`: for a connection, or for what came before it. `running`: being told to the server. `failed`: the server refused, the messages
   * are back where they were, `failure` says why. `dropped`: some were gone from the server before it heard (`vanished` tells how many).
   */
  readonly state: 'waiting' | 'running' | 'failed' | 'dropped';
  readonly failure?: Failure;
  readonly vanished: number;
  readonly undoable: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface SnoozedMessage {
  readonly message: MessageSummary;
  /** When it comes back, milliseconds since the epoch. */
  readonly until: number;
}

/** One role over all accounts that have such a folder. */
export interface UnifiedFolder {
  readonly role: SpecialUse;
  readonly unread: number;
  readonly total: number;
}

/** What later arrivals of a muted thread get: marked read, or marked read and archived. */
export type MuteRule = 'read' | 'archive';

/**
 * `done`: the list server took the one-click request (RFC 8058). `draft`: it offers an address only, and a message to it lies ready to be
 * looked at and sent.
 */
export type UnsubscribeResult = { readonly state: 'done'; readonly host: string } | { readonly state: 'draft'; readonly draftId: string };
