import type { CommandId } from '../commandIds.ts';
import { exportAudit, verifyAudit } from '../vault/auditLog.ts';
import { createBackup, restoreBackup } from '../vault/backup.ts';
import { lock } from '../vault/lock.ts';
import { removePassphrase, setPassphrase, unlock } from '../vault/passphrase.ts';
import type { Worlds } from '../worlds.ts';
import type { CommandHandlers } from './registerCommands.ts';

type VaultCommandId = Extract<
  CommandId,
  | 'qumail.verifyAudit'
  | 'qumail.exportAudit'
  | 'qumail.createBackup'
  | 'qumail.restoreBackup'
  | 'qumail.setPassphrase'
  | 'qumail.removePassphrase'
  | 'qumail.lock'
  | 'qumail.unlock'
>;

/** Commands about the audit log, backups and the passphrase. */
export function vaultCommands(context: Worlds): Pick<CommandHandlers, VaultCommandId> {
  return {
    'qumail.verifyAudit': () => verifyAudit(context),
    'qumail.exportAudit': () => exportAudit(context),
    'qumail.createBackup': () => createBackup(context),
    'qumail.restoreBackup': () => restoreBackup(context),
    'qumail.setPassphrase': () => setPassphrase(context),
    'qumail.removePassphrase': () => removePassphrase(context),
    'qumail.lock': () => lock(context),
    'qumail.unlock': () => unlock(context),
  };
}
