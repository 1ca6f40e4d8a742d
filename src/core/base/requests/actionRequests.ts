import type {
  ActionReceipt,
  DeleteReceipt,
  MadeRole,
  MuteRule,
  PendingAction,
  SnoozedMessage,
  UnifiedFolder,
  UnsubscribeResult,
} from '../actions.ts';
import type { MessagePage, MessageSummary } from '../model.ts';
import type { MailFlag, SpecialUse } from '../types.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/**
 * What a person does with messages. It is journaled and shown at once, also without a connection, and told to the server in order as
 * soon as there is one. At most 10,000 messages in one request. Every request may reject with a QuMailError and with nothing else.
 */
export interface ActionRequests {
  setFlags(request: { messageIds: readonly number[]; add: readonly MailFlag[]; remove: readonly MailFlag[] }): Promise<ActionReceipt>;
  /**
   * To a folder of the account that the messages are in. `imap.mailbox-missing` where it lists no such folder; with `accountId`, whose folder
   * is meant, `action.other-account` where a message is another account's. Nothing is moved then.
   */
  moveMessages(request: { messageIds: readonly number[]; folder: string; accountId?: string }): Promise<ActionReceipt>;
  /** Moves to Trash, which can always be undone; names what it left because it is in Trash already or there is none. */
  deleteMessages(request: { messageIds: readonly number[] }): Promise<DeleteReceipt>;
  /** Removes from the server, wherever they are. Cannot be undone: ask first. */
  removeForGood(request: { messageIds: readonly number[] }): Promise<ActionReceipt>;
  /** To the folder of role archive, else to that of role all; `action.no-folder` where there is neither (details: role, accountId). */
  archiveMessages(request: { messageIds: readonly number[] }): Promise<ActionReceipt>;
  /** To Junk, with the keyword $Junk where the server keeps it. */
  markJunk(request: { messageIds: readonly number[] }): Promise<ActionReceipt>;
  /** Back to the inbox, with the keyword $NotJunk. */
  markNotJunk(request: { messageIds: readonly number[] }): Promise<ActionReceipt>;
  /** Makes the folder that an account lacks for a role, on the server; resolves with that it has where it has one. */
  createRoleFolder(request: { accountId: string; role: MadeRole }, options?: CallOptions): Promise<{ path: string }>;
  /**
   * Takes an action back: one the server has not heard of is cancelled, of another the inverse is done. Of one that failed or was dropped it
   * only stops to be listed. `action.final` for what was removed for good, `action.missing` for what is too old.
   */
  undoAction(request: { actionId: string }): Promise<ActionReceipt>;
  /** What the server has not heard yet, what it refused, and moves of messages that were gone. */
  listPendingActions(): Promise<readonly PendingAction[]>;

  /** Those of these messages that are listed somewhere, as they are now; at most 2000. */
  listMessages(request: { messageIds: readonly number[] }): Promise<readonly MessageSummary[]>;
  /** All folders of one role as one list, newest first, e.g. the unified inbox. */
  getUnifiedList(request: { role: SpecialUse; limit: number; before?: number }, options?: CallOptions): Promise<MessagePage>;
  listUnifiedFolders(): Promise<readonly UnifiedFolder[]>;

  /** Not listed until then (milliseconds since the epoch, at most a year ahead); comes back unread and on top, here only. */
  snoozeMessages(request: { messageIds: readonly number[]; until: number }): Promise<void>;
  unsnoozeMessages(request: { messageIds: readonly number[] }): Promise<void>;
  listSnoozed(): Promise<readonly SnoozedMessage[]>;
  /** Later messages of this message's thread are marked read as they come, and archived unless `rule` says `read`. */
  muteThread(request: { messageId: number; rule?: MuteRule }): Promise<void>;
  unmuteThread(request: { messageId: number }): Promise<void>;
  isMuted(request: { messageId: number }): Promise<{ muted: boolean; rule?: MuteRule }>;
  /** RFC 8058, only when a person asks for it. `unsubscribe.none` where the message offers no way that may be taken. */
  unsubscribe(request: { messageId: number }, options?: CallOptions): Promise<UnsubscribeResult>;
}

export const ACTION_REQUESTS = namesOf<ActionRequests>({
  setFlags: 1,
  moveMessages: 1,
  deleteMessages: 1,
  removeForGood: 1,
  archiveMessages: 1,
  markJunk: 1,
  markNotJunk: 1,
  createRoleFolder: 1,
  undoAction: 1,
  listPendingActions: 1,
  listMessages: 1,
  getUnifiedList: 1,
  listUnifiedFolders: 1,
  snoozeMessages: 1,
  unsnoozeMessages: 1,
  listSnoozed: 1,
  muteThread: 1,
  unmuteThread: 1,
  isMuted: 1,
  unsubscribe: 1,
});
