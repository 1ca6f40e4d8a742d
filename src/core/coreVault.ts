import { AuditService } from './account/auditService.ts';
import { BackupService } from './account/backupService.ts';
import { readReport } from './account/sealReport.ts';
import type { QuMailEvent, QuMailRequests } from './api.ts';
import type { VaultState } from './base/backup.ts';
import { fromBase64url } from './base/bytes.ts';
import { QuMailError } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { Clock, Random } from './base/ports.ts';
import type { VaultRequests } from './base/requests/vaultRequests.ts';
import type { CoreStores } from './coreStores.ts';
import { abandonOfDead, rememberSpent, renewSeals } from './keys/ledgerUpkeep.ts';
import { newRecoveryPhrase } from './store/backupPhrase.ts';
import { backupSections } from './store/backupSections.ts';
import type { SealedMailRecord } from './store/sealedMail.ts';

export interface VaultAreaDeps {
  readonly stores: CoreStores;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  /** Runs once this window can read its secrets again. */
  readonly unlocked: () => Promise<void>;
  /** Runs after a backup added accounts, contacts, mail or drafts. */
  readonly restored: () => void;
}

export interface VaultArea {
  readonly requests: VaultRequests;
  /** The requests as they are answered: `vault.locked` while a passphrase is wanted, but for those that need no secret. */
  guard(requests: QuMailRequests): QuMailRequests;
  /** What the ledger wants hourly and at start. */
  upkeep(): void;
}

/** Requests that a locked engine answers as ever. */
const WITHOUT_SECRETS: ReadonlySet<keyof QuMailRequests> = new Set<keyof QuMailRequests>([
  'configure',
  'listAccounts',
  'discoverServers',
  'newRecoveryPhrase',
  'inspectBackup',
  'getVaultState',
  'setPassphrase',
  'removePassphrase',
  'unlock',
]);

/** Audit, backup and passphrase, put together. */
export function openVaultArea(deps: VaultAreaDeps): VaultArea {
  const { stores, clock, random, emit } = deps;
  const { vault, storage, ledger, secrets } = stores;
  const upkeepDeps = { db: vault, sealer: storage, clock };
  const remember = ({ accountId, own, envelopeId, report }: SealedMailRecord): void => {
    const { keyIds, payloadSha256 } = readReport(report);
    const hash = fromBase64url(payloadSha256);
    if (!hash) throw new QuMailError('backup.malformed');
    rememberSpent({ accountId, own, envelopeId, payloadSha256: hash, keyIds }, upkeepDeps);
  };
  const audit = new AuditService({ audit: stores.audit });
  const backup = new BackupService({
    ...deps,
    accounts: stores.accounts,
    sections: backupSections({ ...stores, db: vault, remember, transaction: (run) => ledger.transaction(run) }),
  });
  const stateOf = (): VaultState => ({
    locked: secrets.locked,
    passphrase: secrets.hasPassphrase ? 'set' : 'none',
    secretsAreDurable: secrets.hostIsDurable,
  });
  const changed = (): VaultState => {
    emit({ kind: 'vault' });
    return stateOf();
  };
  const requests: VaultRequests = {
    verifyAudit: () => audit.verifyAudit(),
    exportAudit: (request, o) => audit.exportAudit(request, o),
    newRecoveryPhrase: async () => newRecoveryPhrase(random),
    createBackup: (request, o) => backup.createBackup(request, o),
    inspectBackup: (request, o) => backup.inspectBackup(request, o),
    restoreBackup: (request, o) => backup.restoreBackup(request, o),
    getVaultState: async () => stateOf(),
    async setPassphrase({ passphrase, current }) {
      await secrets.setPassphrase(passphrase, current);
      return changed();
    },
    async removePassphrase({ current }) {
      await secrets.removePassphrase(current);
      return changed();
    },
    async unlock({ passphrase }) {
      const was = secrets.locked;
      await secrets.unlock(passphrase);
      if (was) await deps.unlocked();
      return changed();
    },
  };
  return {
    requests,
    guard: (all) => guarded(all, () => secrets.locked),
    upkeep() {
      abandonOfDead(upkeepDeps);
      if (secrets.locked) return;
      ledger.expire();
      renewSeals(upkeepDeps);
    },
  };
}

function guarded(requests: QuMailRequests, locked: () => boolean): QuMailRequests {
  const entries = Object.entries(requests) as [keyof QuMailRequests, (...args: unknown[]) => unknown][];
  const all = entries.map(([name, run]) => {
    if (WITHOUT_SECRETS.has(name)) return [name, run];
    return [
      name,
      async (...args: unknown[]) => {
        if (locked()) throw new QuMailError('vault.locked');
        return run(...args);
      },
    ];
  });
  return Object.fromEntries(all) as QuMailRequests;
}
