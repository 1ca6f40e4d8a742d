import { AuditService } from './account/auditService.ts';
import { BackupService } from './account/backupService.ts';
import { readReport } from './account/sealReport.ts';
import type { QuMailEvent, QuMailRequests } from './api.ts';
import type { VaultState } from './base/backup.ts';
import { fromBase64url } from './base/bytes.ts';
import { QuMailError } from './base/errors.ts';
import { toDisposable, type DisposableStore } from './base/lifetime.ts';
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
  /** The key sources' own part of the hourly housekeeping. */
  readonly keepKeys: () => void;
  readonly restartAccounts: () => void;
  /** Starts everything that works in the background, once the accounts do. */
  readonly start: () => void;
}

export interface VaultArea {
  readonly requests: VaultRequests;
  /** The requests as they are answered: `vault.locked` while a passphrase is wanted, but for those that need no secret. */
  guard(requests: QuMailRequests): QuMailRequests;
  /** Enters a message that was opened elsewhere into the key ledger, in the transaction of its record. */
  remember(record: SealedMailRecord): void;
  /** Starts the engine's work, and its housekeeping every hour; a locked engine waits for its passphrase first. */
  begin(): Promise<void>;
  readonly started: boolean;
}

const HOUR = 3_600_000;
/** Keys reserved this long ago belong to a send that died with its process. */
const STALE_RESERVATION = HOUR;

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
export function openVaultArea(deps: VaultAreaDeps, owned: DisposableStore): VaultArea {
  const { stores, clock, random, emit, log } = deps;
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
    accounts: stores.accounts,
    clock,
    random,
    log,
    restored: () => {
      deps.restartAccounts();
      for (const kind of ['accounts', 'drafts', 'key-managers', 'saved-searches'] as const) emit({ kind });
      for (const { id } of stores.accounts.list()) {
        stores.ownCopies.setShared(id, clock.now());
        for (const kind of ['contacts', 'chats'] as const) emit({ kind, accountId: id });
      }
    },
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

  const housekeeping = async (): Promise<void> => {
    try {
      ledger.abandonStale(clock.now() - STALE_RESERVATION);
      abandonOfDead(upkeepDeps);
      ledger.expire();
      await storage.ensureEpoch();
      renewSeals(upkeepDeps);
      stores.ownCertificates.reseal();
      deps.keepKeys();
      const sealed = [ledger, stores.pads, stores.ownCertificates];
      await storage.retireEpochs(() => sealed.flatMap((store) => store.sealedRecords()));
    } catch (error) {
      log.warn('housekeeping-failed', { code: QuMailError.from(error).code });
    }
    if (!owned.disposed) next = clock.after(HOUR, () => void housekeeping());
  };
  let next = toDisposable(() => {});
  owned.add(toDisposable(() => next.dispose()));
  let started = false;
  const start = async (): Promise<void> => {
    if (started) return;
    started = true;
    await housekeeping();
    deps.restartAccounts();
    deps.start();
  };
  const unlocked = async (): Promise<void> => {
    await storage.ensureEpoch();
    // Connections that were made before another window set the passphrase were refused their credentials meanwhile.
    if (started) deps.restartAccounts();
    await start();
  };

  const requests: VaultRequests = {
    verifyAudit: () => audit.verifyAudit(),
    exportAudit: (request, o) => audit.exportAudit(request, o),
    newRecoveryPhrase: async () => newRecoveryPhrase(random),
    createBackup: (request, o) => {
      // Before anything is read, so that nothing that arrives meanwhile is in neither of the two.
      for (const { id } of stores.accounts.list()) stores.ownCopies.setShared(id, clock.now());
      return backup.createBackup(request, o);
    },
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
      if (was) await unlocked();
      return changed();
    },
  };
  return {
    requests,
    remember,
    guard: (all) => guarded(all, () => secrets.locked),
    get started() {
      return started;
    },
    async begin() {
      if (!secrets.locked) await start();
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
