import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { toDisposable, type DisposableStore } from './base/lifetime.ts';
import type { Clock, Random } from './base/ports.ts';
import { KeyAudit } from './keys/audit.ts';
import { KeyLedger } from './keys/keyLedger.ts';
import { LEDGER_MIGRATIONS } from './keys/ledgerSchema.ts';
import type { EngineOptions } from './api.ts';
import { AccountStore } from './store/accounts.ts';
import { ContactStore } from './store/contacts.ts';
import { openDatabase } from './store/database.ts';
import { DraftStore } from './store/drafts.ts';
import { KeyManagerStore } from './store/keyManagers.ts';
import { MAIL_MIGRATIONS } from './store/mailSchema.ts';
import { MessageStore } from './store/messages.ts';
import { OutboxStore } from './store/outbox.ts';
import { SealedMailStore } from './store/sealedMail.ts';
import { SecureStorage } from './store/secureStorage.ts';
import { VAULT_MIGRATIONS } from './store/vaultSchema.ts';

/** Everything that is kept: what must never be lost or read by others in the vault, what the server can give again beside it. */
export interface CoreStores {
  readonly vault: DatabaseSync;
  readonly cache: DatabaseSync;
  readonly storage: SecureStorage;
  readonly accounts: AccountStore;
  readonly contacts: ContactStore;
  readonly managers: KeyManagerStore;
  readonly drafts: DraftStore;
  readonly outbox: OutboxStore;
  readonly sealedMail: SealedMailStore;
  readonly messages: MessageStore;
  readonly ledger: KeyLedger;
  readonly audit: KeyAudit;
}

/**
 * Opens both databases under `options.storageDir` and the stores in them; `owned` closes them.
 *
 * @throws QuMailError `store.*` when the folder cannot be opened or its secrets are gone
 */
export async function openStores(
  options: Pick<EngineOptions, 'storageDir' | 'secrets'>,
  ports: { clock: Clock; random: Random },
  owned: DisposableStore,
): Promise<CoreStores> {
  const { clock, random } = ports;
  mkdirSync(options.storageDir, { recursive: true, mode: 0o700 });
  const vault = openDatabase(join(options.storageDir, 'vault.db'), {
    durability: 'full',
    migrations: [...VAULT_MIGRATIONS, ...LEDGER_MIGRATIONS],
  });
  owned.add(toDisposable(() => vault.close()));
  const cache = openDatabase(join(options.storageDir, 'mail.db'), { durability: 'normal', migrations: MAIL_MIGRATIONS });
  owned.add(toDisposable(() => cache.close()));
  const storage = owned.add(await SecureStorage.open({ db: vault, secrets: options.secrets, random, clock }));
  return {
    vault,
    cache,
    storage,
    accounts: new AccountStore({ db: vault }),
    contacts: new ContactStore({ db: vault }),
    managers: new KeyManagerStore({ db: vault }),
    drafts: new DraftStore({ db: vault, sealer: storage }),
    outbox: new OutboxStore({ db: vault, sealer: storage, now: () => clock.now() }),
    sealedMail: new SealedMailStore({ db: vault, sealer: storage }),
    messages: new MessageStore({ db: cache }),
    ledger: new KeyLedger({ db: vault, sealer: storage, clock }),
    audit: new KeyAudit({ db: vault }),
  };
}
