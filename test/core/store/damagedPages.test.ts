import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { QuMailApi } from '../../../src/core/api.ts';
import type { LogEntry } from '../../../src/core/base/log.ts';
import { DisposableStore } from '../../../src/core/base/lifetime.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { openStores } from '../../../src/core/coreStores.ts';
import { sourceOf, type SyncedAccount } from '../../../src/core/account/syncFolder.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { MailCache } from '../../../src/core/store/mailCache.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore } from '../../../src/core/store/messages.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { QuMailCore } from '../../../src/core/qumailCore.ts';
import { source } from './searchFixture.ts';
import { plainMessage } from './plainMessage.ts';
import { accountRecord, folderSecrets, removeTempFolders, tempFolder } from './vaultFixture.ts';

const PAGE = 4096;
const A = 'alice';
const TEXT = 'To: bob@example.test\nSubject: kept\nSecurity: L4\n\nwritten before\n';
const NOWHERE = { host: '127.0.0.1', port: 9, security: 'tls' as const };

describe('an engine over a mail.db with a damaged page', function () {
  this.timeout(120_000);
  let heard: (entry: LogEntry) => unknown = () => {};
  let sound: string;
  let secrets: ReturnType<typeof folderSecrets>;
  let pages: number;
  let running: QuMailApi | undefined;

  before(async () => {
    sound = tempFolder();
    secrets = folderSecrets(`${sound}-secrets`);
    const owned = new DisposableStore();
    const stores = await openStores({ storageDir: sound, secrets }, { clock: systemClock, random: systemRandom }, owned);
    stores.accounts.insert(accountRecord(A, { servers: { imap: NOWHERE, smtp: NOWHERE } }));
    const { messages, offline } = stores;
    messages.upsertFolder({
      accountId: A,
      path: 'INBOX',
      name: 'INBOX',
      delimiter: '/',
      specialUse: 'inbox',
      selectable: true,
      unread: 0,
      total: 120,
    });
    messages.setCursor(A, 'INBOX', { uidValidity: 7, uidNext: 200 });
    const batch = Array.from({ length: 120 }, (_, i) => {
      const raw = source({ Subject: `Number ${i}`, 'Message-ID': `<${i}@x>` }, `quantum ${i} ${'word '.repeat(i % 10 === 0 ? 3000 : 40)}`);
      return { ...plainMessage(i + 1, { subject: `Number ${i}`, size: raw.length }), raw };
    });
    for (let at = 0; at < batch.length; at += 20) offline.storeSources(A, 'INBOX', 7, batch.slice(at, at + 20));
    const failed = messages.insertMessages(A, 'INBOX', [plainMessage(150, { seal: 'failed' })]);
    messages.setSeal(failed[0]!, { seal: 'failed', level: 'L2', failureJson: '{"code":"open.unknown-suite"}' });
    owned.dispose();
    const engine = await open(sound);
    const draft = await engine.createDraft({ accountId: A, source: { kind: 'new' } });
    await engine.saveDraft({ draftId: draft.id, text: TEXT });
    await engine[Symbol.asyncDispose]();
    pages = readFileSync(join(sound, 'mail.db')).length / PAGE;
  });
  after(async () => {
    await running?.[Symbol.asyncDispose]();
    removeTempFolders();
  });

  const open = (storageDir: string): Promise<QuMailApi> =>
    QuMailCore.open({
      storageDir,
      secrets,
      openBrowser: async () => false,
      log: (entry) => heard(entry),
      settings: { fetchInterval: 3600 },
    });

  /** A copy of the folder in which one page of mail.db is not what was written. */
  function damaged(page: number): string {
    const dir = tempFolder();
    cpSync(sound, dir, { recursive: true });
    const bytes = readFileSync(join(dir, 'mail.db'));
    writeFileSync(join(dir, 'mail.db'), bytes.fill(0xa5, page * PAGE, (page + 1) * PAGE));
    return dir;
  }

  /** What a person does, each tried whatever became of the others; returns the codes of what failed. */
  async function use(engine: QuMailApi): Promise<string[]> {
    const requests = [
      () => engine.getEmailList({ accountId: A, folder: 'INBOX', limit: 200 }),
      () => engine.search({ query: 'quantum', limit: 200 }),
      () => engine.getSyncState({ accountId: A }),
      () => engine.getThreadList({ accountId: A, folder: 'INBOX', limit: 200 }),
      ...Array.from({ length: 121 }, (_, i) => () => engine.getSource({ messageId: i + 1 })),
    ];
    const codes: string[] = [];
    for (const request of requests) await request().catch((error: unknown) => void codes.push(QuMailError.from(error).code));
    return codes.filter((code) => code.startsWith('store.'));
  }

  async function vaultIsWhole(engine: QuMailApi, dir: string): Promise<void> {
    const drafts = await engine.listDrafts();
    assert.equal((await engine.loadDraft({ draftId: drafts[0]!.id })).text, TEXT);
    assert.deepEqual(await engine.listOutbox(), []);
    assert.equal((await engine.verifyAudit({})).intact, true);
    const vault = new DatabaseSync(join(dir, 'vault.db'), { readOnly: true });
    assert.equal(vault.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    vault.close();
  }

  it('opens whichever page it is, with the vault as it was, names what it meets, and has begun another by the next start', async () => {
    const met = { atStart: 0, inUse: 0, never: 0 };
    for (let page = 0; page < pages; page += 5) {
      const dir = damaged(page);
      let engine = await open(dir);
      running = engine;
      const begun = existsSync(join(dir, 'mail-2.db'));
      await vaultIsWhole(engine, dir);
      const codes = await use(engine);
      assert.ok(
        codes.every((code) => code === 'store.mail-damaged'),
        `page ${page}: ${[...new Set(codes)].join()}`,
      );
      assert.ok(!begun || codes.length === 0, `page ${page} of a new file`);
      if (codes.length > 0)
        assert.ok(
          (await engine.getAccountHealth())[0]?.errors.some(({ code }) => code === 'store.mail-damaged'),
          `page ${page}`,
        );
      await engine[Symbol.asyncDispose]();
      engine = running = await open(dir);
      await vaultIsWhole(engine, dir);
      assert.deepEqual(await use(engine), [], `page ${page}, second start`);
      await engine[Symbol.asyncDispose]();
      met[begun ? 'atStart' : codes.length > 0 ? 'inUse' : 'never']++;
    }
    assert.ok(met.atStart > 2 && met.inUse > 2, JSON.stringify(met));
  });

  it('tells of it in every window, also in those that have met nothing themselves', async () => {
    const dir = tempFolder();
    cpSync(sound, dir, { recursive: true });
    running = await open(dir);
    const told = Promise.withResolvers<void>();
    heard = ({ event }) => event === 'engine.mail-cache-damaged' && told.resolve();
    const vault = new DatabaseSync(join(dir, 'vault.db'));
    vault.exec('UPDATE mail_file SET generation = generation + 1');
    vault.close();
    await told.promise;
    await new Promise((resolve) => setImmediate(resolve));
    const [health] = await running.getAccountHealth();
    assert.ok(health?.errors.some(({ code }) => code === 'store.mail-damaged'));
    await vaultIsWhole(running, dir);
  });

  it('reads a message whose source is damaged here from the server', async () => {
    const dir = tempFolder();
    const raw = Buffer.from(`Subject: long\r\n\r\n${'Z'.repeat(20 * PAGE)}`);
    const vault = openDatabase(join(dir, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
    const openCache = (): MailCache => new MailCache({ dir, vault, migrations: MAIL_MIGRATIONS });
    const first = openCache();
    const store = new MessageStore({ db: first.db });
    store.setCursor(A, 'INBOX', { uidValidity: 7, uidNext: 2 });
    store.putBody(store.insertMessages(A, 'INBOX', [plainMessage(1)])[0]!, raw);
    first.dispose();
    const bytes = readFileSync(join(dir, 'mail.db'));
    writeFileSync(join(dir, 'mail.db'), bytes.fill(0xa5, bytes.indexOf('Z'.repeat(PAGE - 4)) - 4).subarray(0, bytes.length));
    const cache = openCache();
    const messages = new MessageStore({ db: cache.db });
    const handler = { fetchSource: async () => raw } as unknown as SyncedAccount['handler'];
    const row = messages.byUid(A, 'INBOX', 1)!;
    for (let times = 0; times < 2; times++) assert.deepEqual(await sourceOf({ accountId: A, self: '', handler }, row, messages), raw);
    assert.equal(vault.prepare('SELECT generation FROM mail_file').get()?.['generation'], 2);
    cache.dispose();
    vault.close();
  });
});
