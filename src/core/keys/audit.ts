import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { equalBytes, toBase64url } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';

/** One thing that happened between us and a key manager, or a pad: then the own SAE is `pad` and the status 0. Never key bytes. */
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

export interface AuditVerdict {
  /** Rows from the first that hang together. */
  readonly entries: number;
  readonly intact: boolean;
  /** Id of the first row that does not fit; one more than the last row's where rows are missing at the end. */
  readonly brokenAt?: number;
}

const GENESIS = Buffer.alloc(32);
/** In place of a count: rows were there when the head was not, so nothing vouches that they were all. */
const UNANCHORED = -1;
const HeadSchema = v.object({ entries: v.pipe(v.number(), v.integer()), hash: v.string() });
type Head = v.InferOutput<typeof HeadSchema>;

/**
 * The audit log of key deliveries: a hash chain, so that a row changed, removed or slipped in shows. How many rows there are and the newest
 * hash lie beside it in a sealed record, so that rows missing at the end show too.
 */
export class KeyAudit {
  readonly #db: DatabaseSync;
  readonly #sealer: RecordSealer;

  /** `db` has the tables of LEDGER_MIGRATIONS. */
  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sealer = deps.sealer;
  }

  /** Appends all of them in one durable step. */
  append(...entries: readonly AuditEntry[]): void {
    inTransaction(this.#db, () => {
      const insert = this.#db.prepare(
        'INSERT INTO key_audit (at, own_sae_id, peer_sae_id, method, key_id, bits, status, latency_ms, outcome, hash) VALUES (?,?,?,?,?,?,?,?,?,?)',
      );
      // Counted on from the sealed head, not from the rows: what went missing before stays missing.
      const known = this.#head()?.entries ?? (this.#count() === 0 ? 0 : UNANCHORED);
      let hash = this.#lastHash();
      for (const e of entries) {
        hash = chain(hash, auditText(e));
        insert.run(e.at, e.ownSaeId, e.peerSaeId, e.method, e.keyId, e.bits, e.status, e.latencyMs, e.outcome, hash);
      }
      this.#anchor({ entries: known < 0 ? UNANCHORED : known + entries.length, hash: toBase64url(hash) });
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

  /** Walks the whole chain and compares its end with the sealed head. One moment's view, whatever other windows append meanwhile. */
  verify(): AuditVerdict {
    return inTransaction(this.#db, () => {
      let before: Uint8Array = GENESIS;
      let entries = 0;
      let last = 0;
      for (const row of this.#db.prepare('SELECT * FROM key_audit ORDER BY id').iterate()) {
        const hash = row['hash'] as Uint8Array;
        last = Number(row['id']);
        if (!equalBytes(chain(before, auditText(entryOf(row))), hash)) return { entries, intact: false, brokenAt: last };
        before = hash;
        entries += 1;
      }
      const head = this.#head();
      const whole = head === undefined ? entries === 0 : head.entries === entries && head.hash === toBase64url(before);
      return whole ? { entries, intact: true } : { entries, intact: false, brokenAt: last + 1 };
    });
  }

  #anchor(head: Head): void {
    const sealed = this.#sealer.seal('mail', 'audit-head', '1', Buffer.from(JSON.stringify(head), 'utf8'));
    this.#db
      .prepare('INSERT INTO key_audit_head (id, sealed) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed')
      .run(sealed);
  }

  /** Undefined where there is none, or none that this machine's secrets sealed: then nothing vouches for the end of the chain. */
  #head(): Head | undefined {
    const row = this.#db.prepare('SELECT sealed FROM key_audit_head').get();
    if (row === undefined) return undefined;
    try {
      return v.parse(HeadSchema, JSON.parse(this.#sealer.open('mail', 'audit-head', '1', row['sealed'] as Uint8Array).toString('utf8')));
    } catch (error) {
      if (QuMailError.is(error, 'vault.locked')) throw error;
      return undefined;
    }
  }

  #count(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM key_audit').get()!['n']);
  }

  #lastHash(): Uint8Array {
    const row = this.#db.prepare('SELECT hash FROM key_audit ORDER BY id DESC LIMIT 1').get();
    return row === undefined ? GENESIS : (row['hash'] as Uint8Array);
  }
}

/** The text of a row that its hash covers: a JSON array of its nine values in this order, without spaces. */
function auditText(e: AuditEntry): string {
  return JSON.stringify([e.at, e.ownSaeId, e.peerSaeId, e.method, e.keyId, e.bits, e.status, e.latencyMs, e.outcome]);
}

/** One line of an export: the row's own text as it was hashed, so that nothing needs to be written anew to verify it. */
export function auditLine(row: AuditRow): string {
  return `${JSON.stringify({ id: row.id, row: auditText(row), hash: row.hash })}\n`;
}

function chain(before: Uint8Array, row: string): Buffer {
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
