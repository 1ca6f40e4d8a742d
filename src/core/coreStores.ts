import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { toDisposable, type DisposableStore } from './base/lifetime.ts';
import type { Clock, Migration, Random } from './base/ports.ts';
import { named } from './base/sqliteErrors.ts';
import { KeyAudit } from './keys/audit.ts';
import { KeyLedger } from './keys/keyLedger.ts';
import { LEDGER_MIGRATIONS } from './keys/ledgerSchema.ts';
import { ENGINE_VERSION, OPENED_BY_UPGRADES } from './account/stored.ts';
import type { EngineOptions } from './api.ts';
import { AccountStore } from './store/accounts.ts';
import { ACTION_MIGRATIONS } from './store/actionsSchema.ts';
import { CertificateStore } from './store/certificates.ts';
import { ChatErasures } from './store/chatErasures.ts';
import { ChatExtras } from './store/chatExtras.ts';
import { ChatOwed } from './store/chatOwed.ts';
import { ChatStore } from './store/chats.ts';
import { CHAT_MIGRATIONS } from './store/chatSchema.ts';
import { ChatUnsent } from './store/chatUnsent.ts';
import { ChatWaiting } from './store/chatWaiting.ts';
import { ContactStore } from './store/contacts.ts';
import { openDatabase } from './store/database.ts';
import { DraftStore } from './store/drafts.ts';
import { DRAFT_MIGRATIONS } from './store/draftsSchema.ts';
import { FolderChoices } from './store/folderChoices.ts';
import { KeyManagerStore } from './store/keyManagers.ts';
import { MailCache, type MailCacheDeps } from './store/mailCache.ts';
import { MAIL_MIGRATIONS } from './store/mailSchema.ts';
import { MessageStore } from './store/messages.ts';
import { OfflineStore } from './store/offline.ts';
import { OutboxStore } from './store/outbox.ts';
import { PAD_MIGRATIONS } from './store/padSchema.ts';
import { PadStore } from './store/padStore.ts';
import { OWN_CERT_MIGRATIONS } from './store/ownCertSchema.ts';
import { OwnCertificateStore } from './store/ownCertificateStore.ts';
import { OwnCopyStore } from './store/ownCopyStore.ts';
import { PASSPHRASE_MIGRATIONS } from './store/passphraseSchema.ts';
import { PassphraseVault } from './store/passphraseVault.ts';
import { SavedSearchStore } from './store/savedSearches.ts';
import { SealedMailStore } from './store/sealedMail.ts';
import { SearchIndex } from './store/searchIndex.ts';
import { SAVED_SEARCH_MIGRATIONS, SEARCH_MIGRATIONS } from './store/searchSchema.ts';
import { SecureStorage } from './store/secureStorage.ts';
import { TRUST_MIGRATIONS } from './store/trustSchema.ts';
import { VAULT_MIGRATIONS } from './store/vaultSchema.ts';

/** The steps of vault.db, of each room that keeps tables in it. */
export const VAULT_ROOMS: readonly (readonly Migration[])[] = [
  VAULT_MIGRATIONS,
  ACTION_MIGRATIONS,
  DRAFT_MIGRATIONS,
  LEDGER_MIGRATIONS,
  PAD_MIGRATIONS,
  TRUST_MIGRATIONS,
  OWN_CERT_MIGRATIONS,
  PASSPHRASE_MIGRATIONS,
  SAVED_SEARCH_MIGRATIONS,
  CHAT_MIGRATIONS,
];
/** The same of mail.db. */
export const MAIL_ROOMS: readonly (readonly Migration[])[] = [MAIL_MIGRATIONS, SEARCH_MIGRATIONS];

/** Everything that is kept: what must never be lost or read by others in the vault, what the server can give again beside it. */
export interface CoreStores {
  readonly vault: DatabaseSync;
  readonly cache: DatabaseSync;
  readonly mailCache: MailCache;
  readonly storage: SecureStorage;
  /** Every secret of the engine, wherever it lies. */
  readonly secrets: PassphraseVault;
  readonly accounts: AccountStore;
  readonly contacts: ContactStore;
  readonly certificates: CertificateStore;
  readonly ownCertificates: OwnCertificateStore;
  readonly managers: KeyManagerStore;
  readonly drafts: DraftStore;
  readonly outbox: OutboxStore;
  readonly sealedMail: SealedMailStore;
  readonly messages: MessageStore;
  readonly savedSearches: SavedSearchStore;
  readonly search: SearchIndex;
  readonly offline: OfflineStore;
  readonly folderChoices: FolderChoices;
  readonly ledger: KeyLedger;
  readonly audit: KeyAudit;
  readonly chats: ChatStore;
  readonly chatExtras: ChatExtras;
  readonly chatWaiting: ChatWaiting;
  readonly chatUnsent: ChatUnsent;
  readonly chatErasures: ChatErasures;
  readonly chatOwed: ChatOwed;
  readonly ownCopies: OwnCopyStore;
  readonly pads: PadStore;
  /** Where the octets of pads lie. */
  readonly padFolder: string;
}

/**
 * Opens both databases under `options.storageDir` and the stores in them; `owned` closes them.
 *
 * @throws QuMailError `store.*` when the folder cannot be opened or its secrets are gone
 */
export async function openStores(
  options: Pick<EngineOptions, 'storageDir' | 'secrets' | 'secretsAreDurable'> & Pick<MailCacheDeps, 'rebuilt'>,
  ports: { clock: Clock; random: Random },
  owned: DisposableStore,
): Promise<CoreStores> {
  const { clock, random } = ports;
  named(() => mkdirSync(options.storageDir, { recursive: true, mode: 0o700 }));
  const vault = openDatabase(join(options.storageDir, 'vault.db'), {
    durability: 'full',
    migrations: VAULT_ROOMS.flat(),
  });
  owned.add(toDisposable(() => vault.close()));
  const { storageDir: dir, rebuilt } = options;
  const mailCache = owned.add(new MailCache({ dir, vault, migrations: MAIL_ROOMS.flat(), ...(rebuilt && { rebuilt }) }));
  const cache = mailCache.db;
  const search = new SearchIndex({ db: cache });
  const padFolder = join(options.storageDir, 'pads');
  mkdirSync(padFolder, { recursive: true, mode: 0o700 });
  const secrets = owned.add(
    new PassphraseVault({ db: vault, host: options.secrets, hostIsDurable: options.secretsAreDurable ?? true, random }),
  );
  const storage = owned.add(await SecureStorage.open({ db: vault, secrets, random, clock, locked: () => secrets.locked }));
  const messages = new MessageStore({ db: cache, indexer: search });
  const folderChoices = new FolderChoices({ db: vault });
  folderChoices.takeOver(cache);
  messages.reviveFailed(OPENED_BY_UPGRADES, ENGINE_VERSION);
  return {
    vault,
    cache,
    mailCache,
    storage,
    secrets,
    accounts: new AccountStore({ db: vault }),
    contacts: new ContactStore({ db: vault }),
    certificates: new CertificateStore({ db: vault, sealer: storage }),
    ownCertificates: new OwnCertificateStore({ db: vault, sealer: storage }),
    managers: new KeyManagerStore({ db: vault }),
    drafts: new DraftStore({ db: vault, sealer: storage }),
    outbox: new OutboxStore({ db: vault, sealer: storage, now: () => clock.now() }),
    sealedMail: new SealedMailStore({ db: vault, sealer: storage }),
    messages,
    offline: new OfflineStore({ db: cache, indexer: search, choices: folderChoices }),
    folderChoices,
    savedSearches: new SavedSearchStore({ db: vault, sealer: storage }),
    search,
    ledger: new KeyLedger({ db: vault, sealer: storage, clock }),
    pads: new PadStore({ db: vault, sealer: storage }),
    padFolder,
    chats: new ChatStore({ db: vault, sealer: storage }),
    chatExtras: new ChatExtras({ db: vault, sealer: storage }),
    chatWaiting: new ChatWaiting({ db: vault }),
    chatUnsent: new ChatUnsent({ db: vault, sealer: storage }),
    chatErasures: new ChatErasures({ db: vault }),
    chatOwed: new ChatOwed({ db: vault }),
    ownCopies: new OwnCopyStore({ db: vault }),
    audit: new KeyAudit({ db: vault, sealer: storage }),
  };
}
