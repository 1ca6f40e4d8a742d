/** Data of the vault's requests: audit, backup, passphrase. */

/** What the chain of the key audit says about itself. */
export interface AuditReport {
  readonly entries: number;
  readonly intact: boolean;
  /** Id of the first entry that does not fit; one more than the last where entries are missing at the end. */
  readonly brokenAt?: number;
}

export interface AuditExport {
  readonly path: string;
  readonly entries: number;
  /** The newest hash of the chain, base64url: who notes it elsewhere can tell later that nothing was taken back. */
  readonly head: string;
}

/** How many records of each kind, by the name of the kind: `contacts`, `mail`, `drafts`, ... */
export type BackupCounts = Readonly<Record<string, number>>;

/**
 * What no backup holds: pads and key-manager keys, which must not exist twice; tokens, passwords, client keys and token commands, which are
 * given anew.
 */
export type Omitted = 'pads' | 'keys' | 'tokens';

export interface BackupSummary {
  readonly path: string;
  /** Octets. */
  readonly size: number;
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly accounts: readonly { readonly email: string; readonly displayName: string }[];
  readonly counts: BackupCounts;
  readonly omitted: readonly Omitted[];
}

export interface RestoreResult {
  readonly added: BackupCounts;
  /** Here already and at least as new: left as they are. */
  readonly kept: BackupCounts;
  /** Addresses whose certificate here differs from the backup's; the one here stays until the person decides. */
  readonly conflicts: readonly string[];
  /** Accounts that came back without their credentials: the person signs in again. */
  readonly signInAgain: readonly string[];
  readonly omitted: readonly Omitted[];
}

export interface VaultState {
  /** Only `unlock` helps: everything that needs a secret answers `vault.locked` until then. */
  readonly locked: boolean;
  readonly passphrase: 'none' | 'set';
  /** False where this desktop has no keyring: without a passphrase, mail and sign-ins are gone with the session. */
  readonly secretsAreDurable: boolean;
}
