import assert from 'node:assert/strict';
import { inTransaction } from '../../../src/core/base/transaction.ts';
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
      const failureJson = '{"code":"net.cut","details":{}}';
      assert.equal(outbox.change(id, ['queued'], { state: 'waiting', failureJson, nextTry: 9, now: 7 }), true);
      const { state, nextTry, updatedAt } = outbox.get(id)!;
      assert.deepEqual([state, outbox.get(id)?.failureJson, nextTry, updatedAt], ['waiting', failureJson, 9, 7]);
      assert.equal(outbox.change(id, ['queued'], { state: 'rejected', now: 8 }), false);
      assert.equal(outbox.change(id, ['waiting'], { state: 'queued', now: 8 }), true);
      assert.equal(outbox.get(id)?.failureJson, undefined);
      outbox.delete(id);
      assert.equal(outbox.get(id), undefined);
      assert.equal(outbox.add(outboxRecord('alice')), id + 1);
    });

    it('is taken for sending once, and only from the states named', () => {
      const id = outbox.add(outboxRecord('alice', { state: 'rejected' }));
      assert.equal(outbox.claim(id, ['queued', 'waiting'], 10), false);
      outbox.change(id, ['rejected'], { state: 'waiting', now: 10 });
      assert.deepEqual([outbox.claim(id, ['queued', 'waiting'], 11), outbox.claim(id, ['queued', 'waiting'], 12)], [true, false]);
      const { state, attempts, firstTry } = outbox.get(id)!;
      assert.deepEqual([state, attempts, firstTry], ['sending', 1, 11]);
    });

    it('is erased only in a state the caller named', () => {
      const id = outbox.add(outboxRecord('alice'));
      outbox.claim(id, ['queued'], 1);
      assert.equal(outbox.delete(id, ['queued', 'waiting']), false);
      assert.equal(outbox.delete(id, ['sending']), true);
    });

    it('gives an accepted message to one caller for filing', () => {
      const id = outbox.add(outboxRecord('alice'));
      assert.equal(outbox.claimFiling(id, 1), 'no');
      outbox.change(id, ['queued'], { state: 'accepted', now: 1 });
      assert.equal(outbox.claimFiling(id, 1), 'first');
      assert.equal(outbox.claimFiling(id, 2), 'again');
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
