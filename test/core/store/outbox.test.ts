import assert from 'node:assert/strict';
import { inTransaction } from '../../../src/core/store/database.ts';
import { OutboxStore } from '../../../src/core/store/outbox.ts';
import { SealedMailStore, type SealedMailRecord } from '../../../src/core/store/sealedMail.ts';
import { outboxRecord } from './outboxRecord.ts';
import { addAccount, openVault, removeTempFolders, tempFolder, type Vault } from './vaultFixture.ts';

const mail = (envelopeId: string, change: Partial<SealedMailRecord> = {}): SealedMailRecord => ({
  accountId: 'alice',
  rfcMessageId: '<m@example.org>',
  envelopeId,
  plaintext: Buffer.from('the secret plaintext'),
  report: { level: 'L2', summary: { subject: 'the secret inner subject' } },
  own: 'received',
  ...change,
});

describe('what is sent and what was sealed', () => {
  let vault: Vault;
  let outbox: OutboxStore;
  let sealedMail: SealedMailStore;
  beforeEach(async () => {
    vault = await openVault(tempFolder());
    outbox = new OutboxStore({ db: vault.db, sealer: vault.storage });
    sealedMail = new SealedMailStore({ db: vault.db, sealer: vault.storage });
    addAccount(vault.db, 'alice');
  });
  afterEach(() => vault.close());
  after(removeTempFolders);

  describe('outbox', () => {
    it('sends the identical bytes again, and lists without unsealing messages', () => {
      const mime = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, i) => i & 0xff));
      const id = outbox.add(outboxRecord('alice', { mime }));
      assert.deepEqual(outbox.get(id)?.mime, mime);
      vault.db.exec("UPDATE outbox SET sealed_mime = x'00'");
      assert.deepEqual(
        outbox.list().map(({ id: listed, subject, state }) => [listed, subject, state]),
        [[id, 'the secret subject', 'queued']],
      );
    });

    it('keeps state and failure together and never uses an id twice', () => {
      const id = outbox.add(outboxRecord('alice'));
      outbox.setState(id, 'waiting', '{"code":"net.cut","details":{}}');
      assert.equal(outbox.get(id)?.failureJson, '{"code":"net.cut","details":{}}');
      outbox.setState(id, 'queued');
      assert.equal(outbox.get(id)?.failureJson, undefined);
      outbox.delete(id);
      assert.equal(outbox.get(id), undefined);
      assert.equal(outbox.add(outboxRecord('alice')), id + 1);
    });

    it('is taken for sending once, and only from the states named', () => {
      const id = outbox.add(outboxRecord('alice', { state: 'rejected' }));
      assert.equal(outbox.claim(id, ['queued', 'waiting']), false);
      outbox.setState(id, 'waiting');
      assert.deepEqual([outbox.claim(id, ['queued', 'waiting']), outbox.claim(id, ['queued', 'waiting'])], [true, false]);
    });

    it('shares its commit with whoever opened the transaction', () => {
      const failing = (): void =>
        inTransaction(vault.db, () => {
          outbox.add(outboxRecord('alice'));
          sealedMail.put(mail('e1', { own: 'sent' }));
          throw new Error('power cut');
        });
      assert.throws(failing);
      assert.deepEqual(outbox.list(), []);
      assert.equal(sealedMail.getByEnvelope('alice', 'e1'), undefined);
    });
  });

  describe('sealed mail', () => {
    it("is found by envelope and by Message-ID, one's own copy first", () => {
      sealedMail.put(mail('e1'));
      sealedMail.put(mail('e2', { own: 'sent' }));
      assert.equal(sealedMail.getByMessageId('alice', '<m@example.org>')?.envelopeId, 'e2');
      assert.equal(sealedMail.getByMessageId('bob', '<m@example.org>'), undefined);
      assert.equal(sealedMail.getByEnvelope('bob', 'e1'), undefined);
      assert.deepEqual(sealedMail.reportByEnvelope('alice', 'e1'), mail('e1').report);
      sealedMail.put(mail('e1', { plaintext: Buffer.from('again'), own: 'sent' }));
      assert.equal(sealedMail.getByEnvelope('alice', 'e1')?.plaintext.toString(), 'again');
    });
  });
});
