/** The plain data of mail on its way out. */
import type { Failure } from './model.ts';
import type { SecurityLevel } from './types.ts';

export interface SendResult {
  /** `sent`: the mail server took it. `held`: for the undo-send delay. `scheduled`: for the time asked for. Nothing was sent in these two. */
  readonly state: 'sent' | 'held' | 'scheduled';
  /** The outbox entry of what is held or scheduled, for `undoSend`. */
  readonly outboxId?: number;
  /** When what is held or scheduled goes, milliseconds since the epoch. */
  readonly notBefore?: number;
  readonly rfcMessageId: string;
  readonly level: SecurityLevel;
  /** SMTP replies, one per message handed over (Bcc and L1 travel apart). */
  readonly replies: readonly string[];
  readonly keyIds: readonly string[];
  /** A failure after acceptance that lost nothing that was sent, e.g. no copy in Sent. */
  readonly warning?: Failure;
}

export interface OutboxEntry {
  readonly id: number;
  readonly accountId: string;
  /** The draft it was made from, which stays until it is sent. */
  readonly draftId?: string;
  readonly subject: string;
  readonly to: readonly string[];
  readonly level: SecurityLevel;
  /**
   * `held`, `scheduled`: goes at `notBefore`. `waiting`: a transient failure; goes at `nextTry`, without one when the person says so.
   * `rejected`: the server's last word. `acceptance-unknown`: only a look into Sent or the person can tell.
   */
  readonly state: 'queued' | 'held' | 'scheduled' | 'sending' | 'waiting' | 'rejected' | 'acceptance-unknown';
  /** Details of smtp.*: `status`, `enhanced` (RFC 3463) and its `class`: address, mailbox, system, network, protocol, content, policy, other. */
  readonly failure?: Failure;
  /** Milliseconds since the epoch, as all times here. */
  readonly updatedAt: number;
  readonly notBefore?: number;
  readonly nextTry?: number;
  /** How often it was handed to the mail server. */
  readonly attempts: number;
}
