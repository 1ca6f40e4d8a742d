import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { AccountStore } from '../../../src/core/store/accounts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { DraftStore } from '../../../src/core/store/drafts.ts';
import { OutboxStore } from '../../../src/core/store/outbox.ts';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { outboxRecord } from './outboxRecord.ts';
import { addAccount, folderSecrets, movableClock, openVault, removeTempFolders, tempFolder } from './vaultFixture.ts';

const windows = new Set<ChildProcess>();

async function openWindow(folder: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(import.meta.resolve('./vaultChild.ts')), [folder], { stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
  windows.add(child);
  assert.deepEqual(await once(child, 'message'), ['ready', undefined]);
  return child;
}

async function ask<T>(child: ChildProcess, task: string): Promise<T> {
  const answer = once(child, 'message');
  child.send(task);
  const [{ result, error }] = (await answer) as [{ result: T; error?: string }];
  assert.equal(error, undefined);
  return result;
}

async function close(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  windows.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

describe('two windows over one vault', function () {
  this.timeout(20_000);
  afterEach(async () => {
    for (const child of windows) await close(child);
    removeTempFolders();
  });

  it('race to create it, and all read what each of them sealed', async () => {
    const folder = tempFolder();
    const children = await Promise.all([1, 2, 3].map(() => openWindow(folder)));
    const results = await Promise.all(children.map((child) => ask<{ name: string; sealed: string }>(child, 'seal')));
    const vault = await openVault(folder);
    const drafts = new DraftStore({ db: vault.db, sealer: vault.storage }).list();
    assert.equal(drafts.length, 60);
    for (const { name, sealed } of results) {
      assert.equal(vault.storage.open('keys', 'test', name, Buffer.from(sealed, 'hex')).toString(), name);
      assert.equal(drafts.filter(({ text }) => text.endsWith(name)).length, 20);
    }
    // One epoch for mail, one for each of two days; the losers' keys are gone again.
    const rows = vault.db.prepare("SELECT id FROM epochs WHERE state = 'live'").all();
    assert.equal(rows.length, 3);
    assert.deepEqual(vault.secrets.names(), rows.map(({ id }) => `qumail.epoch.${String(id)}`).sort());
    assert.equal(vault.db.prepare('SELECT count(*) AS n FROM epochs').get()?.['n'], 3);
    vault.close();
  });

  it('take each outbox entry once', async () => {
    const folder = tempFolder();
    const vault = await openVault(folder);
    addAccount(vault.db, 'alice');
    const outbox = new OutboxStore({ db: vault.db, sealer: vault.storage });
    const ids = Array.from({ length: 30 }, () => outbox.add(outboxRecord('alice')));
    const children = await Promise.all([1, 2].map(() => openWindow(folder)));
    const taken = await Promise.all(children.map((child) => ask<number[]>(child, 'claim')));
    assert.deepEqual(
      taken.flat().sort((a, b) => a - b),
      ids,
    );
    vault.close();
  });

  it('leave what a living window is sending alone, and know when it has died', async () => {
    const folder = tempFolder();
    const vault = await openVault(folder);
    addAccount(vault.db, 'alice');
    const outbox = new OutboxStore({ db: vault.db, sealer: vault.storage });
    const id = outbox.add(outboxRecord('alice'));
    const child = await openWindow(folder);
    assert.equal(await ask(child, 'send and stay'), 1);
    assert.equal(outbox.recover('left', Date.now()), 0);
    assert.equal(outbox.get(id)?.state, 'sending');
    await close(child, 'SIGKILL');
    assert.equal(outbox.recover('left', Date.now()), 1);
    assert.equal(outbox.get(id)?.state, 'acceptance-unknown');
    assert.equal(JSON.parse(outbox.get(id)?.failureJson ?? '').code, 'smtp.acceptance-unknown');
    vault.close();
  });

  it('lose nothing but the open transaction of one that is killed', async () => {
    const folder = tempFolder();
    const vault = await openVault(folder);
    addAccount(vault.db, 'alice');
    const child = await openWindow(folder);
    assert.equal(await ask(child, 'write and stall'), 'inside');
    const impatient = openDatabaseImpatiently(vault.file);
    assert.equal(impatient, 'store.locked');
    await close(child, 'SIGKILL');
    addAccount(vault.db, 'bob');
    assert.deepEqual(
      new AccountStore({ db: vault.db }).list().map(({ id }) => id),
      ['alice', 'bob'],
    );
    vault.close();
  });

  it('share epochs across midnight, even where one of them sleeps through it', async () => {
    const folder = tempFolder();
    const clock = movableClock('2026-03-01T23:59:00Z');
    const awake = await openVault(folder, clock);
    const db = openDatabase(awake.file, { durability: 'full', migrations: VAULT_MIGRATIONS });
    const asleep = await SecureStorage.open({
      db,
      secrets: folderSecrets(`${folder}-secrets`),
      random: systemRandom,
      clock: movableClock('2026-03-01T23:59:00Z'),
    });
    clock.set('2026-03-02T00:00:10Z');
    await awake.storage.ensureEpoch();
    const sealed = awake.storage.seal('keys', 'test', '1', Buffer.from('after midnight'));
    assert.equal(asleep.open('keys', 'test', '1', sealed).toString(), 'after midnight');
    const late = asleep.seal('keys', 'test', '2', Buffer.from('still yesterday'));
    assert.equal(awake.storage.open('keys', 'test', '2', late).toString(), 'still yesterday');
    asleep.dispose();
    db.close();
    awake.close();
  });
});

function openDatabaseImpatiently(file: string): string {
  try {
    const db = openDatabase(file, { durability: 'full', migrations: VAULT_MIGRATIONS, busyTimeoutMs: 60 });
    db.close();
    return 'opened';
  } catch (error) {
    return (error as { code: string }).code;
  }
}
