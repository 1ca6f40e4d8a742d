import type { DatabaseSync } from 'node:sqlite';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Random, Secrets } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { LOG2_N, newVaultKey, unwrapVaultKey, wrapVaultKey, type WrappedKey } from './passphraseKey.ts';
import { openRecord, requireRecord, SALT_LENGTH, sealRecord } from './sealedRecord.ts';
import { type Row, Statements } from './statements.ts';

export interface PassphraseVaultDeps {
  /** The vault, with PASSPHRASE_MIGRATIONS applied. */
  readonly db: DatabaseSync;
  /** The host's secret store. */
  readonly host: Secrets;
  /** False where what the host keeps is gone after a restart: a desktop without a keyring. */
  readonly hostIsDurable: boolean;
  readonly random: Random;
  /** Base-2 logarithm of scrypt's N; default 17. */
  readonly log2N?: number;
}

interface OpenKey {
  readonly keyId: string;
  readonly key: Buffer;
}

/**
 * Every secret of the engine (epoch keys, tokens, passwords, client keys) by its name: in the host's secret store, or, once a passphrase is
 * set, in the vault under a vault key that only the passphrase opens. Setting, changing and removing a passphrase are one transaction each;
 * what a crash leaves undone around it is done by the next `unlock` or removal. Each window unlocks for itself.
 *
 * A copy in the host's store that differs from ours was put there by a window that had not heard of the passphrase, so it is the newer one.
 */
export class PassphraseVault implements Secrets, Disposable {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #deps: PassphraseVaultDeps;
  #open: OpenKey | undefined;

  constructor(deps: PassphraseVaultDeps) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#deps = deps;
  }

  get hostIsDurable(): boolean {
    return this.#deps.hostIsDurable;
  }

  get hasPassphrase(): boolean {
    return this.#keyId() !== undefined;
  }

  /** True while a passphrase is set that this window has not been given. */
  get locked(): boolean {
    const keyId = this.#keyId();
    return keyId !== undefined && keyId !== this.#open?.keyId;
  }

  /** @throws QuMailError `vault.locked` */
  async get(name: string): Promise<string | undefined> {
    const key = this.#key();
    if (!key) return this.#deps.host.get(name);
    const row = this.#sql.get('SELECT name, sealed FROM passphrase_secrets WHERE name = ?', name);
    if (row) return openSecret(row, key);
    // Written before names were kept, or by a window that did not know of the passphrase yet.
    const value = await this.#deps.host.get(name);
    if (value !== undefined) await this.set(name, value).then(() => this.#deps.host.delete(name));
    return value;
  }

  /** @throws QuMailError `vault.locked` */
  async set(name: string, value: string): Promise<void> {
    if (!this.#key()) {
      this.#sql.run('INSERT OR IGNORE INTO host_secret_names (name) VALUES (?)', name);
      await this.#deps.host.set(name, value);
      if (!this.hasPassphrase) return;
      if (this.locked) throw new QuMailError('vault.locked');
      await this.#deps.host.delete(name);
    }
    // A copy that stayed in the host's store would later pass for a newer one.
    if (this.#sql.get("SELECT 1 FROM passphrase_secrets WHERE name = ? AND state = 'copied'", name)) await this.#deps.host.delete(name);
    inTransaction(this.#db, () => this.#put(name, value, 'own', this.#need()));
  }

  /** @throws QuMailError `vault.locked` */
  async delete(name: string): Promise<void> {
    if (this.#key()) this.#sql.run('DELETE FROM passphrase_secrets WHERE name = ?', name);
    await this.#deps.host.delete(name);
    this.#sql.run('DELETE FROM host_secret_names WHERE name = ?', name);
  }

  /**
   * Sets the first passphrase, or another in place of `current`.
   *
   * @throws QuMailError `vault.weak-passphrase`, `vault.wrong-passphrase`, `vault.locked` where another window has set one meanwhile
   */
  async setPassphrase(next: string, current: string | undefined): Promise<void> {
    const wrapped = this.#wrapped();
    if (wrapped) return this.#change(next, wrapped, current);
    const fresh = newVaultKey(this.#deps.random);
    try {
      const wrap = await this.#wrap(next, fresh);
      const values = await this.#hostSecrets();
      inTransaction(this.#db, () => {
        if (this.hasPassphrase) throw new QuMailError('vault.locked');
        this.#store(wrap);
        for (const [name, value] of values) this.#put(name, value, 'copied', fresh);
      });
    } catch (error) {
      wipe(fresh.key);
      throw error;
    }
    this.#take(fresh);
    await this.#settle();
  }

  /** Gives the secrets back to the host. @throws QuMailError `vault.wrong-passphrase`, `vault.passphrase-needed` */
  async removePassphrase(current: string): Promise<void> {
    const wrapped = this.#wrapped();
    if (!wrapped) return;
    await this.#unwrap(current, wrapped);
    if (!this.#deps.hostIsDurable) throw new QuMailError('vault.passphrase-needed');
    const given = this.#all();
    for (const [name, value] of given) {
      this.#sql.run('INSERT OR IGNORE INTO host_secret_names (name) VALUES (?)', name);
      await this.#deps.host.set(name, value);
    }
    // What another window changed meanwhile is given again, until nothing did.
    const changed = inTransaction(this.#db, () => {
      const now = this.#all();
      if (now.size !== given.size || [...now].some(([name, value]) => given.get(name) !== value)) return true;
      this.#sql.run('DELETE FROM passphrase');
      this.#sql.run('DELETE FROM passphrase_secrets');
      return false;
    });
    if (changed) {
      for (const name of given.keys()) await this.#deps.host.delete(name);
      return this.removePassphrase(current);
    }
    this.dispose();
  }

  /** @throws QuMailError `vault.wrong-passphrase` */
  async unlock(passphrase: string): Promise<void> {
    const wrapped = this.#wrapped();
    if (!wrapped) return;
    await this.#unwrap(passphrase, wrapped);
    await this.#settle();
  }

  /** Wipes the vault key from memory: locked again. */
  dispose(): void {
    wipe(this.#open?.key);
    this.#open = undefined;
  }

  async #change(next: string, wrapped: WrappedKey, current: string | undefined): Promise<void> {
    await this.#unwrap(current ?? '', wrapped);
    const rewrapped = await this.#wrap(next, this.#need());
    // The key stays, so that no secret has to be sealed anew and other windows stay open.
    inTransaction(this.#db, () => {
      if (this.#keyId() !== wrapped.keyId) throw new QuMailError('vault.locked');
      this.#store(rewrapped);
    });
  }

  async #unwrap(passphrase: string, wrapped: WrappedKey): Promise<void> {
    this.#take({ keyId: wrapped.keyId, key: await unwrapVaultKey(passphrase, wrapped) });
  }

  #wrap(passphrase: string, key: OpenKey): Promise<WrappedKey> {
    return wrapVaultKey(passphrase, key, { random: this.#deps.random, log2N: this.#deps.log2N ?? LOG2_N });
  }

  #take(key: OpenKey): void {
    this.dispose();
    this.#open = key;
  }

  /** Moves in what still lies in the host's store. */
  async #settle(): Promise<void> {
    for (const name of this.#names()) {
      const value = await this.#deps.host.get(name);
      const known = this.#sql.get('SELECT name, state, sealed FROM passphrase_secrets WHERE name = ?', name);
      const key = this.#need();
      if (value !== undefined) {
        if (!known || openSecret(known, key) !== value) inTransaction(this.#db, () => this.#put(name, value, 'copied', key));
        await this.#deps.host.delete(name);
      }
      this.#sql.run("UPDATE passphrase_secrets SET state = 'own' WHERE name = ?", name);
    }
  }

  async #hostSecrets(): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    for (const name of this.#names()) {
      const value = await this.#deps.host.get(name);
      if (value !== undefined) values.set(name, value);
    }
    return values;
  }

  /** Names of secrets that are or may be somewhere: kept by us, and epochs, whose names the vault has always known. */
  #names(): string[] {
    const sql = `SELECT name FROM host_secret_names UNION SELECT name FROM passphrase_secrets
      UNION SELECT 'qumail.epoch.' || id FROM epochs UNION SELECT 'qumail.secret.' || name FROM secret_names ORDER BY name`;
    return this.#sql.all(sql).map((row) => row.text('name'));
  }

  #all(): Map<string, string> {
    const key = this.#need();
    return new Map(this.#sql.all('SELECT name, sealed FROM passphrase_secrets').map((row) => [row.text('name'), openSecret(row, key)]));
  }

  #put(name: string, value: string, state: 'copied' | 'own', { keyId, key }: OpenKey): void {
    const counted = this.#sql.get('UPDATE passphrase SET sequence = sequence + 1 WHERE key_id = ? RETURNING sequence', keyId);
    if (!counted) throw new QuMailError('vault.locked');
    const seed = { epochId: keyId, epochKey: key, sequence: counted.integer('sequence'), salt: this.#deps.random.bytes(SALT_LENGTH) };
    const bytes = Buffer.from(value, 'utf8');
    try {
      this.#sql.run(
        `INSERT INTO passphrase_secrets (name, state, sealed) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET state = excluded.state, sealed = excluded.sealed`,
        name,
        state,
        sealRecord({ type: 'secret', id: name }, seed, bytes),
      );
    } finally {
      wipe(bytes);
    }
  }

  #store({ keyId, log2N, salt, wrapped }: WrappedKey): void {
    this.#sql.run(
      `INSERT INTO passphrase (id, key_id, log2_n, salt, wrapped_key) VALUES (1, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, log2_n = excluded.log2_n, salt = excluded.salt, wrapped_key = excluded.wrapped_key`,
      keyId,
      log2N,
      salt,
      wrapped,
    );
  }

  #wrapped(): WrappedKey | undefined {
    const row = this.#sql.get('SELECT key_id, log2_n, salt, wrapped_key FROM passphrase');
    return row && { keyId: row.text('key_id'), log2N: row.integer('log2_n'), salt: row.blob('salt'), wrapped: row.blob('wrapped_key') };
  }

  #keyId(): string | undefined {
    return this.#sql.get('SELECT key_id FROM passphrase')?.text('key_id');
  }

  /** The vault key; undefined where no passphrase is set. @throws QuMailError `vault.locked` */
  #key(): OpenKey | undefined {
    const keyId = this.#keyId();
    if (keyId === undefined) return undefined;
    if (this.#open?.keyId !== keyId) throw new QuMailError('vault.locked');
    return this.#open;
  }

  #need(): OpenKey {
    const key = this.#key();
    if (!key) throw new QuMailError('vault.locked');
    return key;
  }
}

function openSecret(row: Row, { key }: OpenKey): string {
  const sealed = row.blob('sealed');
  requireRecord(sealed);
  const bytes = openRecord({ type: 'secret', id: row.text('name') }, key, sealed);
  try {
    return bytes.toString('utf8');
  } finally {
    wipe(bytes);
  }
}
