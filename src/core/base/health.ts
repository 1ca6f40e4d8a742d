import type { ErrorCode } from './errors.ts';
import type { AccountState, Failure } from './model.ts';
import type { OutboxEntry } from './outgoing.ts';
import type { Filling } from './sync.ts';
import type { ProviderId } from './types.ts';

/** How an account is doing, for a person and for a report: no secret, no subject, no text. All times are milliseconds since the epoch. */
export interface AccountHealth {
  readonly accountId: string;
  readonly email: string;
  readonly provider: ProviderId;
  readonly state: AccountState;
  /** Why it is not online. */
  readonly failure?: Failure;
  /** When the inbox was last brought up to date. */
  readonly lastSync?: number;
  /** Absent where the account has no token of ours: with a password, or where the host or a command hands tokens out. */
  readonly token?: TokenHealth;
  /** How far the offline copy is, and why it was cut; absent where the account does not run. */
  readonly offline?: { readonly filling: Filling; readonly failure?: Failure };
  readonly connections: readonly ConnectionHealth[];
  /** Entries of the outbox by state; states without any are left out. */
  readonly outbox: readonly { readonly state: OutboxEntry['state']; readonly count: number }[];
  /** The oldest first, at most twenty, of this session; those of the outbox as long as their entries are there. */
  readonly errors: readonly HealthError[];
}

export interface TokenHealth {
  readonly state: 'valid' | 'refreshing' | 'backing-off' | 'needs-sign-in';
  /** The last refresh or sign-in that succeeded. */
  readonly obtainedAt?: number;
  readonly expiresAt?: number;
  /** When a refresh that failed is tried again. */
  readonly nextTry?: number;
  /** Why the last refresh failed. */
  readonly failure?: Failure;
}

export interface ConnectionHealth {
  readonly kind: 'imap-work' | 'imap-watch' | 'smtp';
  readonly since: number;
  /** When the server last answered. */
  readonly lastUsed: number;
  /** When the IDLE under way began. */
  readonly idleSince?: number;
  /** IMAP capabilities after log-in. */
  readonly capabilities?: readonly string[];
}

export interface HealthError {
  readonly at: number;
  /** Where it was met: reading mail (signing in included) or sending. */
  readonly where: 'mail' | 'outbox';
  readonly code: ErrorCode;
  /** SMTP status and enhanced status, where a server gave them. */
  readonly status?: number;
  readonly enhanced?: string;
}
