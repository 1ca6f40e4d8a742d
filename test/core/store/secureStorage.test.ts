import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { addAccount, movableClock, openVault, rawBytes, removeTempFolders, tempFolder, type Vault } from './vaultFixture.ts';

const none = (): Iterable<Uint8Array> => [];
const epochNames = (vault: Vault): string[] => vault.secrets.names().filter((name) => name.startsWith('qumail.epoch.'));
const states = (vault: Vault): string[] =>
  vault.db
    .prepare("SELECT purpose || ' ' || day || ' ' || state AS s FROM epochs ORDER BY s")
    .all()
    .map(({ s }) => String(s));

describe('SecureStorage', () => {
  let vault: Vault;
  const clock = movableClock('2026-03-01T12:00:00Z');
  beforeEach(async () => {
    clock.set('2026-03-01T12:00:00Z');
    vault = await openVault(tempFolder(), clock);
  });
  afterEach(() => vault.close());
  after(removeTempFolders);

  const reopen = async (): Promise<void> => {
    vault.close();
    vault = await openVault(vault.folder, clock);
  };

  it('opens after a restart what it sealed before', async () => {
    const text = Buffer.from('a secret');
    const sealed = [vault.storage.seal('mail', 't', '1', text), vault.storage.seal('keys', 't', '1', text)];
    await reopen();
    assert.deepEqual(vault.storage.open('mail', 't', '1', sealed[0]!), text);
    assert.deepEqual(vault.storage.open('keys', 't', '1', sealed[1]!), text);
    assert.equal(epochNames(vault).length, 3);
  });

  it('opens a record only in its own place: purpose, type and id', () => {
    const sealed = vault.storage.seal('mail', 'type', 'id', Buffer.from('text'));
    const corrupt = { code: 'store.corrupt' };
    assert.throws(() => vault.storage.open('keys', 'type', 'id', sealed), corrupt);
    assert.throws(() => vault.storage.open('mail', 'typ', 'eid', sealed), corrupt);
    assert.throws(() => vault.storage.open('mail', 'type', 'di', sealed), corrupt);
    assert.throws(() => vault.storage.open('mail', 'typei', 'd', sealed), corrupt);
  });

  it('refuses every altered or cut record, and never hands out anything of it', () => {
    const sealed = vault.storage.seal('mail', 't', '1', Buffer.from('some text'));
    for (let at = 0; at < sealed.length; at++) {
      const altered = Buffer.from(sealed);
      altered[at] = altered[at]! ^ 1;
      // An altered epoch id names an epoch that does not exist.
      assert.throws(
        () => vault.storage.open('mail', 't', '1', altered),
        { code: at >= 1 && at <= 16 ? 'store.secret-missing' : 'store.corrupt' },
        `octet ${at}`,
      );
      assert.throws(() => vault.storage.open('mail', 't', '1', sealed.subarray(0, at)), { code: 'store.corrupt' }, `cut to ${at}`);
    }
  });

  it('seals anything of any size, never twice alike', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5000 }),
        fc.string(),
        fc.string(),
        fc.constantFrom('keys' as const, 'mail' as const),
        (bytes, type, id, purpose) => {
          const sealed = vault.storage.seal(purpose, type, id, bytes);
          assert.deepEqual(new Uint8Array(vault.storage.open(purpose, type, id, sealed)), bytes);
          assert.notDeepEqual(vault.storage.seal(purpose, type, id, bytes), sealed);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps records apart even if the random numbers repeat, as after a machine was copied', async () => {
    const constant = { ...systemRandom, bytes: (length: number) => Buffer.alloc(length, 7) };
    const storage = await SecureStorage.open({ db: vault.db, secrets: vault.secrets, random: constant, clock });
    const text = Buffer.alloc(64);
    const [one, two] = [storage.seal('mail', 't', '1', text), storage.seal('mail', 't', '1', text)];
    assert.notDeepEqual(one.subarray(-80, -16), two.subarray(-80, -16));
    storage.dispose();
  });

  it('leaves neither text nor keys in the database files', () => {
    const text = Buffer.from('a needle in the database');
    addAccount(vault.db, 'alice');
    vault.db
      .prepare('INSERT INTO drafts (id, account_id, updated_at, sealed) VALUES (?, ?, ?, ?)')
      .run('1', 'alice', 0, vault.storage.seal('mail', 'draft', '1', text));
    const raw = rawBytes(vault.folder);
    assert.equal(raw.includes(text), false);
    assert.ok(raw.includes('alice'));
  });

  it('keeps no epoch key in the database', async () => {
    for (const name of epochNames(vault)) {
      const key = await vault.secrets.get(name);
      assert.equal(key?.length, 43);
      for (const needle of [key!, Buffer.from(key!, 'base64url')]) assert.equal(rawBytes(vault.folder).includes(needle), false);
    }
  });

  it('gives every day an epoch for keys and keeps one for mail', async () => {
    assert.deepEqual(states(vault), ['keys 2026-03-01 live', 'keys 2026-03-02 live', 'mail  live']);
    clock.set('2026-03-02T00:30:00Z');
    await vault.storage.ensureEpoch();
    await vault.storage.ensureEpoch();
    assert.deepEqual(states(vault), ['keys 2026-03-01 live', 'keys 2026-03-02 live', 'keys 2026-03-03 live', 'mail  live']);
  });

  it('destroys the key of a past day once no record needs it: nothing opens what was sealed under it', async () => {
    const old = vault.storage.seal('keys', 't', '1', Buffer.from('spent key'));
    const mail = vault.storage.seal('mail', 't', '1', Buffer.from('kept mail'));
    clock.set('2026-03-02T12:00:00Z');
    await vault.storage.ensureEpoch();
    assert.equal(await vault.storage.retireEpochs(none), 0, 'yesterday stays for a day');
    clock.set('2026-03-03T12:00:00Z');
    await vault.storage.ensureEpoch();
    assert.equal(await vault.storage.retireEpochs(() => [old]), 0, 'a live record keeps its epoch');
    assert.equal(vault.storage.open('keys', 't', '1', old).toString(), 'spent key');
    assert.equal(await vault.storage.retireEpochs(() => [mail, vault.storage.seal('keys', 't', '2', Buffer.from('x'))]), 1);
    assert.throws(() => vault.storage.open('keys', 't', '1', old), { code: 'store.secret-missing' });
    assert.equal(epochNames(vault).length, 4);
    await reopen();
    assert.throws(() => vault.storage.open('keys', 't', '1', old), { code: 'store.secret-missing' });
    assert.equal(vault.storage.open('mail', 't', '1', mail).toString(), 'kept mail');
  });

  it('finishes destroying an epoch key after a crash between the decision and the deed', async () => {
    const [gone] = vault.db
      .prepare("SELECT id FROM epochs WHERE day = '2026-03-01'")
      .all()
      .map(({ id }) => String(id));
    vault.db.exec("UPDATE epochs SET state = 'retiring' WHERE day = '2026-03-01'");
    await reopen();
    assert.ok(vault.secrets.names().includes(`qumail.epoch.${gone}`));
    assert.equal(await vault.storage.retireEpochs(none), 1);
    assert.equal(vault.secrets.names().includes(`qumail.epoch.${gone}`), false);
  });

  it('forgets an epoch that another window retired', async () => {
    const other = await openVault(vault.folder, clock);
    const old = vault.storage.seal('keys', 't', '1', Buffer.from('x'));
    clock.set('2026-03-05T12:00:00Z');
    await other.storage.ensureEpoch();
    assert.equal(await other.storage.retireEpochs(none), 2);
    assert.throws(() => vault.storage.seal('keys', 't', '2', Buffer.from('x')), { code: 'store.secret-missing' });
    await vault.storage.ensureEpoch();
    assert.throws(() => vault.storage.open('keys', 't', '1', old), { code: 'store.secret-missing' });
    vault.storage.seal('keys', 't', '2', Buffer.from('x'));
    other.close();
  });

  it('says so when the secret store lost a key, seals under a new one, and reads the old again if the key comes back', async () => {
    const old = vault.storage.seal('mail', 't', '1', Buffer.from('old'));
    const kept = new Map(await Promise.all(epochNames(vault).map(async (name) => [name, (await vault.secrets.get(name))!] as const)));
    for (const name of kept.keys()) await vault.secrets.delete(name);
    await reopen();
    assert.throws(() => vault.storage.open('mail', 't', '1', old), { code: 'store.secret-missing' });
    const fresh = vault.storage.seal('mail', 't', '1', Buffer.from('new'));
    for (const [name, value] of kept) await vault.secrets.set(name, value);
    await reopen();
    assert.equal(vault.storage.open('mail', 't', '1', old).toString(), 'old');
    assert.equal(vault.storage.open('mail', 't', '1', fresh).toString(), 'new');
  });

  it('keeps named secrets out of the database and erases those of an account', async () => {
    await vault.storage.putSecret('kme.client.alice', 'PEM of alice');
    await vault.storage.putSecret('kme.client.bob', 'PEM of bob');
    await vault.storage.putSecret('oauth.client', 'shared');
    await reopen();
    assert.equal(await vault.storage.getSecret('kme.client.alice'), 'PEM of alice');
    assert.equal(rawBytes(vault.folder).includes('PEM of alice'), false);
    await vault.storage.eraseAccount('alice');
    assert.equal(await vault.storage.getSecret('kme.client.alice'), undefined);
    assert.equal(await vault.storage.getSecret('kme.client.bob'), 'PEM of bob');
    await vault.storage.deleteSecret('kme.client.bob');
    await vault.storage.deleteSecret('kme.client.bob');
    assert.deepEqual(
      vault.secrets.names().filter((name) => !name.startsWith('qumail.epoch.')),
      ['qumail.secret.oauth.client'],
    );
  });

  it('wipes its keys when disposed of', () => {
    const sealed = vault.storage.seal('mail', 't', '1', Buffer.from('x'));
    vault.storage.dispose();
    assert.throws(() => vault.storage.open('mail', 't', '1', sealed), { code: 'store.secret-missing' });
    assert.throws(() => vault.storage.seal('mail', 't', '1', Buffer.from('x')), { code: 'store.secret-missing' });
  });
});
