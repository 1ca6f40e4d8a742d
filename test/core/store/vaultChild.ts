/** Another window: a process of its own over the same vault. Told what to do over IPC; see twoWindows.test.ts. */
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { inTransaction } from '../../../src/core/base/transaction.ts';
import { DraftStore } from '../../../src/core/store/drafts.ts';
import { OutboxStore } from '../../../src/core/store/outbox.ts';
import { accountRecord, openVault } from './vaultFixture.ts';
import { AccountStore } from '../../../src/core/store/accounts.ts';

const [folder = ''] = process.argv.slice(2);

async function run(task: string): Promise<unknown> {
  const vault = await openVault(folder);
  const name = `account-${process.pid}`;
  const outbox = new OutboxStore({ db: vault.db, sealer: vault.storage });
  switch (task) {
    case 'seal': {
      const accounts = new AccountStore({ db: vault.db });
      const drafts = new DraftStore({ db: vault.db, sealer: vault.storage });
      accounts.insert(accountRecord(name));
      for (let i = 0; i < 20; i++) {
        drafts.create({
          id: systemRandom.uuid(),
          accountId: name,
          text: `text ${i} of ${name}`,
          inReplyTo: '',
          references: [],
          updatedAt: i,
        });
      }
      const keys = inTransaction(vault.db, () => vault.storage.seal('keys', 'test', name, Buffer.from(name)));
      vault.close();
      return { name, sealed: keys.toString('hex') };
    }
    case 'claim': {
      const won = outbox.list().filter((entry) => outbox.claim(entry.id, ['queued', 'waiting'], Date.now()));
      vault.close();
      return won.map(({ id }) => id);
    }
    case 'send and stay':
      return outbox.list().filter((entry) => outbox.claim(entry.id, ['queued'], Date.now())).length;
    case 'write and stall':
      vault.db.exec('BEGIN IMMEDIATE');
      new AccountStore({ db: vault.db }).insert(accountRecord('half-written'));
      return 'inside';
    default:
      throw new Error(task);
  }
}

process.on('message', (task) => {
  run(String(task)).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? `${error.message} ${error.stack}` : String(error) }),
  );
});
process.send?.('ready');
