import { QuMailError } from '../base/errors.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import type { CipherManager } from '../crypto/cipherManager.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import type { OutgoingMessage } from '../mail/writeMime.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { OutboxStore } from '../store/outbox.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { KeyLinks } from './keyLinks.ts';
import { isAtLeast } from './levels.ts';
import type { OwnCertificates } from './ownCertificates.ts';
import type { SealingTrust } from './sealingTrust.ts';

export interface SealDeps {
  readonly links: KeyLinks;
  readonly ledger: KeyLedger;
  readonly cipher: CipherManager;
  readonly pgp: PgpEngine;
  readonly own: OwnCertificates;
  readonly trust: SealingTrust;
  readonly contacts: ContactStore;
  readonly outbox: OutboxStore;
  readonly sealedMail: SealedMailStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** A message ready to be sealed: everything a person decided, nothing left to choose. */
export interface SealJob {
  readonly accountId: string;
  readonly level: SecurityLevel;
  /** `openpgp`: encrypted with the recipients' classic certificates. The level stays L4: this promises nothing against quantum computers. */
  readonly protection?: 'openpgp';
  readonly message: OutgoingMessage;
  readonly bcc: readonly Address[];
  /** The draft it was written as; a chat message has none. */
  readonly draftId?: string;
  /** Names this very text: the same group is resent as the same bytes. */
  readonly groupId: string;
  readonly signal?: AbortSignal;
  readonly queue: {
    readonly state: 'queued' | 'held' | 'scheduled';
    /** When what is held or scheduled goes. */
    readonly notBefore?: number;
    /** Looks, inside the transaction that queues, whether the message is still wanted; throws where it is not. */
    readonly admit: () => void;
    /** Runs at the end of that transaction, with the envelope that stands for the message in the sealed store. */
    readonly queued?: (envelopeId: string) => void;
  };
  readonly progress: (step: 'keys' | 'sealing') => void;
}

/** Who gets a copy in common: the visible recipients, and each Bcc recipient alone, so that no header of the others' names it. */
export function audiencesOf({ message, bcc }: Pick<SealJob, 'message' | 'bcc'>): readonly (readonly Address[])[] {
  const visible = [...message.to, ...message.cc];
  return [visible, ...bcc.map((recipient) => [recipient])].filter((audience) => audience.length > 0);
}

/** What every outbox entry of a job has in common. */
export function outboxFields(job: SealJob, deps: Pick<SealDeps, 'clock'>) {
  return {
    accountId: job.accountId,
    rfcMessageId: job.message.messageId,
    envelopeFrom: job.message.from.address,
    subject: job.message.subject,
    level: job.level,
    state: job.queue.state,
    notBefore: job.queue.notBefore,
    groupId: job.groupId,
    ...(job.draftId !== undefined && { draftId: job.draftId }),
    updatedAt: deps.clock.now(),
  };
}

/** @throws QuMailError `seal.below-minimum` (details: address, minimum) */
export function refuseBelowMinimum(job: SealJob, address: string, { contacts, trust }: Pick<SealDeps, 'contacts' | 'trust'>): void {
  const minimum = contacts.get(job.accountId, address)?.minimumLevel ?? trust.minimumOf(job.accountId, address);
  if (!isAtLeast(job.level, minimum)) throw new QuMailError('seal.below-minimum', { address, minimum });
}

/** RFC 3339, UTC, whole seconds: the `ts` of an envelope. */
export function timestampOf(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
