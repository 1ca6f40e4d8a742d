import type { DatabaseSync } from 'node:sqlite';
import { equalBytes, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock, RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import type { DeliveredKey } from './etsi014.ts';
import { digestOf, openDigestKey } from './ledgerDigest.ts';
import { wipeKeys } from './undelivered.ts';

/** Sender: RESERVED → USED or ABANDONED. Receiver: FETCHED → CONSUMED or EXPIRED. Only the first of each still has key bytes. */
export type KeyState = 'RESERVED' | 'USED' | 'ABANDONED' | 'FETCHED' | 'CONSUMED' | 'EXPIRED';

/** PROTOCOL 7: keys of a message that failed verification are tried so often, so long. */
const MAX_ATTEMPTS = 1024;
const MAX_HELD_MS = 30 * 86_400_000;

interface KeyRow {
  readonly id: number;
  readonly role: 'SENDER' | 'RECEIVER';
  readonly state: KeyState;
  readonly peers: readonly string[];
  readonly sealed: Uint8Array | undefined;
  readonly attempts: number;
  readonly createdAt: number;
}

/**
 * The ledger of every one-time key (PROTOCOL 7). Each method is one immediate transaction, durable when it returns (the database must be
 * `synchronous=FULL`), and safe across processes; inside `transaction` it is part of that one. Key IDs and digests of keys stay for ever,
 * so that no key is used twice; key bytes are sealed while they wait, and erased in the step that uses them.
 *
 * Throws `key.reused`, `key.not-held`, and what the sealer and the store throw. The caller wipes the keys it passes in or gets.
 */
export class KeyLedger {
  readonly #db: DatabaseSync;
  readonly #sealer: RecordSealer;
  readonly #clock: Clock;

  /** `db` has the tables of LEDGER_MIGRATIONS. */
  constructor(deps: { db: DatabaseSync; sealer: RecordSealer; clock: Clock }) {
    this.#db = deps.db;
    this.#sealer = deps.sealer;
    this.#clock = deps.clock;
  }

  /** BEGIN IMMEDIATE .. COMMIT around `run`, so that the caller's own rows become durable with the ledger's. Joins one under way. */
  transaction<T>(run: () => T): T {
    return inTransaction(this.#db, run);
  }

  // ---- sender -------------------------------------------------------------------------------------------------

  /** → RESERVED. All keys or none: `key.reused` (keyId) for an ID or bytes that this account has ever seen. */
  reserve(r: { accountId: string; peerSaeIds: readonly string[]; keys: readonly DeliveredKey[] }): void {
    this.#insert('SENDER', r.accountId, r.peerSaeIds, '', r.keys);
  }

  /** RESERVED → USED, bytes erased: after the complete MIME is in the outbox, before SMTP. `key.not-held` unless all are RESERVED. */
  markUsed(r: { accountId: string; keyIds: readonly string[]; messageId: string; mimeSha256: Buffer }): void {
    this.transaction(() => {
      for (const keyId of r.keyIds) {
        const row = this.#row(r.accountId, keyId);
        if (row?.state !== 'RESERVED') throw new QuMailError('key.not-held', { keyId });
        this.#finish(row.id, 'USED', r.messageId, r.mimeSha256);
      }
    });
  }

  /** RESERVED → ABANDONED, bytes erased, after a failure before USED. Keys in any other state are left as they are. */
  abandon(r: { accountId: string; keyIds: readonly string[] }): void {
    this.transaction(() => {
      for (const keyId of r.keyIds) {
        const row = this.#row(r.accountId, keyId);
        if (row?.state === 'RESERVED') this.#finish(row.id, 'ABANDONED', '', undefined);
      }
    });
  }

  /** Abandons what a crash left RESERVED since before `olderThan` (milliseconds since the epoch); returns how many keys. */
  abandonStale(olderThan: number): number {
    return this.#retire(
      "UPDATE ledger_keys SET state = 'ABANDONED', sealed = NULL, changed_at = ? WHERE state = 'RESERVED' AND created_at < ?",
      olderThan,
    );
  }

  // ---- receiver -----------------------------------------------------------------------------------------------

  /** → FETCHED for the envelope that named them. All or none: `key.reused` like `reserve`, and for a key delivered a second time. */
  recordFetched(r: { accountId: string; peerSaeId: string; envelopeId: string; keys: readonly DeliveredKey[] }): void {
    this.#insert('RECEIVER', r.accountId, [r.peerSaeId], r.envelopeId, r.keys);
  }

  /**
   * The keys with these IDs, if this account holds all of them from this peer, FETCHED and not consumed; undefined otherwise, and where an
   * ID is named twice, since no key may serve two parts of a message either. Each call
   * counts as an attempt; after 1,024 of them or 30 days the keys are EXPIRED and their bytes erased.
   */
  heldKeys(r: { accountId: string; peerSaeId: string; keyIds: readonly string[] }): DeliveredKey[] | undefined {
    const keys: DeliveredKey[] = [];
    try {
      return this.transaction(() => {
        const rows = r.keyIds.map((keyId) => this.#held(r.accountId, r.peerSaeId, keyId));
        if (rows.length === 0 || new Set(r.keyIds).size < rows.length || !rows.every((row) => row !== undefined)) return undefined;
        const count = this.#db.prepare('UPDATE ledger_keys SET attempts = attempts + 1 WHERE id = ?');
        rows.forEach((row, i) => {
          const keyId = r.keyIds[i]!;
          keys.push({ keyId, bytes: this.#sealer.open('keys', 'ledger-key', recordId(r.accountId, keyId), row.sealed!) });
          count.run(row.id);
        });
        return keys;
      });
    } catch (error) {
      wipeKeys(keys);
      throw error;
    }
  }

  /** Those of `keyIds` that `heldKeys` would not give: what has to be fetched. Counts no attempt. */
  notHeld(r: { accountId: string; peerSaeId: string; keyIds: readonly string[] }): string[] {
    return this.transaction(() => r.keyIds.filter((keyId) => this.#held(r.accountId, r.peerSaeId, keyId) === undefined));
  }

  /**
   * FETCHED → CONSUMED, bytes erased, envelope remembered: in one transaction with the sealed plaintext. `key.reused` when a key or the
   * envelope has been consumed already (by another window, say), `key.not-held` when a key is not held from this peer.
   */
  consume(r: { accountId: string; peerSaeId: string; keyIds: readonly string[]; envelopeId: string; payloadSha256: Buffer }): void {
    this.transaction(() => {
      if (this.#envelope(r.accountId, r.envelopeId) !== undefined) throw new QuMailError('key.reused', { envelopeId: r.envelopeId });
      for (const keyId of r.keyIds) {
        const row = this.#row(r.accountId, keyId);
        if (row?.state === 'CONSUMED') throw new QuMailError('key.reused', { keyId });
        if (row?.state !== 'FETCHED' || row.peers[0] !== r.peerSaeId) throw new QuMailError('key.not-held', { keyId });
        this.#finish(row.id, 'CONSUMED', r.envelopeId, r.payloadSha256);
      }
      this.#db
        .prepare('INSERT INTO ledger_envelopes (account_id, envelope_id, payload_sha256, consumed_at) VALUES (?,?,?,?)')
        .run(r.accountId, r.envelopeId, r.payloadSha256, this.#clock.now());
    });
  }

  /**
   * `duplicate`: this very payload has been consumed. `replay`: its id or one of its key IDs has been, in another payload, or a key ID is
   * one that this account itself sent under. `new`: neither.
   */
  seen(r: { accountId: string; envelopeId: string; payloadSha256: Buffer; keyIds: readonly string[] }): 'new' | 'duplicate' | 'replay' {
    return this.transaction(() => {
      const consumed = this.#envelope(r.accountId, r.envelopeId);
      if (consumed !== undefined) return equalBytes(consumed, r.payloadSha256) ? 'duplicate' : 'replay';
      const spent = r.keyIds.some((keyId) => {
        const row = this.#row(r.accountId, keyId);
        return row !== undefined && (row.role === 'SENDER' || row.state === 'CONSUMED');
      });
      return spent ? 'replay' : 'new';
    });
  }

  // ---- both ---------------------------------------------------------------------------------------------------

  stateOf(accountId: string, keyId: string): KeyState | undefined {
    return this.#row(accountId, keyId)?.state;
  }

  /** FETCHED → EXPIRED after 30 days or 1,024 attempts, bytes erased; returns how many keys. Call it daily. */
  expire(): number {
    const sql = `UPDATE ledger_keys SET state = 'EXPIRED', sealed = NULL, changed_at = ? WHERE state = 'FETCHED' AND (created_at < ? OR attempts >= ${MAX_ATTEMPTS})`;
    return this.#retire(sql, this.#clock.now() - MAX_HELD_MS);
  }

  /** Every sealed record there is, so that SecureStorage can tell which epoch keys are still needed. */
  sealedRecords(): Uint8Array[] {
    return this.#db
      .prepare('SELECT sealed FROM ledger_keys WHERE sealed IS NOT NULL')
      .all()
      .map((row) => row['sealed'] as Uint8Array);
  }

  /** Forgets an account that signed out: waiting keys and tombstones. */
  eraseAccount(accountId: string): void {
    this.transaction(() => {
      this.#db.prepare('DELETE FROM ledger_keys WHERE account_id = ?').run(accountId);
      this.#db.prepare('DELETE FROM ledger_envelopes WHERE account_id = ?').run(accountId);
    });
  }

  #insert(
    role: 'SENDER' | 'RECEIVER',
    accountId: string,
    peers: readonly string[],
    envelopeId: string,
    keys: readonly DeliveredKey[],
  ): void {
    const now = this.#clock.now();
    this.transaction(() => {
      const digestKey = openDigestKey(this.#db, this.#sealer);
      try {
        const insert = this.#db.prepare(
          'INSERT INTO ledger_keys (account_id, key_id, role, state, peer_sae_ids, bits, digest, sealed, message_id, created_at, changed_at, owner_pid) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING',
        );
        for (const { keyId, bytes } of keys) {
          const sealed = this.#sealer.seal('keys', 'ledger-key', recordId(accountId, keyId), bytes);
          const state = role === 'SENDER' ? 'RESERVED' : 'FETCHED';
          const done = insert.run(
            accountId,
            keyId,
            role,
            state,
            JSON.stringify(peers),
            bytes.length * 8,
            digestOf(digestKey, bytes),
            sealed,
            envelopeId,
            now,
            now,
            process.pid,
          );
          if (done.changes === 0) throw new QuMailError('key.reused', { keyId });
        }
      } finally {
        wipe(digestKey);
      }
    });
  }

  /** The row of a key that may be tried now; one past its limits is EXPIRED on the way. */
  #held(accountId: string, peerSaeId: string, keyId: string): KeyRow | undefined {
    const row = this.#row(accountId, keyId);
    if (row?.state !== 'FETCHED' || row.peers[0] !== peerSaeId) return undefined;
    if (row.attempts < MAX_ATTEMPTS && row.createdAt >= this.#clock.now() - MAX_HELD_MS) return row;
    this.#finish(row.id, 'EXPIRED', '', undefined);
    return undefined;
  }

  #finish(id: number, state: KeyState, messageId: string, sha256: Buffer | undefined): void {
    this.#db
      .prepare('UPDATE ledger_keys SET state = ?, sealed = NULL, message_id = ?, sha256 = ?, changed_at = ? WHERE id = ?')
      .run(state, messageId, sha256 ?? null, this.#clock.now(), id);
  }

  #retire(sql: string, before: number): number {
    return this.transaction(() => Number(this.#db.prepare(sql).run(this.#clock.now(), before).changes));
  }

  #row(accountId: string, keyId: string): KeyRow | undefined {
    const row = this.#db.prepare('SELECT * FROM ledger_keys WHERE account_id = ? AND key_id = ?').get(accountId, keyId);
    if (row === undefined) return undefined;
    return {
      id: Number(row['id']),
      role: row['role'] as KeyRow['role'],
      state: row['state'] as KeyState,
      peers: JSON.parse(String(row['peer_sae_ids'])) as string[],
      sealed: row['sealed'] === null ? undefined : (row['sealed'] as Uint8Array),
      attempts: Number(row['attempts']),
      createdAt: Number(row['created_at']),
    };
  }

  #envelope(accountId: string, envelopeId: string): Uint8Array | undefined {
    const row = this.#db
      .prepare('SELECT payload_sha256 FROM ledger_envelopes WHERE account_id = ? AND envelope_id = ?')
      .get(accountId, envelopeId);
    return row?.['payload_sha256'] as Uint8Array | undefined;
  }
}

/** What the sealer authenticates: a record moved to another key or account does not open. */
export function recordId(accountId: string, keyId: string): string {
  return JSON.stringify([accountId, keyId]);
}
