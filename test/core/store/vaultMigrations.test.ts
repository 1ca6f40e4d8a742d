import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Migration } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { VAULT_ROOMS } from '../../../src/core/coreStores.ts';
import { KeyLedger, recordId } from '../../../src/core/keys/keyLedger.ts';
import { AccountStore } from '../../../src/core/store/accounts.ts';
import { ContactStore } from '../../../src/core/store/contacts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { DraftStore } from '../../../src/core/store/drafts.ts';
import { KeyManagerStore } from '../../../src/core/store/keyManagers.ts';
import { OutboxStore } from '../../../src/core/store/outbox.ts';
import { OwnCertificateStore } from '../../../src/core/store/ownCertificateStore.ts';
import { PadStore } from '../../../src/core/store/padStore.ts';
import { SealedMailStore } from '../../../src/core/store/sealedMail.ts';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { accountRecord, folderSecrets, removeTempFolders, tempFolder } from './vaultFixture.ts';

const A = 'alice';
const ALL = VAULT_ROOMS.flat();
const KEY = Buffer.alloc(32, 7);
const DRAFT = { text: 'To: bob@example.org\n\nwritten long ago\n', inReplyTo: '', references: [] };

interface Version {
  readonly title: string;
  readonly steps: readonly Migration[];
}

/** Every version there was: the list up to each of its steps, and all of it with one room as it was before its later steps. */
const versions: readonly Version[] = [
  ...ALL.map(({ name }, n) => ({ title: `up to ${name}`, steps: ALL.slice(0, n + 1) })),
  ...VAULT_ROOMS.flatMap((room) =>
    room.slice(1).map(({ name }, n) => {
      const later = new Set(room.slice(n + 1));
      return { title: `without ${name}`, steps: ALL.filter((step) => !later.has(step)) };
    }),
  ),
];

describe('vault.db', () => {
  after(removeTempFolders);

  for (const { title, steps } of versions) {
    it(`of the version ${title} comes up to date with what is in it`, async () => {
      const dir = tempFolder();
      const secrets = folderSecrets(`${dir}-secrets`);
      const file = join(dir, 'vault.db');
      const earlier = openDatabase(file, { durability: 'full', migrations: steps });
      const then = await SecureStorage.open({ db: earlier, secrets, random: systemRandom, clock: systemClock });
      const has = fill(earlier, then);
      const waiting = steps.some(({ name }) => name === 'vault/outbox-1') ? undefined : 5;
      then.dispose();
      earlier.close();

      const db = openDatabase(file, { durability: 'full', migrations: ALL });
      const fresh = openDatabase(join(tempFolder(), 'vault.db'), { durability: 'full', migrations: ALL });
      const sealer = await SecureStorage.open({ db, secrets, random: systemRandom, clock: systemClock });
      try {
        assert.deepEqual(shape(db), shape(fresh));
        assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
        assert.deepEqual(db.prepare('PRAGMA foreign_key_check').all(), []);
        assert.deepEqual(new AccountStore({ db }).get(A), accountRecord(A));
        assert.equal(new ContactStore({ db }).get(A, 'bob@example.org')?.saeId, 'SAE-BOB');
        assert.equal(new KeyManagerStore({ db }).get(A)?.profile, 'etsi');
        assert.equal(new DraftStore({ db, sealer }).get('d1')?.text, DRAFT.text);
        const outbox = new OutboxStore({ db, sealer });
        const [entry] = outbox.list();
        assert.deepEqual([entry?.subject, entry?.state, entry?.attempts, entry?.nextTry], ['the subject', 'waiting', 0, waiting]);
        assert.equal(outbox.get(entry!.id)?.mime.toString(), 'the message');
        assert.equal(new SealedMailStore({ db, sealer }).getByEnvelope(A, 'e1')?.plaintext.toString(), 'the plaintext');
        if (has('ledger_keys')) checkLedger(new KeyLedger({ db, sealer, clock: systemClock }));
        if (has('pads')) assert.equal(new PadStore({ db, sealer }).get(A, 'p1')?.octets, 64);
        if (has('own_certificates')) assert.equal(new OwnCertificateStore({ db, sealer }).secretOf(A)?.toString(), 'the secret key');
      } finally {
        sealer.dispose();
        db.close();
        fresh.close();
      }
    });
  }
});

function checkLedger(ledger: KeyLedger): void {
  assert.equal(ledger.stateOf(A, 'spent'), 'USED');
  assert.throws(() => ledger.reserve({ accountId: A, peerSaeIds: ['SAE-BOB'], keys: [{ keyId: 'spent', bytes: Buffer.alloc(32, 9) }] }), {
    code: 'key.reused',
  });
  const held = ledger.heldKeys({ accountId: A, peerSaeId: 'SAE-BOB', keyIds: ['held'] });
  assert.ok(held?.[0]?.bytes.equals(KEY));
}

/** Rows as the first version of each table had them, in whatever tables there are; tells which. */
function fill(db: DatabaseSync, sealer: SecureStorage): (table: string) => boolean {
  const has = (table: string): boolean => db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined;
  const insert = (table: string, row: Readonly<Record<string, SQLInputValue>>): void => {
    if (!has(table)) return;
    const columns = Object.keys(row);
    db.prepare(`INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`).run(...Object.values(row));
  };
  const seal = (type: string, id: string, text: string): Buffer => sealer.seal('mail', type, id, Buffer.from(text));
  const { email, displayName, provider, userId, servers, createdAt, lastLogin } = accountRecord(A);
  insert('accounts', {
    ...{ id: A, email, display_name: displayName, provider, user_id: userId, servers: JSON.stringify(servers) },
    ...{ created_at: createdAt, last_login: lastLogin },
  });
  insert('key_managers', { account_id: A, url: 'https://kme.example', kme_id: 'K', sae_id: 'SAE-ALICE', ca_pem: '', client_kind: 'pem' });
  insert('contacts', { account_id: A, address: 'bob@example.org', name: 'Bob', sae_id: 'SAE-BOB', minimum_level: 'L2' });
  insert('drafts', { id: 'd1', account_id: A, updated_at: 5, sealed: seal('draft', 'd1', JSON.stringify(DRAFT)) });
  insert('outbox', {
    ...{ id: 1, account_id: A, rfc_message_id: '<1@x>', envelope_from: email, envelope_to: '["bob@example.org"]', level: 'L2' },
    ...{ key_ids: '["spent"]', state: 'waiting', group_id: 'g', updated_at: 5 },
    ...{ sealed_subject: seal('outbox.subject', '1', 'the subject'), sealed_mime: seal('outbox.mime', '1', 'the message') },
  });
  insert('sealed_mail', {
    ...{
      account_id: A,
      envelope_id: 'e1',
      rfc_message_id: '<2@x>',
      own: 'received',
      sealed_report: seal('sealed-mail.report', `${A}/e1`, '{}'),
    },
    sealed_plaintext: seal('sealed-mail.plaintext', `${A}/e1`, 'the plaintext'),
  });
  const key = { account_id: A, peer_sae_ids: '["SAE-BOB"]', bits: 256, created_at: Date.now(), changed_at: 5 };
  insert('ledger_keys', { ...key, key_id: 'spent', role: 'SENDER', state: 'USED', digest: Buffer.from('one') });
  const sealedKey = sealer.seal('keys', 'ledger-key', recordId(A, 'held'), KEY);
  insert('ledger_keys', { ...key, key_id: 'held', role: 'RECEIVER', state: 'FETCHED', digest: Buffer.from('two'), sealed: sealedKey });
  insert('pads', { account_id: A, name: 'p1', address: 'bob@example.org', role: 'maker', octets: 64, created_at: 5, file: 'f' });
  insert('own_certificates', {
    ...{ account_id: A, fingerprint: 'F', certificate: Buffer.from('public'), created_at: 5, rotated_at: 5, version: 1 },
    sealed_secret: seal('own-certificate.secret', A, 'the secret key'),
  });
  const there = new Map(['ledger_keys', 'pads', 'own_certificates'].map((table) => [table, has(table)]));
  return (table) => there.get(table) === true;
}

/** Every table with its columns, every index and trigger. */
function shape(db: DatabaseSync): unknown {
  const things = db.prepare("SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name").all();
  return things.map((thing) => ({
    ...thing,
    columns: db.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?) ORDER BY name').all(String(thing['name'])),
  }));
}
