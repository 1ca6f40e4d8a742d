import type { DatabaseSync } from 'node:sqlite';
import { fromBase64url, toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock, Random, RecordSealer, Secrets, SealPurpose } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { EPOCH_ID_LENGTH, EPOCH_KEY_LENGTH, epochIdOf, openRecord, requireRecord, SALT_LENGTH, sealRecord } from './sealedRecord.ts';
import { Statements } from './statements.ts';

export interface SecureStorageDeps {
  /** The vault, with VAULT_MIGRATIONS applied. */
  readonly db: DatabaseSync;
  readonly secrets: Secrets;
  readonly random: Random;
  readonly clock: Clock;
  /** Whether `secrets` is locked with a passphrase: then the store opens without a key and gets them by `ensureEpoch` later. */
  readonly locked?: () => boolean;
}

interface Epoch {
  readonly purpose: SealPurpose;
  /** `YYYY-MM-DD` in UTC; '' for the one long-lived epoch of `mail`. */
  readonly day: string;
  /** `lost`: its key was missing from the secret store once; it opens records if the key is back, but seals none. */
  readonly state: 'live' | 'lost';
  readonly key: Buffer;
}

const DAY_MS = 86_400_000;

/**
 * The sealed local store. Records in the database are sealed under epoch keys that live in the secret store alone; deleting an
 * epoch key is what erases its records, overwriting a disk is not. `keys` has an epoch for every day, `mail` has one that stays.
 *
 * Several windows share one vault: whoever first commits the row of an epoch wins, the others take the winner's key.
 */
export class SecureStorage implements RecordSealer, Disposable {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #secrets: Secrets;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #locked: () => boolean;
  readonly #epochs = new Map<string, Epoch>();

  private constructor(deps: SecureStorageDeps) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#secrets = deps.secrets;
    this.#random = deps.random;
    this.#clock = deps.clock;
    this.#locked = deps.locked ?? (() => false);
  }

  /** Opens the store with every epoch it needs today; with none while its secrets are locked. @throws QuMailError `store.*` */
  static async open(deps: SecureStorageDeps): Promise<SecureStorage> {
    const storage = new SecureStorage(deps);
    if (!storage.#locked()) await storage.ensureEpoch();
    return storage;
  }

  /**
   * Makes sure of the epochs of today and tomorrow, and learns what other windows made or retired. Call it at least once a
   * day. Tomorrow's is made ahead so that a window whose midnight comes first seals nothing the others cannot open.
   */
  async ensureEpoch(): Promise<void> {
    await this.#load();
    await this.#ensure('mail', '');
    await this.#ensure('keys', this.#day(0));
    await this.#ensure('keys', this.#day(1));
  }

  /**
   * Deletes the keys of past `keys` epochs that no live record needs any more; returns how many. Yesterday's stays a day
   * longer, for a record that was being sealed at midnight.
   *
   * @param liveRecords every record sealed for `keys` that must stay readable, or its first 17 octets; asked inside the transaction
   */
  async retireEpochs(liveRecords: () => Iterable<Uint8Array>): Promise<number> {
    inTransaction(this.#db, () => {
      const live = new Set([...liveRecords()].map(epochIdOf));
      for (const row of this.#sql.all("SELECT id FROM epochs WHERE purpose = 'keys' AND state <> 'retiring' AND day < ?", this.#day(-1))) {
        const id = row.text('id');
        if (!live.has(id)) this.#sql.run("UPDATE epochs SET state = 'retiring' WHERE id = ?", id);
      }
    });
    // The row goes last: a crash in between leaves a row that says what is still to be deleted, never a key without one.
    const retiring = this.#sql.all("SELECT id FROM epochs WHERE state = 'retiring'").map((row) => row.text('id'));
    for (const id of retiring) {
      await this.#secrets.delete(epochSecret(id));
      this.#sql.run('DELETE FROM epochs WHERE id = ?', id);
      this.#forget(id);
    }
    return retiring.length;
  }

  seal(purpose: SealPurpose, type: string, id: string, plaintext: Uint8Array): Buffer {
    const [epochId, epoch] = this.#current(purpose);
    const row = this.#sql.get("UPDATE epochs SET sequence = sequence + 1 WHERE id = ? AND state = 'live' RETURNING sequence", epochId);
    if (!row) throw this.#missing(purpose);
    const seed = { epochId, epochKey: epoch.key, sequence: row.integer('sequence'), salt: this.#random.bytes(SALT_LENGTH) };
    return sealRecord({ type, id }, seed, plaintext);
  }

  open(purpose: SealPurpose, type: string, id: string, sealed: Uint8Array): Buffer {
    requireRecord(sealed);
    const epoch = this.#epochs.get(epochIdOf(sealed));
    if (!epoch) throw this.#missing(purpose);
    if (epoch.purpose !== purpose) throw new QuMailError('store.corrupt', { what: 'record' });
    return openRecord({ type, id }, epoch.key, sealed);
  }

  /** Keeps a secret in the secret store. `name` is dotted; one of its parts is the account's id if it belongs to one. */
  async putSecret(name: string, value: string): Promise<void> {
    // The name first: a secret that was written is always one that can be found again and erased.
    this.#sql.run('INSERT OR IGNORE INTO secret_names (name) VALUES (?)', name);
    await this.#secrets.set(secretKey(name), value);
  }

  getSecret(name: string): Promise<string | undefined> {
    return this.#secrets.get(secretKey(name));
  }

  async deleteSecret(name: string): Promise<void> {
    await this.#secrets.delete(secretKey(name));
    this.#sql.run('DELETE FROM secret_names WHERE name = ?', name);
  }

  /** Deletes every secret whose name has `accountId` as one of its parts. */
  async eraseAccount(accountId: string): Promise<void> {
    const names = this.#sql.all('SELECT name FROM secret_names').map((row) => row.text('name'));
    for (const name of names) if (name.split('.').includes(accountId)) await this.deleteSecret(name);
  }

  /** Wipes the epoch keys from memory. */
  dispose(): void {
    for (const id of [...this.#epochs.keys()]) this.#forget(id);
  }

  #day(offset: number): string {
    return new Date(this.#clock.now() + offset * DAY_MS).toISOString().slice(0, 10);
  }

  /** The epoch to seal under: today's; after a long sleep, the latest there is until `ensureEpoch` has run. */
  #current(purpose: SealPurpose): [string, Epoch] {
    const today = this.#day(0);
    const usable = [...this.#epochs].filter(([, epoch]) => epoch.purpose === purpose && epoch.state === 'live' && epoch.day <= today);
    const latest = usable.sort(([, a], [, b]) => (a.day < b.day ? 1 : -1))[0];
    if (!latest) throw this.#missing(purpose);
    return latest;
  }

  #missing(purpose: SealPurpose): QuMailError {
    return this.#locked() ? new QuMailError('vault.locked') : new QuMailError('store.secret-missing', { purpose });
  }

  /** Brings the keys in memory in line with the rows. A row whose key is gone from the secret store is marked `lost`. */
  async #load(): Promise<void> {
    const rows = this.#sql.all("SELECT id, purpose, day, state FROM epochs WHERE state <> 'retiring'");
    const states = new Map(rows.map((row) => [row.text('id'), row.text('state')]));
    for (const [id, epoch] of [...this.#epochs]) if (states.get(id) !== epoch.state) this.#forget(id);
    for (const row of rows) {
      const id = row.text('id');
      if (this.#epochs.has(id)) continue;
      const key = await this.#readKey(id);
      const state = row.oneOf('state', ['live', 'lost']);
      if (key) this.#epochs.set(id, { purpose: row.oneOf('purpose', ['keys', 'mail']), day: row.text('day'), state, key });
      else if (state === 'live') this.#sql.run("UPDATE epochs SET state = 'lost' WHERE id = ? AND state = 'live'", id);
    }
  }

  async #ensure(purpose: SealPurpose, day: string): Promise<void> {
    if (this.#liveId(purpose, day) === undefined) {
      const id = this.#random.bytes(EPOCH_ID_LENGTH).toString('hex');
      const key = this.#random.bytes(EPOCH_KEY_LENGTH);
      try {
        // The key is safe before a row names it; a row without a key would be records nobody can read.
        await this.#secrets.set(epochSecret(id), toBase64url(key));
      } finally {
        wipe(key);
      }
      const insert = "INSERT INTO epochs (id, purpose, day, state) VALUES (?, ?, ?, 'live') ON CONFLICT DO NOTHING";
      const won = inTransaction(this.#db, () => this.#sql.run(insert, id, purpose, day).changes === 1);
      if (!won) await this.#secrets.delete(epochSecret(id));
    }
    await this.#load();
  }

  #liveId(purpose: SealPurpose, day: string): string | undefined {
    return this.#sql.get("SELECT id FROM epochs WHERE purpose = ? AND day = ? AND state = 'live'", purpose, day)?.text('id');
  }

  async #readKey(id: string): Promise<Buffer | undefined> {
    const key = fromBase64url((await this.#secrets.get(epochSecret(id))) ?? '');
    return key?.byteLength === EPOCH_KEY_LENGTH ? key : undefined;
  }

  #forget(id: string): void {
    wipe(this.#epochs.get(id)?.key);
    this.#epochs.delete(id);
  }
}

function epochSecret(id: string): string {
  return `qumail.epoch.${id}`;
}

function secretKey(name: string): string {
  return `qumail.secret.${name}`;
}
