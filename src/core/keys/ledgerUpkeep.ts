import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock, RecordSealer } from '../base/ports.ts';
import { isAlive } from '../base/processes.ts';
import { inTransaction } from '../base/transaction.ts';
import { recordId } from './keyLedger.ts';

export interface UpkeepDeps {
  /** With the tables of LEDGER_MIGRATIONS. */
  readonly db: DatabaseSync;
  readonly sealer: RecordSealer;
  readonly clock: Clock;
}

/** How long a waiting key may lie under the epoch it was sealed in. */
const RENEW_AFTER_MS = 86_400_000;

/**
 * RESERVED → ABANDONED, bytes erased, for what processes that no longer run had reserved: a send that was killed before USED never goes on
 * (PROTOCOL 7). Keys reserved by a process that lives, this one too, are left. Returns how many keys.
 */
export function abandonOfDead({ db, clock }: UpkeepDeps): number {
  return inTransaction(db, () => {
    const owners = db.prepare("SELECT DISTINCT owner_pid AS pid FROM ledger_keys WHERE state = 'RESERVED' AND owner_pid IS NOT NULL").all();
    const dead = owners.map((row) => Number(row['pid'])).filter((pid) => pid !== process.pid && !isAlive(pid));
    const abandon = db.prepare(
      "UPDATE ledger_keys SET state = 'ABANDONED', sealed = NULL, changed_at = ? WHERE state = 'RESERVED' AND owner_pid = ?",
    );
    return dead.reduce((count, pid) => count + Number(abandon.run(clock.now(), pid).changes), 0);
  });
}

/**
 * Seals keys that have waited for a day anew under today's epoch, so that the epoch key of the day they came, and with it whatever else was
 * sealed that day, can be deleted: a single key held for a forged message would keep it alive for 30 days otherwise. A key whose epoch is
 * lost already can serve nobody and is given up. Returns how many were renewed.
 */
export function renewSeals({ db, sealer, clock }: UpkeepDeps): number {
  return inTransaction(db, () => {
    const now = clock.now();
    const old = db
      .prepare('SELECT id, account_id, key_id, state, sealed FROM ledger_keys WHERE sealed IS NOT NULL AND changed_at < ?')
      .all(now - RENEW_AFTER_MS);
    const renew = db.prepare('UPDATE ledger_keys SET sealed = ?, changed_at = ? WHERE id = ?');
    const giveUp = db.prepare('UPDATE ledger_keys SET state = ?, sealed = NULL, changed_at = ? WHERE id = ?');
    let renewed = 0;
    for (const row of old) {
      const place = recordId(String(row['account_id']), String(row['key_id']));
      let bytes: Buffer | undefined;
      try {
        bytes = sealer.open('keys', 'ledger-key', place, row['sealed'] as Uint8Array);
        renew.run(sealer.seal('keys', 'ledger-key', place, bytes), now, row['id']!);
        renewed += 1;
      } catch (error) {
        if (!QuMailError.is(error, 'store.secret-missing')) throw error;
        giveUp.run(row['state'] === 'RESERVED' ? 'ABANDONED' : 'EXPIRED', now, row['id']!);
      } finally {
        wipe(bytes);
      }
    }
    return renewed;
  });
}

export interface RememberedMail {
  readonly accountId: string;
  readonly own: 'sent' | 'received';
  readonly envelopeId: string;
  readonly payloadSha256: Buffer;
  readonly keyIds: readonly string[];
}

/**
 * Tombstones of a message that comes back from a backup: its envelope and key IDs count as spent, as they did where the backup was made.
 * What the ledger knows already stays as it is. Of the keys themselves nothing is known any more, not even a digest.
 */
export function rememberSpent(mail: RememberedMail, { db, clock }: UpkeepDeps): void {
  const now = clock.now();
  const sent = mail.own === 'sent';
  inTransaction(db, () => {
    const insert = db.prepare(
      `INSERT INTO ledger_keys (account_id, key_id, role, state, peer_sae_ids, bits, digest, sealed, message_id, created_at, changed_at)
       VALUES (?, ?, ?, ?, '[]', 0, ?, NULL, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    const role = sent ? 'SENDER' : 'RECEIVER';
    const state = sent ? 'USED' : 'CONSUMED';
    for (const keyId of mail.keyIds) insert.run(mail.accountId, keyId, role, state, randomBytes(16), mail.envelopeId, now, now);
    if (sent) return;
    db.prepare(
      'INSERT INTO ledger_envelopes (account_id, envelope_id, payload_sha256, consumed_at) VALUES (?,?,?,?) ON CONFLICT DO NOTHING',
    ).run(mail.accountId, mail.envelopeId, mail.payloadSha256, now);
  });
}
