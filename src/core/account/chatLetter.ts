import type { ChatLevel } from '../base/chat.ts';
import type { Address } from '../base/types.ts';
import type { OutgoingAttachment } from '../mail/writeMime.ts';

/** One chat message, complete: what is left is to seal, queue and send it. */
export interface ChatLetter {
  readonly accountId: string;
  readonly level: ChatLevel;
  /** Members whom `level` does not reach are sealed to at L3 where this allows it. */
  readonly floor: ChatLevel;
  readonly messageId: string;
  readonly to: readonly Address[];
  /** What programs without chats show as the subject. */
  readonly subject: string;
  readonly text: string;
  readonly files: readonly OutgoingAttachment[];
  readonly inReplyTo: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Runs inside the transaction that queues the message, with what it was sealed as. */
  readonly queued: (envelopeId: string, suite?: string) => void;
  readonly signal?: AbortSignal;
}
