import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { equalBytes, toBase64url } from '../base/bytes.ts';
import { inTransaction } from '../base/transaction.ts';

/** One thing that happened between us and a key manager. Never key bytes. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ownSaeId: string;
  readonly peerSaeId: string;
  readonly method: 'enc_keys' | 'dec_keys';
  /** '' where no single key is concerned. */
  readonly keyId: string;
  /** Of the key, or of keys that may have left the key manager unseen. */
  readonly bits: number;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly latencyMs: number;
  /** `delivered`, or the error code. */
  readonly outcome: string;
}

export interface AuditRow extends AuditEntry {
  readonly id: number;
  /** SHA-256 over the hash before and this row, base64url. */
  readonly hash: string;
}

const GENESIS = Buffer.alloc(32);

/**
 * The audit log of key deliveries: a hash chain, so that a row changed, removed or slipped in shows. Only a copy of the newest hash kept
 * elsewhere (`head`) shows that rows at the end are missing.
 */
export class KeyAudit {
  readonly #db: DatabaseSync;

  /** `db` has the tables of LEDGER_MIGRATIONS. */
  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
  }

  /** Appends all of them in one durable step. */
  append(...entries: readonly AuditEntry[]): void {
    inTransaction(this.#db, () => {
      const insert = this.#db.prepare(
        'INSERT INTO key_audit (at, own_sae_id, peer_sae_id, method, key_id, bits, status, latency_ms, outcome, hash) VALUES (?,?,?,?,?,?,?,?,?,?)',
      );
      let hash = this.#lastHash();
      for (const e of entries) {
        hash = chain(hash, e);
        insert.run(e.at, e.ownSaeId, e.peerSaeId, e.method, e.keyId, e.bits, e.status, e.latencyMs, e.outcome, hash);
      }
    });
  }

  /** The newest hash, base64url. */
  head(): string {
    return toBase64url(this.#lastHash());
  }

  /** Rows with an id above `after`, oldest first, at most `limit`: pages for an export. */
  rows(after = 0, limit = 1000): AuditRow[] {
    return this.#db
      .prepare('SELECT * FROM key_audit WHERE id > ? ORDER BY id LIMIT ?')
      .all(after, limit)
      .map((row) => ({ id: Number(row['id']), ...entryOf(row), hash: toBase64url(row['hash'] as Uint8Array) }));
  }

  /** Walks the whole chain; the id of the first row that does not fit is returned as `brokenAt`. */
  verify(): { readonly rows: number; readonly brokenAt?: number } {
    let before: Uint8Array = GENESIS;
    let rows = 0;
    for (const row of this.#db.prepare('SELECT * FROM key_audit ORDER BY id').iterate()) {
      const hash = row['hash'] as Uint8Array;
      if (!equalBytes(chain(before, entryOf(row)), hash)) return { rows, brokenAt: Number(row['id']) };
      before = hash;
      rows += 1;
    }
    return { rows };
  }

  #lastHash(): Uint8Array {
    const row = this.#db.prepare('SELECT hash FROM key_audit ORDER BY id DESC LIMIT 1').get();
    return row === undefined ? GENESIS : (row['hash'] as Uint8Array);
  }
}

function chain(before: Uint8Array, e: AuditEntry): Buffer {
  const row = JSON.stringify([e.at, e.ownSaeId, e.peerSaeId, e.method, e.keyId, e.bits, e.status, e.latencyMs, e.outcome]);
  return createHash('sha256').update(before).update(row).digest();
}

function entryOf(row: Record<string, unknown>): AuditEntry {
  return {
    at: Number(row['at']),
    ownSaeId: String(row['own_sae_id']),
    peerSaeId: String(row['peer_sae_id']),
    method: row['method'] === 'enc_keys' ? 'enc_keys' : 'dec_keys',
    keyId: String(row['key_id']),
    bits: Number(row['bits']),
    status: Number(row['status']),
    latencyMs: Number(row['latency_ms']),
    outcome: String(row['outcome']),
  };
}
