import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { QuMailError } from '../../../src/core/base/errors.ts';
import type { Clock, RecordSealer } from '../../../src/core/base/ports.ts';
import { KeyLedger, type KeyState } from '../../../src/core/keys/keyLedger.ts';
import { LEDGER_MIGRATIONS } from '../../../src/core/keys/ledgerSchema.ts';
import type { DeliveredKey } from '../../../src/core/keys/etsi014.ts';

/** A small real sealer: AES-256-GCM under a key per purpose, type and id authenticated. SecureStorage does the same with epochs. */
export class TestSealer implements RecordSealer {
  readonly #master: Buffer;

  constructor(master: Buffer) {
    this.#master = master;
  }

  seal(purpose: 'keys' | 'mail', type: string, id: string, plaintext: Uint8Array): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(purpose), nonce).setAAD(Buffer.from(JSON.stringify([type, id])));
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  open(purpose: 'keys' | 'mail', type: string, id: string, sealed: Uint8Array): Buffer {
    const bytes = Buffer.from(sealed);
    const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(purpose), bytes.subarray(0, 12))
      .setAAD(Buffer.from(JSON.stringify([type, id])))
      .setAuthTag(bytes.subarray(-16));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    } catch (error) {
      throw new QuMailError('store.corrupt', {}, { cause: error });
    }
  }

  #keyOf(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#master, '', purpose, 32));
  }
}

/** A ledger over a real file, with the pragmas of the real vault, and time that the test sets. */
export interface LedgerWorld {
  readonly file: string;
  readonly db: DatabaseSync;
  readonly ledger: KeyLedger;
  readonly sealer: TestSealer;
  readonly time: { now: number };
  /** Another connection and ledger over the same file. */
  again(): { db: DatabaseSync; ledger: KeyLedger };
  /** The raw bytes of the database, its journal and its shared memory. */
  raw(): Buffer;
  dispose(): void;
}

export function openLedgerDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  return db;
}

export function startLedgerWorld(): LedgerWorld {
  const folder = mkdtempSync(join(tmpdir(), 'qumail-ledger-'));
  const file = join(folder, 'vault.db');
  const sealer = new TestSealer(Buffer.alloc(32, 7));
  const time = { now: 1_800_000_000_000 };
  const clock: Clock = { now: () => time.now, after: () => ({ dispose() {} }), sleep: () => Promise.resolve() };
  const opened: DatabaseSync[] = [];
  const again = (): { db: DatabaseSync; ledger: KeyLedger } => {
    const db = openLedgerDatabase(file);
    opened.push(db);
    return { db, ledger: new KeyLedger({ db, sealer, clock }) };
  };
  const { db, ledger } = again();
  for (const migration of LEDGER_MIGRATIONS) db.exec(migration.sql);
  return {
    file,
    db,
    ledger,
    sealer,
    time,
    again,
    raw: () => Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name)))),
    dispose() {
      for (const each of opened) if (each.isOpen) each.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export function newKeys(count: number, length = 32): DeliveredKey[] {
  return Array.from({ length: count }, () => ({ keyId: randomUUID(), bytes: randomBytes(length) }));
}

export const idsOf = (keys: readonly DeliveredKey[]): string[] => keys.map((key) => key.keyId);

export function statesOf(ledger: KeyLedger, accountId: string, keys: readonly DeliveredKey[]): (KeyState | undefined)[] {
  return keys.map((key) => ledger.stateOf(accountId, key.keyId));
}
