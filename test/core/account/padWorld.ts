import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PadService } from '../../../src/core/account/padService.ts';
import { PadKeySources } from '../../../src/core/account/padSource.ts';
import { PadVault } from '../../../src/core/account/padVault.ts';
import type { AccountService } from '../../../src/core/account/accountService.ts';
import type { QuMailEvent } from '../../../src/core/api.ts';
import type { Clock } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { KeyAudit } from '../../../src/core/keys/audit.ts';
import { KeyLedger } from '../../../src/core/keys/keyLedger.ts';
import { LEDGER_MIGRATIONS } from '../../../src/core/keys/ledgerSchema.ts';
import { ContactStore } from '../../../src/core/store/contacts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { PAD_MIGRATIONS } from '../../../src/core/store/padSchema.ts';
import { PadStore } from '../../../src/core/store/padStore.ts';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { addAccount, folderSecrets } from '../store/vaultFixture.ts';

/** One person's vault as far as pads go: everything real but the mail account. The account's id is its name. */
export async function openPadWorld(folder: string, name: string, clock: Clock = systemClock) {
  const db = openDatabase(join(folder, 'vault.db'), {
    durability: 'full',
    migrations: [...VAULT_MIGRATIONS, ...LEDGER_MIGRATIONS, ...PAD_MIGRATIONS],
  });
  const email = `${name}@example.org`;
  if (!db.prepare('SELECT 1 FROM accounts WHERE id = ?').get(name)) addAccount(db, name);
  const storage = await SecureStorage.open({ db, secrets: folderSecrets(`${folder}-secrets`), random: systemRandom, clock });
  const padFolder = join(folder, 'pads');
  mkdirSync(padFolder, { recursive: true });
  const store = new PadStore({ db, sealer: storage });
  const ledger = new KeyLedger({ db, sealer: storage, clock });
  const audit = new KeyAudit({ db, sealer: storage });
  const vault = new PadVault({ folder: padFolder, store, ledger, audit, clock });
  const contacts = new ContactStore({ db });
  const events: QuMailEvent[] = [];
  const account = { fetch: async () => {} };
  const accounts = { get: () => account, addressOf: () => ({ name, address: email }) } as unknown as AccountService;
  const service = new PadService({ store, vault, contacts, accounts, clock, random: systemRandom, emit: (event) => events.push(event) });
  return {
    accountId: name,
    email,
    folder,
    padFolder,
    db,
    storage,
    store,
    ledger,
    audit,
    vault,
    contacts,
    events,
    service,
    sources: new PadKeySources({ store, vault }),
    close() {
      storage.dispose();
      db.close();
    },
  };
}

export type PadWorld = Awaited<ReturnType<typeof openPadWorld>>;
