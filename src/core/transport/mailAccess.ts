import type { Log } from '../base/log.ts';
import type { Clock, CredentialSource, Random, TrustedAuthorities } from '../base/ports.ts';
import type { ServerAddress } from '../base/types.ts';

/** Where an account's mail is and how to get in. */
export interface MailAccess {
  readonly servers: { readonly imap: ServerAddress; readonly smtp: ServerAddress };
  readonly credentials: CredentialSource;
  readonly authorities: TrustedAuthorities;
  /** True where the provider puts sent mail into the Sent folder by itself (Gmail). */
  readonly filesOwnSent: boolean;
}

export interface TransportDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timing?: Partial<TransportTiming>;
}

/** Time limits in milliseconds. */
export interface TransportTiming {
  /** Name lookup, TCP and TLS together. */
  readonly connectMs: number;
  /** A server that owes an answer and sends nothing. */
  readonly silenceMs: number;
  /** The work connection to IMAP stays open this long after its last use. */
  readonly imapIdleMs: number;
  /** The SMTP connection stays open this long after its last message. */
  readonly smtpIdleMs: number;
  /**
   * A connection in IDLE that heard nothing is asked after this long, and IDLE begun anew. RFC 2177 allows 29 minutes; load balancers and
   * address translators forget a silent connection after as little as four, and then nobody is told.
   */
  readonly idleMs: number;
  /** An answer to such a question, or the first octet of any answer on a connection that was quiet; later, the line is taken for dead. */
  readonly probeMs: number;
  /** The same after sleep or a change of network, when doubt is due and a new connection costs little. */
  readonly wakeMs: number;
  /** Between looks for new mail while the server cannot push. */
  readonly pollMs: number;
}

export const DEFAULT_TIMING: TransportTiming = {
  connectMs: 30_000,
  silenceMs: 60_000,
  imapIdleMs: 600_000,
  smtpIdleMs: 20_000,
  idleMs: 230_000,
  probeMs: 10_000,
  wakeMs: 3000,
  pollMs: 60_000,
};

/** Largest message that is fetched, in octets; providers stop at 25 to 50 MiB. */
export const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;
