/** An open connection, for the account's health. Times are milliseconds since the epoch. */
export interface ConnectionFacts {
  readonly kind: 'imap-work' | 'imap-watch' | 'smtp';
  /** When it was opened. */
  readonly since: number;
  /** When the server last answered something asked of it. */
  readonly lastUsed: number;
  /** When the IDLE under way began. */
  readonly idleSince?: number;
  /** IMAP capabilities after log-in. */
  readonly capabilities?: readonly string[];
}
