import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Secrets } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { PASSPHRASE_MIGRATIONS } from '../../../src/core/store/passphraseSchema.ts';
import { PassphraseVault } from '../../../src/core/store/passphraseVault.ts';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { rawBytes, removeTempFolders, tempFolder } from './vaultFixture.ts';

/** A host's secret store in memory that can be made to stop at its next steps, as a process that is killed does. */
function hostSecrets(): Secrets & { readonly values: Map<string, string>; dieAfter: number } {
  const values = new Map<string, string>();
  const host = {
    values,
    dieAfter: Number.POSITIVE_INFINITY,
    async get(name: string) {
      return values.get(name);
    },
    async set(name: string, value: string) {
      step();
      values.set(name, value);
    },
    async delete(name: string) {
      step();
      values.delete(name);
    },
  };
  const step = (): void => {
    if (host.dieAfter-- <= 0) throw new Error('killed');
  };
  return host;
}

describe('the passphrase', function () {
  this.timeout(20_000);
  let folder: string;
  let host: ReturnType<typeof hostSecrets>;
  const opened: { dispose(): void }[] = [];

  beforeEach(() => {
    folder = tempFolder();
    host = hostSecrets();
  });
  afterEach(() => {
    for (const each of opened.splice(0)) each.dispose();
  });
  after(removeTempFolders);

  /** One window over the folder. */
  function window(hostIsDurable = true, log2N = 14): { db: DatabaseSync; vault: PassphraseVault; storage: () => Promise<SecureStorage> } {
    const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: [...VAULT_MIGRATIONS, ...PASSPHRASE_MIGRATIONS] });
    const vault = new PassphraseVault({ db, host, hostIsDurable, random: systemRandom, log2N });
    opened.push({ dispose: () => (vault.dispose(), db.isOpen && db.close()) });
    const storage = () => SecureStorage.open({ db, secrets: vault, random: systemRandom, clock: systemClock, locked: () => vault.locked });
    return { db, vault, storage };
  }

  it('keeps nothing in the host’s secret store once it is set, and nothing in the clear on the disk', async () => {
    // The real cost, once.
    const { vault, storage } = window(true, 17);
    await vault.set('password.1', 'a long enough password');
    const sealed = (await storage()).seal('mail', 't', '1', Buffer.from('the mail'));
    const epochs = [...host.values].filter(([name]) => name.startsWith('qumail.epoch.')).map(([, value]) => value);
    assert.equal(epochs.length, 3);
    await vault.setPassphrase('correct horse', undefined);
    assert.deepEqual([...host.values.keys()], []);
    assert.equal(await vault.get('password.1'), 'a long enough password');
    const raw = rawBytes(folder);
    for (const secret of ['correct horse', 'a long enough password', ...epochs]) assert.ok(!raw.includes(secret));
    for (const epoch of epochs) assert.ok(!raw.includes(Buffer.from(epoch, 'base64url')));

    const next = window();
    assert.ok(next.vault.locked);
    const locked = await next.storage();
    for (const use of [() => locked.open('mail', 't', '1', sealed), () => locked.seal('mail', 't', '1', Buffer.alloc(1))])
      assert.throws(use, { code: 'vault.locked' });
    await assert.rejects(next.vault.get('password.1'), { code: 'vault.locked' });
    await assert.rejects(next.vault.set('password.1', ''), { code: 'vault.locked' });
    await assert.rejects(next.vault.unlock('correct house'), { code: 'vault.wrong-passphrase' });
    assert.ok(next.vault.locked);
    await next.vault.unlock('correct horse');
    await locked.ensureEpoch();
    assert.equal(locked.open('mail', 't', '1', sealed).toString(), 'the mail');
    assert.equal(await next.vault.get('password.1'), 'a long enough password');
  });

  it('changes only for who knows it, and other windows stay open', async () => {
    const [one, two] = [window(), window()];
    await one.vault.setPassphrase('first passphrase', undefined);
    await two.vault.unlock('first passphrase');
    await assert.rejects(one.vault.setPassphrase('second passphrase', 'a guess'), { code: 'vault.wrong-passphrase' });
    await assert.rejects(one.vault.setPassphrase('second passphrase', undefined), { code: 'vault.wrong-passphrase' });
    await one.vault.setPassphrase('second passphrase', 'first passphrase');
    await two.vault.set('a', 'written by the other');
    assert.equal(await one.vault.get('a'), 'written by the other');
    const three = window();
    await assert.rejects(three.vault.unlock('first passphrase'), { code: 'vault.wrong-passphrase' });
    await three.vault.unlock('second passphrase');
    assert.equal(await three.vault.get('a'), 'written by the other');
  });

  it('must not be too short to be one', async () => {
    const { vault } = window();
    await assert.rejects(vault.setPassphrase('short', undefined), { code: 'vault.weak-passphrase', details: { minimum: 8 } });
    await assert.rejects(vault.setPassphrase('x'.repeat(2000), undefined), { code: 'engine.bad-request' });
    assert.ok(!vault.hasPassphrase);
  });

  it('gives everything back when it is removed, unless this desktop would forget it', async () => {
    const { vault } = window();
    await vault.set('a', '1');
    await vault.setPassphrase('correct horse', undefined);
    await vault.set('b', '2');
    await assert.rejects(vault.removePassphrase('correct house'), { code: 'vault.wrong-passphrase' });
    await vault.removePassphrase('correct horse');
    assert.deepEqual([...host.values].sort(), [
      ['a', '1'],
      ['b', '2'],
    ]);
    assert.ok(!vault.locked && !vault.hasPassphrase);
    const forgetful = window(false).vault;
    await forgetful.setPassphrase('correct horse', undefined);
    await assert.rejects(forgetful.removePassphrase('correct horse'), { code: 'vault.passphrase-needed' });
  });

  it('takes in what a window wrote that had not heard of it, and takes it for the newer', async () => {
    const { vault } = window();
    await vault.set('token', 'old');
    await vault.setPassphrase('correct horse', undefined);
    host.values.set('token', 'rotated');
    host.values.set('unknown', 'from before names were kept');
    const next = window().vault;
    await next.unlock('correct horse');
    assert.equal(await next.get('token'), 'rotated');
    assert.equal(await next.get('unknown'), 'from before names were kept');
    assert.deepEqual([...host.values], []);
  });

  it('loses no secret and brings back no old one, wherever setting, changing or removing it is cut', async () => {
    for (const act of ['set', 'remove'] as const) {
      for (let dieAfter = 0; dieAfter < 8; dieAfter++) {
        folder = tempFolder();
        host = hostSecrets();
        const { vault } = window();
        for (const name of ['a', 'b', 'c']) await vault.set(name, `${name} 1`);
        if (act === 'remove') await vault.setPassphrase('correct horse', undefined);
        host.dieAfter = dieAfter;
        const work = act === 'set' ? vault.setPassphrase('correct horse', undefined) : vault.removePassphrase('correct horse');
        const ended = await work.then(
          () => 'done',
          () => 'killed',
        );
        host.dieAfter = Number.POSITIVE_INFINITY;
        const next = window().vault;
        if (next.locked) await next.unlock('correct horse');
        for (const name of ['a', 'b', 'c']) assert.equal(await next.get(name), `${name} 1`, `${act} ${dieAfter} ${ended}`);
        // From here on what is written is what is read, whatever copy lies where.
        await next.set('b', 'b 2');
        const last = window().vault;
        if (last.locked) await last.unlock('correct horse');
        assert.equal(await last.get('b'), 'b 2', `${act} ${dieAfter} ${ended}`);
      }
    }
  });
});
