import type { AuditExport, AuditReport, BackupSummary, RestoreResult, VaultState } from '../backup.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** Audit, backup and passphrase. Every request may reject with a QuMailError and with nothing else. */
export interface VaultRequests {
  /** Walks the whole hash chain of the key audit. */
  verifyAudit(request: Record<string, never>, options?: CallOptions): Promise<AuditReport>;
  /** Writes the key audit to a file of JSON lines (SECURITY.md says how to verify it elsewhere). Never key bytes. */
  exportAudit(request: { path: string }, options?: CallOptions): Promise<AuditExport>;
  /** 24 words for a backup to come. They are kept nowhere: who loses them loses the backup. */
  newRecoveryPhrase(): Promise<readonly string[]>;
  /** Writes an encrypted backup that only `phrase` (24 words, any spaces between) opens. A file that is there is replaced. */
  createBackup(request: { path: string; phrase: string }, options?: CallOptions): Promise<BackupSummary>;
  /** Reads and checks the whole file and says what is in it, without restoring anything. */
  inspectBackup(request: { path: string; phrase: string }, options?: CallOptions): Promise<BackupSummary>;
  /** Adds what is missing here. What is here already stays, a certificate that differs is named, nothing is overwritten silently. */
  restoreBackup(request: { path: string; phrase: string }, options?: CallOptions): Promise<RestoreResult>;
  getVaultState(): Promise<VaultState>;
  /** Sets the first passphrase, or another in place of `current`. Other windows ask for it then. */
  setPassphrase(request: { passphrase: string; current?: string }): Promise<VaultState>;
  removePassphrase(request: { current: string }): Promise<VaultState>;
  unlock(request: { passphrase: string }): Promise<VaultState>;
}

export const VAULT_REQUESTS = namesOf<VaultRequests>({
  verifyAudit: 1,
  exportAudit: 1,
  newRecoveryPhrase: 1,
  createBackup: 1,
  inspectBackup: 1,
  restoreBackup: 1,
  getVaultState: 1,
  setPassphrase: 1,
  removePassphrase: 1,
  unlock: 1,
});
