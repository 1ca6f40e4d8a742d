import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { TRUST_SOURCES, type CertificateSummary, type TrustSource } from '../base/trust.ts';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { parseJson, type Row, Statements } from './statements.ts';

/** What a contact stated in the newest card that was taken. */
export interface PinnedCard {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** SHA-256 of the card's octets, base64url. */
  readonly digest: string;
  readonly minimumLevel: SecurityLevel;
  readonly suites: readonly string[];
}

/** One certificate and what speaks for it; absent `facts` = only the fingerprint is known yet. */
export interface TrustPin {
  readonly fingerprint: string;
  readonly facts?: CertificateSummary;
  /** SHA-256 of the certificate's octets, base64url. */
  readonly certificateSha256?: string;
  readonly source: TrustSource;
  readonly learnedAt: number;
  readonly qkdAt?: number;
  readonly verifiedAt?: number;
  /** When its owner's own revocation came. */
  readonly revokedAt?: number;
  readonly saeId?: string;
  readonly kmeId?: string;
  readonly card?: PinnedCard;
  readonly prefersEncryption?: true;
}

/** What contradicts the pin and waits for the person. */
export interface TrustChange {
  readonly id: string;
  readonly effect: 'blocks' | 'notice';
  readonly under: SecurityLevel | 'none';
  readonly proposed: TrustPin;
}

/** All that is known about one address. */
export interface TrustState {
  readonly pin: TrustPin;
  readonly change?: TrustChange;
  /** Proposals the person turned down, newest last; they are not brought up again. */
  readonly rejected: readonly string[];
}

/** The own card as it was signed last. */
export interface OwnCardRecord {
  /** Digest of everything in it but its time, and of the certificate: another state is another card. */
  readonly state: string;
  readonly issuedAt: number;
  readonly card: Buffer;
  readonly signature: Buffer;
}

const factsSchema = v.object({
  version: v.picklist([4, 6]),
  addresses: v.array(v.string()),
  createdAt: v.number(),
  expiresAt: v.exactOptional(v.number()),
  postQuantum: v.boolean(),
  algorithms: v.array(v.string()),
  encryptionSubkeyExpiresAt: v.exactOptional(v.number()),
});
const pinSchema = v.object({
  fingerprint: v.string(),
  facts: v.exactOptional(factsSchema),
  certificateSha256: v.exactOptional(v.string()),
  source: v.picklist(TRUST_SOURCES),
  learnedAt: v.number(),
  qkdAt: v.exactOptional(v.number()),
  verifiedAt: v.exactOptional(v.number()),
  revokedAt: v.exactOptional(v.number()),
  saeId: v.exactOptional(v.string()),
  kmeId: v.exactOptional(v.string()),
  card: v.exactOptional(
    v.object({ issuedAt: v.number(), digest: v.string(), minimumLevel: v.picklist(SECURITY_LEVELS), suites: v.array(v.string()) }),
  ),
  prefersEncryption: v.exactOptional(v.literal(true)),
});
export const TrustStateSchema = v.object({
  pin: pinSchema,
  change: v.exactOptional(
    v.object({
      id: v.string(),
      effect: v.picklist(['blocks', 'notice']),
      under: v.picklist([...SECURITY_LEVELS, 'none']),
      proposed: pinSchema,
    }),
  ),
  rejected: v.array(v.string()),
});
const SEALED_AS = 'trust.state';

/** Certificates of others as they are pinned, what contradicts them, and which own card was sent to whom. */
export class CertificateStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  transaction<T>(run: () => T): T {
    return inTransaction(this.#db, run);
  }

  /** @throws QuMailError `store.corrupt` where the record was altered or moved */
  get(accountId: string, address: string): TrustState | undefined {
    const row = this.#sql.get('SELECT address, sealed FROM contact_trust WHERE account_id = ? AND address = ?', accountId, address);
    return row && this.#readable(accountId, row);
  }

  /** By address, in lower case. */
  list(accountId: string): Map<string, TrustState> {
    const rows = this.#sql.all('SELECT address, sealed FROM contact_trust WHERE account_id = ?', accountId);
    return new Map(
      rows.flatMap((row) => {
        const state = this.#readable(accountId, row);
        return state ? [[asciiLower(row.text('address')), state] as const] : [];
      }),
    );
  }

  /** The pinned certificate's octets; undefined while only its fingerprint is known. @throws QuMailError `store.corrupt` */
  certificate(accountId: string, address: string): Buffer | undefined {
    return this.#certificate(accountId, address, 'certificate', this.get(accountId, address)?.pin.certificateSha256);
  }

  /** The octets of the certificate that contradicts it. */
  changedCertificate(accountId: string, address: string): Buffer | undefined {
    const expected = this.get(accountId, address)?.change?.proposed.certificateSha256;
    return this.#certificate(accountId, address, 'changed_certificate', expected);
  }

  /** Writes the state; certificates that are not handed in are left as they are where the state still names them. */
  put(
    accountId: string,
    address: string,
    state: TrustState,
    certificates: { pinned?: Buffer | undefined; changed?: Buffer | undefined },
  ): void {
    const id = `${accountId}/${asciiLower(address)}`;
    const sealed = this.#sealer.seal('mail', SEALED_AS, id, Buffer.from(JSON.stringify(state)));
    this.#sql.run(
      `INSERT INTO contact_trust (account_id, address, sealed, certificate, changed_certificate) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account_id, address) DO UPDATE SET sealed = excluded.sealed,
         certificate = coalesce(excluded.certificate, certificate),
         changed_certificate = coalesce(excluded.changed_certificate, changed_certificate)`,
      accountId,
      address,
      sealed,
      certificates.pinned ?? null,
      certificates.changed ?? null,
    );
    if (state.pin.certificateSha256 === undefined) this.#drop('certificate', accountId, address);
    if (state.change?.proposed.certificateSha256 === undefined) this.#drop('changed_certificate', accountId, address);
  }

  delete(accountId: string, address: string): void {
    this.#sql.run('DELETE FROM contact_trust WHERE account_id = ? AND address = ?', accountId, address);
  }

  ownCard(accountId: string): OwnCardRecord | undefined {
    const row = this.#sql.get('SELECT * FROM own_cards WHERE account_id = ?', accountId);
    return (
      row && {
        state: row.text('state'),
        issuedAt: row.integer('issued_at'),
        card: row.blob('card'),
        signature: row.blob('signature'),
      }
    );
  }

  putOwnCard(accountId: string, record: OwnCardRecord): void {
    const sql = 'INSERT OR REPLACE INTO own_cards (account_id, state, issued_at, card, signature) VALUES (?, ?, ?, ?, ?)';
    this.#sql.run(sql, accountId, record.state, record.issuedAt, record.card, record.signature);
  }

  /** The state of the own card that was last sent to an address. */
  cardSentTo(accountId: string, address: string): string | undefined {
    return this.#sql.get('SELECT state FROM cards_sent WHERE account_id = ? AND address = ?', accountId, address)?.text('state');
  }

  noteCardSent(accountId: string, address: string, state: string): void {
    this.#sql.run('INSERT OR REPLACE INTO cards_sent (account_id, address, state) VALUES (?, ?, ?)', accountId, address, state);
  }

  /** The own card goes to this address once more. */
  forgetCardSent(accountId: string, address: string): void {
    this.#sql.run('DELETE FROM cards_sent WHERE account_id = ? AND address = ?', accountId, address);
  }

  /** Where the desktop's keyring lost its keys, what was pinned is gone with them: the next certificate that comes is first use again. */
  #readable(accountId: string, row: Row): TrustState | undefined {
    try {
      return this.#stateOf(accountId, row);
    } catch (error) {
      if (QuMailError.is(error, 'store.secret-missing')) return undefined;
      throw error;
    }
  }

  #stateOf(accountId: string, row: Row): TrustState {
    const id = `${accountId}/${asciiLower(row.text('address'))}`;
    const json = this.#sealer.open('mail', SEALED_AS, id, row.blob('sealed')).toString('utf8');
    return parseJson(TrustStateSchema, json, 'contact_trust') as TrustState;
  }

  #certificate(accountId: string, address: string, column: 'certificate' | 'changed_certificate', sha256?: string): Buffer | undefined {
    if (sha256 === undefined) return undefined;
    const sql = 'SELECT certificate, changed_certificate FROM contact_trust WHERE account_id = ? AND address = ?';
    const row = this.#sql.get(sql, accountId, address);
    const octets = row?.has(column) ? row.blob(column) : undefined;
    if (octets === undefined || sha256Of(octets) !== sha256) throw new QuMailError('store.corrupt', { what: 'certificate' });
    return octets;
  }

  #drop(column: 'certificate' | 'changed_certificate', accountId: string, address: string): void {
    const sql =
      column === 'certificate'
        ? 'UPDATE contact_trust SET certificate = NULL WHERE account_id = ? AND address = ?'
        : 'UPDATE contact_trust SET changed_certificate = NULL WHERE account_id = ? AND address = ?';
    this.#sql.run(sql, accountId, address);
  }
}

/** As SQLite's NOCASE compares. */
export function asciiLower(address: string): string {
  return address.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** What a certificate is found again by: base64url of SHA-256. */
export function sha256Of(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64url');
}
