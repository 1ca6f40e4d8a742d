import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineOptions, HostToken, HostTokenRequest, QuMailApi } from '../../../src/core/api.ts';
import type { LogEntry } from '../../../src/core/base/log.ts';
import { QuMailCore } from '../../../src/core/qumailCore.ts';
import { AccountStore } from '../../../src/core/store/accounts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { LEDGER_MIGRATIONS } from '../../../src/core/keys/ledgerSchema.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

/** Accounts whose tokens come from elsewhere, on the real mail host: printed by a program, or handed over by the editor. */
describe('accounts with tokens from elsewhere', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let folder: string;
  const engines: QuMailApi[] = [];
  const secrets = new Map<string, string>();
  const log: LogEntry[] = [];

  const open = async (more: Partial<EngineOptions> = {}): Promise<QuMailApi> => {
    const engine = await QuMailCore.open({
      storageDir: folder,
      secrets: {
        get: async (key) => secrets.get(key),
        set: async (key, value) => void secrets.set(key, value),
        delete: async (key) => void secrets.delete(key),
      },
      openBrowser: async () => false,
      log: (entry) => log.push(entry),
      settings: { certificateAuthorities: { '127.0.0.1': world.kme.pair.caPem }, fetchInterval: 3600 },
      ...more,
    });
    engines.push(engine);
    return engine;
  };
  const close = async (): Promise<void> => {
    for (const engine of engines.splice(0)) await engine[Symbol.asyncDispose]();
  };
  /** A token that the mail host takes, from Alice's own sign-in. */
  const goodToken = async (): Promise<string> => (await alice.engine.getAccessToken({ accountId: alice.account.id })).accessToken;
  const printing = (token: string): readonly string[] => [process.execPath, '-e', `console.log(process.argv[1])`, '--', token];
  const withCommand = (command: readonly string[]) =>
    ({ provider: 'token_command', email: alice.email, displayName: 'Alice', command, servers: world.servers }) as const;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    alice = await world.person('alice');
    await alice.signInWithBrowser();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qumail-foreign-'));
    secrets.clear();
  });
  afterEach(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });
  after(() => world?.dispose());

  describe('printed by a program', () => {
    it('open the mailbox, after a restart too, and leave no token behind', async () => {
      const token = await goodToken();
      const account = await (await open()).addAccount(withCommand(printing(token)));
      assert.equal(account.provider, 'token_command');
      await close();
      const engine = await open();
      await engine.fetchMail({ accountId: account.id });
      assert.equal((await engine.listAccounts())[0]?.state, 'online');
      assert.deepEqual(
        [...secrets.keys()].filter((name) => !name.startsWith('qumail.epoch.')),
        [],
      );
      assert.ok(!JSON.stringify([log, [...secrets.values()]]).includes(token));
      await assert.rejects(engine.getAccessToken({ accountId: account.id }), { code: 'engine.bad-request' });
      await engine.signInAgain({ accountId: account.id });
      await engine.signOut({ accountId: account.id });
      assert.deepEqual(await engine.listAccounts(), []);
    });

    const refused: readonly (readonly [string, readonly string[], object])[] = [
      [
        'a program that fails',
        [process.execPath, '-e', 'process.exit(7)'],
        { code: 'auth.command-failed', details: { reason: 'exit', status: 7 } },
      ],
      ['a program that is not there', ['qumail-no-such-program'], { code: 'auth.command-failed', details: { reason: 'not-found' } }],
      ['a token that the mail host does not take', [process.execPath, '-e', `console.log('nonsense')`], { code: 'auth.token-refused' }],
      ['a relative path', ['./print-token'], { code: 'account.bad-settings', details: { field: 'command' } }],
    ];
    for (const [what, command, failure] of refused) {
      it(`refuses ${what} and stores nothing`, async () => {
        const engine = await open();
        await assert.rejects(engine.addAccount(withCommand(command)), failure);
        assert.deepEqual(await engine.listAccounts(), []);
      });
    }

    it('are never asked for in the lab, and neither is a browser or the editor', async () => {
      let asked = 0;
      const engine = await open({ world: 'lab', hostToken: async () => (asked++, undefined), openBrowser: async () => (asked++, false) });
      const marker = join(folder, 'ran');
      await assert.rejects(
        engine.addAccount(withCommand([process.execPath, '-e', `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`])),
        {
          code: 'lab.only',
        },
      );
      await assert.rejects(engine.addAccount({ provider: 'outlook' }), { code: 'lab.only' });
      await assert.rejects(engine.addAccount({ provider: 'google' }), { code: 'lab.only' });
      assert.equal(asked, 0);
      assert.throws(() => rmSync(marker), { code: 'ENOENT' });
    });
  });

  describe('handed over by the editor', () => {
    /** An Outlook account as it lies in the vault, with the mail host in Microsoft's place. */
    const stored = (): string => {
      const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: [...VAULT_MIGRATIONS, ...LEDGER_MIGRATIONS] });
      new AccountStore({ db }).insert({
        id: 'outlook-1',
        email: alice.email,
        displayName: 'Alice',
        provider: 'outlook',
        userId: 'id-1',
        servers: world.servers,
        createdAt: Date.now(),
        lastLogin: 0,
      });
      db.close();
      return 'outlook-1';
    };

    it('open the mailbox; the editor is asked again when the server refuses one, and the person when there is none', async () => {
      const accountId = stored();
      const asked: HostTokenRequest['how'][] = [];
      let session: HostToken | undefined = { accessToken: 'stale', account: { id: 'id-1', label: alice.email } };
      const fresh = { ...session, accessToken: await goodToken() };
      const engine = await open({
        hostToken: async (request) => {
          asked.push(request.how);
          if (request.how !== 'cached' && session) session = fresh;
          return session;
        },
      });
      await engine.fetchMail({ accountId });
      assert.equal((await engine.listAccounts())[0]?.state, 'online');
      assert.ok(asked.includes('cached') && asked.includes('fresh') && !asked.includes('interactive'));

      session = undefined;
      world.imapProxy.faultNow({ how: 'reset' });
      await assert.rejects(engine.fetchMail({ accountId }), { code: 'auth.sign-in-again' });
      assert.equal((await engine.listAccounts())[0]?.state, 'needs-sign-in');
      await assert.rejects(engine.signInAgain({ accountId }), { code: 'auth.cancelled' });
      session = { ...fresh, account: { id: 'id-2', label: 'bob@other.test' } };
      const bobs = session;
      await assert.rejects((await reopened({ hostToken: async () => bobs })).signInAgain({ accountId }), {
        code: 'auth.denied',
        details: { reason: 'other-account' },
      });
      const again = await reopened({ hostToken: async () => fresh });
      await again.signInAgain({ accountId });
      await again.fetchMail({ accountId });
      assert.equal((await again.listAccounts())[0]?.state, 'online');
      assert.ok(!JSON.stringify(log).includes(fresh.accessToken));
    });

    const reopened = async (more: Partial<EngineOptions>): Promise<QuMailApi> => {
      await close();
      return open(more);
    };

    it('add no account when the person says no, or the editor has no such sign-in', async () => {
      await assert.rejects((await open({ hostToken: async () => undefined })).addAccount({ provider: 'outlook' }), {
        code: 'auth.cancelled',
      });
      const engine = await reopened({});
      await assert.rejects(engine.addAccount({ provider: 'outlook' }), { code: 'auth.client-missing' });
      assert.deepEqual(await engine.listAccounts(), []);
    });
  });
});
