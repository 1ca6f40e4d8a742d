import assert from 'node:assert/strict';
import { join } from 'node:path';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { KeyLedger } from '../../../src/core/keys/keyLedger.ts';
import { LEDGER_MIGRATIONS } from '../../../src/core/keys/ledgerSchema.ts';
import { renewSeals } from '../../../src/core/keys/ledgerUpkeep.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { folderSecrets, movableClock, removeTempFolders, tempFolder } from '../store/vaultFixture.ts';
import { idsOf, newKeys } from './ledgerWorld.ts';

describe('erasing keys by their epoch', () => {
  after(removeTempFolders);

  it('makes the keys of a day unreadable two days later, although one of that day still waits', async () => {
    const folder = tempFolder();
    const clock = movableClock('2026-03-01T12:00:00Z');
    const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: [...VAULT_MIGRATIONS, ...LEDGER_MIGRATIONS] });
    const secrets = folderSecrets(`${folder}-secrets`);
    const storage = await SecureStorage.open({ db, secrets, random: systemRandom, clock });
    const ledger = new KeyLedger({ db, sealer: storage, clock });
    const daily = async (): Promise<void> => {
      await storage.ensureEpoch();
      renewSeals({ db, sealer: storage, clock });
      await storage.retireEpochs(() => ledger.sealedRecords());
    };
    const [spent, waiting] = [newKeys(1), newKeys(1)];
    const peer = { accountId: 'a', peerSaeId: 'SAE-BOB' };
    ledger.recordFetched({ ...peer, envelopeId: 'e1', keys: [...spent, ...waiting] });
    // What somebody copied from the disk on that day.
    const copied = db.prepare('SELECT sealed FROM ledger_keys WHERE key_id = ?').get(spent[0]!.keyId)!['sealed'] as Uint8Array;
    const place = JSON.stringify(['a', spent[0]!.keyId]);
    assert.deepEqual(storage.open('keys', 'ledger-key', place, copied), spent[0]!.bytes);
    ledger.consume({ ...peer, keyIds: idsOf(spent), envelopeId: 'e1', payloadSha256: Buffer.alloc(32) });
    const epochOf = (day: string): unknown => db.prepare("SELECT id FROM epochs WHERE purpose = 'keys' AND day = ?").get(day)?.['id'];
    const secretOfThatDay = `qumail.epoch.${String(epochOf('2026-03-01'))}`;

    for (const day of ['02', '03']) {
      clock.set(`2026-03-${day}T12:00:01Z`);
      await daily();
    }
    assert.equal(epochOf('2026-03-01'), undefined);
    assert.equal(await secrets.get(secretOfThatDay), undefined);
    assert.throws(() => storage.open('keys', 'ledger-key', place, copied), { code: 'store.secret-missing' });
    assert.deepEqual(ledger.heldKeys({ ...peer, keyIds: idsOf(waiting) }), waiting);
    storage.dispose();
    db.close();
  });
});
