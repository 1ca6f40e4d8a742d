import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { CommandTokens } from '../../../src/core/auth/commandTokens.ts';
import { HostTokens } from '../../../src/core/auth/hostTokens.ts';
import { IdentityManager, type IdentityRecord } from '../../../src/core/auth/identityManager.ts';
import { AccountStore } from '../../../src/core/store/accounts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { CLIENT_ID, startOidcWorld, type OidcWorld } from '../../world/oidcWorld.ts';
import { HOUR, leakedIn, logged, MemorySecrets, MovableClock, oidc, openBench, type Bench } from './harness.ts';

const ALICE = 'alice@qumail.test';
const BOB = 'bob@qumail.test';
const PASSWORD = 'correct horse battery staple';

/** One run of the engine over a folder: what a restart brings back must come from here. */
interface Session {
  readonly identity: IdentityManager;
  readonly bench: Bench;
  readonly db: DatabaseSync;
}

describe('auth/identityManager', () => {
  let world: OidcWorld;
  let folder: string;
  let secrets: MemorySecrets;
  let clock: MovableClock;
  let session: Session;

  const start = (): Session => {
    const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
    const bench = openBench(world, { secrets, clock });
    const identity = new IdentityManager({
      accounts: new AccountStore({ db }),
      secrets,
      oauth: bench.manager,
      hostTokens: new HostTokens({ source: undefined, clock, log: bench.log }),
      commandTokens: new CommandTokens({ clock, log: bench.log }),
      clock,
      saeIdOf: (id) => (id === 'a1' ? 'SAE-ALICE' : undefined),
    });
    return { identity, bench, db };
  };
  const end = ({ bench, db }: Session): void => {
    bench.manager.dispose();
    db.close();
  };
  const record = (id: string, email: string, provider: 'oidc' | 'qumail_native'): IdentityRecord => ({
    id,
    email,
    displayName: email,
    provider,
    userId: email,
    servers: {
      imap: { host: 'mail.qumail.test', port: 993, security: 'tls' },
      smtp: { host: 'mail.qumail.test', port: 465, security: 'tls' },
    },
    ...(provider === 'oidc' ? { issuer: world.issuer, clientId: CLIENT_ID } : {}),
    createdAt: clock.now(),
    lastLogin: clock.now(),
  });
  const signIn = async (email: string) => {
    const person = world.browser.person(email);
    const { manager } = openBench(world, { openBrowser: person.openBrowser, secrets, clock });
    const { grant } = await manager.signIn(oidc(world));
    await person.landing();
    return grant;
  };

  before(async () => {
    world = await startOidcWorld();
  });
  after(() => world.dispose());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qumail-identity-'));
    secrets = new MemorySecrets();
    clock = new MovableClock();
    session = start();
  });
  afterEach(() => {
    end(session);
    rmSync(folder, { recursive: true });
  });

  it('knows both people again after a restart, and opens their mailboxes without asking them', async () => {
    await session.identity.addWithGrant(record('a1', ALICE, 'oidc'), await signIn(ALICE));
    await session.identity.addWithPassword({ ...record('b1', BOB, 'qumail_native'), displayName: 'Bob' }, PASSWORD);
    const profiles = ['a1', 'b1'].map((id) => session.identity.profile(id));
    end(session);
    clock.advance(3 * HOUR);
    session = start();
    assert.deepEqual(
      session.identity.list().map(({ email }) => email),
      [ALICE, BOB],
    );
    assert.deepEqual(
      ['a1', 'b1'].map((id) => session.identity.profile(id)),
      profiles,
    );
    assert.deepEqual(Object.keys(profiles[0]!).toSorted(), [
      'createdAt',
      'displayName',
      'email',
      'lastLogin',
      'provider',
      'saeId',
      'userId',
    ]);
    const alice = await session.identity.credentialSource('a1')('cached');
    assert.ok(alice.kind === 'token' && alice.user === ALICE && (await world.isActive(alice.accessToken)));
    assert.deepEqual(await session.identity.credentialSource('b1')('cached'), { kind: 'password', user: BOB, password: PASSWORD });
  });

  it('gives a fresh token when the server refused the cached one, and the same password again', async () => {
    await session.identity.addWithGrant(record('a1', ALICE, 'oidc'), await signIn(ALICE));
    const source = session.identity.credentialSource('a1');
    const [cached, fresh] = [await source('cached'), await source('fresh')];
    assert.ok(cached.kind === 'token' && fresh.kind === 'token' && cached.accessToken !== fresh.accessToken);
    assert.deepEqual(await source('cached'), fresh);
    await session.identity.addWithPassword(record('b1', BOB, 'qumail_native'), PASSWORD);
    assert.equal((await session.identity.credentialSource('b1')('fresh')).kind, 'password');
  });

  it('logs in under another name where the server wants one', async () => {
    const { servers, ...rest } = record('b1', BOB, 'qumail_native');
    await session.identity.addWithPassword({ ...rest, servers: { ...servers, userName: 'bob' } }, PASSWORD);
    assert.equal((await session.identity.credentialSource('b1')('cached')).user, 'bob');
  });

  it('refuses a second account for an address, whatever the provider, and leaves the first as it was', async () => {
    await session.identity.addWithPassword(record('b1', BOB, 'qumail_native'), PASSWORD);
    assert.throws(() => session.identity.refuseKnown('bob@QUMAIL.test'), { code: 'account.exists', details: { email: BOB } });
    await assert.rejects(session.identity.addWithPassword(record('b2', BOB, 'qumail_native'), 'other'), { code: 'account.exists' });
    await assert.rejects(session.identity.addWithGrant(record('b3', BOB, 'oidc'), await signIn(BOB)), { code: 'account.exists' });
    assert.deepEqual([...secrets.values], [['password.b1', PASSWORD]]);
  });

  it('lets one of two sign-ins for the same address win, and leaves no password of the other behind', async () => {
    const outcomes = await Promise.allSettled(
      ['b1', 'b2'].map((id) => session.identity.addWithPassword(record(id, BOB, 'qumail_native'), id)),
    );
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    const [winner] = session.identity.list();
    assert.deepEqual([...secrets.values], [[`password.${winner!.id}`, winner!.id]]);
  });

  it('signs in again in place: same account, new credential, new time of login', async () => {
    await session.identity.addWithGrant(record('a1', ALICE, 'oidc'), await signIn(ALICE));
    await session.identity.addWithPassword(record('b1', BOB, 'qumail_native'), 'old');
    await world.revokeAll(ALICE);
    await assert.rejects(session.identity.credentialSource('a1')('fresh'), { code: 'auth.sign-in-again' });
    clock.advance(HOUR);
    await session.identity.renewGrant('a1', await signIn(ALICE));
    await session.identity.renewPassword('b1', PASSWORD);
    assert.equal((await session.identity.credentialSource('a1')('fresh')).kind, 'token');
    assert.deepEqual(await session.identity.credentialSource('b1')('cached'), { kind: 'password', user: BOB, password: PASSWORD });
    for (const id of ['a1', 'b1']) {
      const { createdAt, lastLogin } = session.identity.profile(id);
      assert.ok(lastLogin - createdAt >= HOUR);
    }
  });

  it('signs out: revoked at the provider, erased here, and its credential source knows', async () => {
    await session.identity.addWithGrant(record('a1', ALICE, 'oidc'), await signIn(ALICE));
    await session.identity.addWithPassword(record('b1', BOB, 'qumail_native'), PASSWORD);
    const source = session.identity.credentialSource('a1');
    const before = await source('cached');
    for (const id of ['a1', 'b1']) await session.identity.signOut(id);
    assert.ok(before.kind === 'token' && !(await world.isActive(before.accessToken)));
    assert.equal(secrets.values.size, 0);
    assert.deepEqual(session.identity.list(), []);
    await assert.rejects(source('cached'), { code: 'account.missing' });
    await assert.rejects(session.identity.signOut('a1'), { code: 'account.missing' });
    assert.throws(() => session.identity.profile('a1'), { code: 'account.missing' });
  });

  it('asks for a new sign-in where the password is gone from the secret store', async () => {
    await session.identity.addWithPassword(record('b1', BOB, 'qumail_native'), PASSWORD);
    secrets.values.clear();
    await assert.rejects(session.identity.credentialSource('b1')('cached'), {
      code: 'auth.sign-in-again',
      details: { reason: 'no-password' },
    });
  });

  it('writes nothing secret into the records or the log', async () => {
    await session.identity.addWithGrant(record('a1', ALICE, 'oidc'), await signIn(ALICE));
    await session.identity.addWithPassword(record('b1', BOB, 'qumail_native'), PASSWORD);
    const written = JSON.stringify(session.identity.list());
    assert.deepEqual(leakedIn(logged, written), []);
    assert.equal(written.includes(PASSWORD) || JSON.stringify(logged).includes(PASSWORD), false);
  });
});
