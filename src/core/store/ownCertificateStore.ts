import type { DatabaseSync } from 'node:sqlite';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { type Row, Statements } from './statements.ts';

export interface OwnCertificateRecord {
  readonly accountId: string;
  /** Upper-case hex, 64 characters. */
  readonly fingerprint: string;
  /** Binary transferable public key. */
  readonly certificate: Buffer;
  readonly createdAt: number;
  /** When the newest encryption subkey was made. */
  readonly rotatedAt: number;
  /** Counts changes of this row. */
  readonly version: number;
}

const TYPE = 'own-certificate.secret';

/**
 * Own certificates with their secret keys. Rows go with their account. The secrets lie under the daily epochs of one-time keys and are sealed
 * anew each day (`reseal`): a subkey that was taken out is gone with the epoch key of its last day, whatever is left of it on the disk.
 */
export class OwnCertificateStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  get(accountId: string): OwnCertificateRecord | undefined {
    const row = this.#sql.get('SELECT * FROM own_certificates WHERE account_id = ?', accountId);
    return row && recordOf(row);
  }

  /** The unprotected transferable secret key; the caller wipes it. @throws QuMailError `store.secret-missing`, `store.corrupt` */
  secretOf(accountId: string): Buffer | undefined {
    const row = this.#sql.get('SELECT sealed_secret, epoch FROM own_certificates WHERE account_id = ?', accountId);
    return row && this.#sealer.open(row.oneOf('epoch', ['keys', 'mail']), TYPE, accountId, row.blob('sealed_secret'));
  }

  /** Adds the account's certificate unless another window was first; says which of the two it was. @throws QuMailError `account.missing` */
  add(record: OwnCertificateRecord, secretKey: Uint8Array): 'added' | 'another-was-first' {
    return inTransaction(this.#db, () => {
      if (this.get(record.accountId)) return 'another-was-first';
      this.#sql.run(
        `INSERT INTO own_certificates (account_id, fingerprint, certificate, created_at, rotated_at, version, sealed_secret, epoch)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'keys')`,
        record.accountId,
        record.fingerprint,
        record.certificate,
        record.createdAt,
        record.rotatedAt,
        record.version,
        this.#sealer.seal('keys', TYPE, record.accountId, secretKey),
      );
      return 'added';
    });
  }

  /** Puts `next` in the place of version `next.version - 1`; leaves everything as it is where another window was faster. */
  replace(next: OwnCertificateRecord, secretKey: Uint8Array): 'replaced' | 'another-was-first' {
    return inTransaction(this.#db, () => {
      const { changes } = this.#sql.run(
        `UPDATE own_certificates SET fingerprint = ?, certificate = ?, created_at = ?, rotated_at = ?, version = ?, sealed_secret = ?, epoch = 'keys'
         WHERE account_id = ? AND version = ?`,
        next.fingerprint,
        next.certificate,
        next.createdAt,
        next.rotatedAt,
        next.version,
        this.#sealer.seal('keys', TYPE, next.accountId, secretKey),
        next.accountId,
        next.version - 1,
      );
      return changes === 1 ? 'replaced' : 'another-was-first';
    });
  }

  /** The start of every record under a daily epoch, so that SecureStorage can tell which epoch keys are still needed. */
  sealedRecords(): Uint8Array[] {
    return this.#sql
      .all("SELECT substr(sealed_secret, 1, 17) AS sealed FROM own_certificates WHERE epoch = 'keys'")
      .map((row) => row.blob('sealed'));
  }

  /** Seals every secret under today's epoch. Call it daily, before old epochs are retired. One whose epoch key is lost stays as it is. */
  reseal(): void {
    for (const accountId of this.#sql.all('SELECT account_id FROM own_certificates').map((row) => row.text('account_id'))) {
      inTransaction(this.#db, () => {
        let secret: Buffer | undefined;
        try {
          secret = this.secretOf(accountId);
          if (!secret) return;
          const sealed = this.#sealer.seal('keys', TYPE, accountId, secret);
          this.#sql.run("UPDATE own_certificates SET sealed_secret = ?, epoch = 'keys' WHERE account_id = ?", sealed, accountId);
        } catch (error) {
          if (!QuMailError.is(error, 'store.secret-missing')) throw error;
        } finally {
          wipe(secret);
        }
      });
    }
  }
}

function recordOf(row: Row): OwnCertificateRecord {
  return {
    accountId: row.text('account_id'),
    fingerprint: row.text('fingerprint'),
    // A copy: what SQLite hands out is its own.
    certificate: Buffer.from(row.blob('certificate')),
    createdAt: row.integer('created_at'),
    rotatedAt: row.integer('rotated_at'),
    version: row.integer('version'),
  };
}
