import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Secrets } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { AccountStore, type AccountRecord } from '../../../src/core/store/accounts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';

const made: string[] = [];

/** A folder of its own, gone after the test file. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qumail-store-'));
  // The secrets of its windows lie beside it.
  made.push(folder, `${folder}-secrets`);
  return folder;
}

export function removeTempFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Secrets that several processes share, as windows share VS Code's: one file for each, written whole or not at all. */
export function folderSecrets(folder: string): Secrets & { names(): string[] } {
  mkdirSync(folder, { recursive: true });
  const fileOf = (key: string): string => join(folder, encodeURIComponent(key));
  return {
    async get(key) {
      try {
        return readFileSync(fileOf(key), 'utf8');
      } catch {
        return undefined;
      }
    },
    async set(key, value) {
      const draft = `${fileOf(key)}.${process.pid}`;
      writeFileSync(draft, value);
      renameSync(draft, fileOf(key));
    },
    async delete(key) {
      rmSync(fileOf(key), { force: true });
    },
    names: () => readdirSync(folder).map(decodeURIComponent).sort(),
  };
}

/** A clock that a test sets. */
export function movableClock(start: string): Clock & { set(time: string): void } {
  let now = Date.parse(start);
  return { ...systemClock, now: () => now, set: (time) => void (now = Date.parse(time)) };
}

export interface Vault {
  readonly folder: string;
  readonly file: string;
  readonly db: DatabaseSync;
  readonly secrets: ReturnType<typeof folderSecrets>;
  readonly storage: SecureStorage;
  close(): void;
}

/** The vault of a folder, opened as an engine does it. */
export async function openVault(folder: string, clock: Clock = systemClock): Promise<Vault> {
  const file = join(folder, 'vault.db');
  const db = openDatabase(file, { durability: 'full', migrations: VAULT_MIGRATIONS });
  const secrets = folderSecrets(`${folder}-secrets`);
  const storage = await SecureStorage.open({ db, secrets, random: systemRandom, clock });
  return {
    folder,
    file,
    db,
    secrets,
    storage,
    close() {
      storage.dispose();
      db.close();
    },
  };
}

const server = (port: number) => ({ host: 'mail.example.org', port, security: 'tls' as const });

export function accountRecord(id: string, change: Partial<AccountRecord> = {}): AccountRecord {
  return {
    id,
    email: `${id}@example.org`,
    displayName: id,
    provider: 'qumail_native',
    userId: id,
    servers: { imap: server(993), smtp: server(465) },
    createdAt: 1,
    lastLogin: 2,
    ...change,
  };
}

export function addAccount(db: DatabaseSync, id: string): void {
  new AccountStore({ db }).insert(accountRecord(id));
}

/** The bytes of every file in a folder, write-ahead logs included. */
export function rawBytes(folder: string): Buffer {
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
}
