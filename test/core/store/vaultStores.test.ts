import assert from 'node:assert/strict';
import { join } from 'node:path';
import { AccountStore } from '../../../src/core/store/accounts.ts';
import { ContactStore } from '../../../src/core/store/contacts.ts';
import { DraftStore, type DraftRecord } from '../../../src/core/store/drafts.ts';
import { KeyManagerStore } from '../../../src/core/store/keyManagers.ts';
import { OutboxStore } from '../../../src/core/store/outbox.ts';
import { SealedMailStore, type SealedMailRecord } from '../../../src/core/store/sealedMail.ts';
import { outboxRecord } from './outboxRecord.ts';
import { accountRecord, addAccount, openVault, rawBytes, removeTempFolders, tempFolder, type Vault } from './vaultFixture.ts';

interface Stores {
  accounts: AccountStore;
  managers: KeyManagerStore;
  contacts: ContactStore;
  drafts: DraftStore;
  outbox: OutboxStore;
  sealedMail: SealedMailStore;
}

const storesOf = ({ db, storage: sealer }: Vault): Stores => ({
  accounts: new AccountStore({ db }),
  managers: new KeyManagerStore({ db }),
  contacts: new ContactStore({ db }),
  drafts: new DraftStore({ db, sealer }),
  outbox: new OutboxStore({ db, sealer }),
  sealedMail: new SealedMailStore({ db, sealer }),
});

const draft = (id: string, change: Partial<DraftRecord> = {}): DraftRecord => ({
  id,
  accountId: 'alice',
  text: 'Subject: the secret draft\n\nbody',
  inReplyTo: '<secret-parent@example.org>',
  references: ['<secret-root@example.org>'],
  updatedAt: 1,
  ...change,
});
const mail = (envelopeId: string, change: Partial<SealedMailRecord> = {}): SealedMailRecord => ({
  accountId: 'alice',
  rfcMessageId: '<m@example.org>',
  envelopeId,
  plaintext: Buffer.from('the secret plaintext'),
  report: { level: 'L2', summary: { subject: 'the secret inner subject' } },
  own: 'received',
  ...change,
});
const manager = {
  accountId: 'alice',
  url: 'https://kme.example.org',
  kmeId: 'kme-a',
  saeId: 'sae-a',
  caPem: 'PEM',
  clientKind: 'pem' as const,
  profile: 'etsi' as const,
};
const contact = { accountId: 'alice', address: 'bob@example.org', name: 'Bob', saeId: 'sae-b', minimumLevel: 'L2' as const };

describe('stores in the vault', () => {
  let vault: Vault;
  let stores: Stores;
  beforeEach(async () => {
    vault = await openVault(tempFolder());
    stores = storesOf(vault);
    addAccount(vault.db, 'alice');
  });
  afterEach(() => vault.close());
  after(removeTempFolders);

  it('find everything again after a restart', async () => {
    const { managers, contacts, drafts, outbox, sealedMail } = stores;
    managers.put(manager);
    contacts.put(contact);
    drafts.create(draft('d1', { sourceMessageId: 7, minimumLevel: 'L1' }));
    const record = outboxRecord('alice', { draftId: 'd1', failureJson: '{}' });
    const id = outbox.add(record);
    sealedMail.put(mail('e1'));
    vault.close();
    vault = await openVault(vault.folder);
    stores = storesOf(vault);
    assert.deepEqual(stores.accounts.list(), [accountRecord('alice')]);
    assert.deepEqual(stores.managers.list(), [manager]);
    assert.deepEqual(stores.contacts.list('alice'), [contact]);
    assert.deepEqual(stores.drafts.get('d1'), draft('d1', { sourceMessageId: 7, minimumLevel: 'L1' }));
    assert.deepEqual(stores.outbox.get(id), { ...record, id, attempts: 0, elsewhere: false });
    assert.deepEqual(stores.sealedMail.getByEnvelope('alice', 'e1'), mail('e1'));
  });

  it('leave no secret text in the files: drafts, outbox and opened mail, subjects and threads included', () => {
    stores.drafts.create(draft('d1'));
    stores.drafts.saveText('d1', 'the secret draft, second version', 2);
    stores.outbox.add(outboxRecord('alice'));
    stores.sealedMail.put(mail('e1'));
    assert.equal(rawBytes(vault.folder).includes('secret-'), false);
    assert.equal(rawBytes(vault.folder).includes('the secret'), false);
    vault.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    assert.equal(rawBytes(vault.folder).includes('the secret'), false);
  });

  it('refuse a sealed record that was moved to another row or column', () => {
    stores.drafts.create(draft('d1', { text: 'one' }));
    stores.drafts.create(draft('d2', { text: 'two' }));
    vault.db.exec("UPDATE drafts SET sealed = (SELECT sealed FROM drafts WHERE id = 'd2') WHERE id = 'd1'");
    assert.throws(() => stores.drafts.get('d1'), { code: 'store.corrupt' });
    assert.throws(() => stores.drafts.list(), { code: 'store.corrupt' });

    stores.sealedMail.put(mail('e1'));
    stores.sealedMail.put(mail('e2'));
    vault.db.exec(
      "UPDATE sealed_mail SET sealed_plaintext = (SELECT sealed_plaintext FROM sealed_mail WHERE envelope_id = 'e2') WHERE envelope_id = 'e1'",
    );
    assert.throws(() => stores.sealedMail.getByEnvelope('alice', 'e1'), { code: 'store.corrupt' });
    vault.db.exec("UPDATE sealed_mail SET sealed_report = sealed_plaintext WHERE envelope_id = 'e2'");
    assert.throws(() => stores.sealedMail.reportByEnvelope('alice', 'e2'), { code: 'store.corrupt' });

    const [one, two] = [stores.outbox.add(outboxRecord('alice')), stores.outbox.add(outboxRecord('alice'))];
    vault.db.prepare('UPDATE outbox SET sealed_mime = (SELECT sealed_mime FROM outbox WHERE id = ?) WHERE id = ?').run(one, two);
    assert.throws(() => stores.outbox.get(two), { code: 'store.corrupt' });
    assert.equal(stores.outbox.get(one)?.subject, 'the secret subject');
  });

  it('erase an account wholly, and only that one', () => {
    addAccount(vault.db, 'bob');
    for (const accountId of ['alice', 'bob']) {
      stores.managers.put({ ...manager, accountId, url: `https://${accountId}.example.org` });
      stores.contacts.put({ ...contact, accountId, address: `friend-of-${accountId}@example.org` });
      stores.drafts.create(draft(`d-${accountId}`, { accountId }));
      stores.outbox.add(outboxRecord(accountId, { envelopeFrom: `${accountId}@example.org` }));
      stores.sealedMail.put(mail(`e-${accountId}`, { accountId }));
    }
    stores.accounts.delete('alice');
    stores.accounts.delete('alice');
    for (const table of ['accounts', 'key_managers', 'contacts', 'drafts', 'outbox', 'sealed_mail']) {
      assert.equal(vault.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'], 1, table);
    }
    assert.equal(rawBytes(vault.folder).includes('alice'), false, 'not even in the files');
    assert.equal(stores.sealedMail.getByEnvelope('bob', 'e-bob')?.accountId, 'bob');
  });

  it('belong to an account that exists', () => {
    const missing = { code: 'account.missing' };
    assert.throws(() => stores.contacts.put({ ...contact, accountId: 'nobody' }), missing);
    assert.throws(() => stores.managers.put({ ...manager, accountId: 'nobody' }), missing);
    assert.throws(() => stores.drafts.create(draft('d', { accountId: 'nobody' })), missing);
    assert.throws(() => stores.outbox.add(outboxRecord('nobody')), missing);
    assert.throws(() => stores.sealedMail.put(mail('e', { accountId: 'nobody' })), missing);
    assert.throws(() => stores.accounts.update(accountRecord('nobody')), missing);
  });

  it('name a full disk and keep the draft', () => {
    stores.drafts.create(draft('d1'));
    const pages = Number(Object.values(vault.db.prepare('PRAGMA page_count').get()!)[0]);
    vault.db.exec(`PRAGMA max_page_count = ${pages + 4}`);
    assert.throws(() => stores.outbox.add(outboxRecord('alice', { mime: Buffer.alloc(1_000_000) })), { code: 'store.full' });
    assert.throws(() => stores.drafts.saveText('d1', 'x'.repeat(1_000_000), 2), { code: 'store.full' });
    assert.equal(stores.drafts.get('d1')?.text, draft('d1').text);
    assert.deepEqual(stores.outbox.list(), []);
  });

  describe('accounts', () => {
    it('keep one account for an address, in whatever case', () => {
      assert.throws(() => stores.accounts.insert(accountRecord('other', { email: 'ALICE@example.org' })), { code: 'account.exists' });
      assert.throws(() => stores.accounts.insert(accountRecord('alice', { email: 'new@example.org' })), { code: 'account.exists' });
    });

    it('rewrite what may change and keep what may not', () => {
      const oidc = accountRecord('carol', { provider: 'oidc', issuer: 'https://id.example.org', clientId: 'c', createdAt: 9 });
      stores.accounts.insert(oidc);
      stores.accounts.update({
        ...oidc,
        displayName: 'Carol',
        lastLogin: 99,
        email: 'x@example.org',
        createdAt: 0,
        servers: { ...oidc.servers, userName: 'c' },
      });
      assert.deepEqual(stores.accounts.get('carol'), {
        ...oidc,
        displayName: 'Carol',
        lastLogin: 99,
        servers: { ...oidc.servers, userName: 'c' },
      });
      assert.deepEqual(
        stores.accounts.list().map(({ id }) => id),
        ['alice', 'carol'],
      );
      assert.equal(stores.accounts.get('nobody'), undefined);
    });

    it('refuse servers that do not fit their schema', () => {
      vault.db.exec(`UPDATE accounts SET servers = '{"imap":{"host":"h","port":1,"security":"none"}}'`);
      assert.throws(() => stores.accounts.list(), { code: 'store.corrupt', details: { column: 'servers' } });
    });
  });

  describe('contacts', () => {
    it('are found whatever the case of the address, so that no spelling gets below a minimum level', () => {
      stores.contacts.put(contact);
      assert.equal(stores.contacts.get('alice', 'BOB@example.org')?.minimumLevel, 'L2');
      stores.contacts.put({ accountId: 'alice', address: 'Bob@example.org', name: 'Bobby', minimumLevel: 'L1' });
      assert.deepEqual(stores.contacts.list('alice'), [
        { accountId: 'alice', address: 'Bob@example.org', name: 'Bobby', minimumLevel: 'L1' },
      ]);
      stores.contacts.delete('alice', 'bob@EXAMPLE.org');
      assert.equal(stores.contacts.get('alice', 'bob@example.org'), undefined);
    });

    it('come by name and belong to one account each', () => {
      addAccount(vault.db, 'bob');
      for (const name of ['zoe', 'Adam', 'mia']) stores.contacts.put({ ...contact, name, address: `${name}@example.org` });
      assert.deepEqual(
        stores.contacts.list('alice').map(({ name }) => name),
        ['Adam', 'mia', 'zoe'],
      );
      assert.deepEqual(stores.contacts.list('bob'), []);
    });
  });

  describe('drafts', () => {
    it('come latest first and keep their thread when their text is saved', () => {
      stores.drafts.create(draft('d1', { updatedAt: 1 }));
      stores.drafts.create(draft('d2', { updatedAt: 2 }));
      stores.drafts.saveText('d1', 'new text', 3);
      assert.deepEqual(
        stores.drafts.list().map(({ id }) => id),
        ['d1', 'd2'],
      );
      assert.deepEqual(stores.drafts.get('d1'), draft('d1', { text: 'new text', updatedAt: 3 }));
      stores.drafts.delete('d1');
      assert.equal(stores.drafts.get('d1'), undefined);
      assert.throws(() => stores.drafts.saveText('d1', 'x', 4), { code: 'draft.missing' });
    });

    it('whose key is gone do not hide the others', async () => {
      stores.drafts.create(draft('lost'));
      stores.outbox.add(outboxRecord('alice'));
      for (const name of vault.secrets.names()) await vault.secrets.delete(name);
      vault.close();
      vault = await openVault(vault.folder);
      stores = storesOf(vault);
      stores.drafts.create(draft('new'));
      assert.deepEqual(
        stores.drafts.list().map(({ id }) => id),
        ['new'],
      );
      assert.throws(() => stores.drafts.get('lost'), { code: 'store.secret-missing' });
      const id = stores.outbox.add(outboxRecord('alice'));
      assert.deepEqual(
        stores.outbox.list().map((entry) => entry.id),
        [id],
      );
    });
  });

  it('live in one file of one folder', () => {
    assert.equal(vault.file, join(vault.folder, 'vault.db'));
  });
});
