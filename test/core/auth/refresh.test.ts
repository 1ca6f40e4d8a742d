import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { QuMailError } from '../../../src/core/base/errors.ts';
import type { HttpFetch } from '../../../src/core/base/ports.ts';
import { startOidcWorld, type OidcWorld, type TokenFault } from '../../world/oidcWorld.ts';
import {
  Benches,
  HOUR,
  leakedIn,
  logged,
  MemorySecrets,
  MINUTE,
  openBench,
  passedSecrets,
  type Bench,
  type BenchOptions,
  tokenRequestsDuring,
} from './harness.ts';

const ALICE = 'alice@qumail.test';
const BOB = 'bob@qumail.test';
/** After this at the latest, a first failure is tried again. */
const LONGEST_FIRST_PAUSE = 2_000;

describe('auth: keeping an access token fresh', () => {
  let world: OidcWorld;
  const benches = new Benches();
  const bench = (options?: BenchOptions): Bench => benches.open(world, options);
  const requestsDuring = (run: () => Promise<unknown>): Promise<number> => tokenRequestsDuring(world, run);

  before(async () => {
    world = await startOidcWorld();
  });
  afterEach(() => {
    world.setTokenFault('none');
    benches.close();
  });
  after(() => world.dispose());

  it('hands out the token as it is while five minutes are left, and a new one after', async () => {
    const { token, signedIn, clock } = bench();
    await signedIn(ALICE);
    const first = await token(ALICE);
    const spare = first.expiresAt - clock.now() - 5 * MINUTE;
    assert.equal(await requestsDuring(async () => (clock.advance(spare - 2_000), assert.deepEqual(await token(ALICE), first))), 0);
    assert.equal(
      await requestsDuring(async () => (clock.advance(2_001), assert.notEqual((await token(ALICE)).accessToken, first.accessToken))),
      1,
    );
    const second = await token(ALICE);
    assert.ok(second.expiresAt - clock.now() > 59 * MINUTE && second.expiresAt - clock.now() <= HOUR);
    assert.deepEqual(second.scopes, ['openid', 'email', 'offline_access', 'profile', 'mail']);
    assert.equal(await world.isActive(second.accessToken), true);
  });

  it('makes one token request for a hundred callers of an account, and one more for another account', async () => {
    const { token, signedIn, clock } = bench();
    await signedIn(ALICE);
    await signedIn(BOB);
    clock.advance(2 * HOUR);
    const refreshesBefore = world.counters.refreshes;
    const answers: string[] = [];
    const requests = await requestsDuring(async () => {
      const asked = Array.from({ length: 100 }, (_, n) => token(ALICE, n % 10 === 0 ? 'forced' : 'if-needed'));
      answers.push(...(await Promise.all([...asked, token(BOB)])).map(({ accessToken }) => accessToken));
    });
    assert.equal(requests, 2);
    assert.equal(world.counters.refreshes - refreshesBefore, 2);
    assert.equal(new Set(answers.slice(0, 100)).size, 1);
    assert.notEqual(answers[100], answers[0]);
  });

  it('serves a week of callers with the rotated refresh token of each time before', async () => {
    const { token, signedIn, clock, secrets } = bench();
    await signedIn(ALICE);
    const seen = new Set<unknown>();
    for (let hour = 0; hour < 24 * 7; hour += 12) {
      clock.advance(12 * HOUR);
      assert.equal(await world.isActive((await token(ALICE)).accessToken), true);
      seen.add(secrets.grantOf(ALICE)!.refreshToken);
    }
    assert.equal(seen.size, 14);
  });

  it('refreshes a token that looks valid when forced to', async () => {
    const { token, signedIn } = bench();
    await signedIn(ALICE);
    const first = await token(ALICE);
    const forced = await token(ALICE, 'forced');
    assert.notEqual(forced.accessToken, first.accessToken);
    assert.deepEqual(await token(ALICE), forced);
  });

  it('has the rotated refresh token in the secret store before anybody gets the access token', async () => {
    const { token, signedIn, clock, secrets } = bench();
    await signedIn(ALICE);
    const before = secrets.grantOf(ALICE)!;
    clock.advance(2 * HOUR);
    secrets.set = ((set) => async (key: string, value: string) => {
      assert.equal(handedOut, false);
      await set.call(secrets, key, value);
    })(secrets.set);
    let handedOut = false;
    const { accessToken } = await token(ALICE).finally(() => (handedOut = true));
    assert.equal(secrets.grantOf(ALICE)!.accessToken, accessToken);
    assert.notEqual(secrets.grantOf(ALICE)!.refreshToken, before.refreshToken);
  });

  it('keeps a rotated token that the secret store refused, and hands out nothing until it is stored', async () => {
    const { token, signedIn, clock, secrets } = bench();
    await signedIn(ALICE);
    clock.advance(2 * HOUR);
    const set = secrets.set;
    secrets.set = () => Promise.reject(new Error('the keyring is locked'));
    const requests = await requestsDuring(async () => {
      await assert.rejects(token(ALICE), { code: 'store.locked' });
      await assert.rejects(token(ALICE), { code: 'store.locked' });
      secrets.set = set;
      assert.equal((await token(ALICE)).accessToken, secrets.grantOf(ALICE)!.accessToken);
    });
    assert.equal(requests, 1);
  });

  it('lives with a provider that neither says how long a token lives nor replaces the refresh token', async () => {
    const { token, signedIn, clock, secrets } = bench();
    await signedIn(ALICE);
    const { refreshToken } = secrets.grantOf(ALICE)!;
    world.accessTokenSeconds = 20;
    try {
      world.setTokenFault('no-expires-in', 1);
      clock.advance(2 * HOUR);
      assert.ok((await token(ALICE)).expiresAt - clock.now() > 59 * MINUTE);
      world.setTokenFault('no-refresh-token', 1);
      const rotated = secrets.grantOf(ALICE)!.refreshToken;
      assert.notEqual(rotated, refreshToken);
      await token(ALICE, 'forced');
      assert.equal(secrets.grantOf(ALICE)!.refreshToken, rotated);
    } finally {
      world.accessTokenSeconds = 3600;
    }
  });

  describe('when the token endpoint fails', () => {
    const faults: readonly (readonly [TokenFault, string, object])[] = [
      ['status-500', 'auth.refresh-failed', { status: 500, reason: 'server_error' }],
      ['status-429', 'auth.refresh-failed', { status: 429, reason: 'http' }],
      ['invalid-client', 'auth.refresh-failed', { status: 401, reason: 'invalid_client' }],
      ['silent', 'auth.refresh-failed', { status: 0, reason: 'net.timeout' }],
      ['huge', 'auth.refresh-failed', { status: 0, reason: 'net.too-large' }],
      ['garbage', 'auth.bad-answer', { reason: 'shape' }],
      ['html', 'auth.bad-answer', { reason: 'shape' }],
      ['no-access-token', 'auth.bad-answer', { reason: 'access_token' }],
      ['mac-token', 'auth.bad-answer', { reason: 'token_type' }],
    ];
    /** Twenty seconds are a long test: the silent endpoint is given up after a fifth of one. */
    const impatient =
      (fetch: HttpFetch): HttpFetch =>
      (request) =>
        fetch({ ...request, timeoutMs: Math.min(request.timeoutMs, 200) });
    for (const [fault, code, details] of faults) {
      it(`answers ${fault} with ${code}, keeps the grant, and works again afterwards`, async () => {
        const { token, signedIn, clock, secrets } = bench({ wrapFetch: impatient });
        await signedIn(ALICE);
        const stored = secrets.grantOf(ALICE);
        clock.advance(2 * HOUR);
        world.setTokenFault(fault);
        await assert.rejects(token(ALICE), { code, details });
        assert.deepEqual(secrets.grantOf(ALICE), stored);
        world.setTokenFault('none');
        clock.advance(LONGEST_FIRST_PAUSE);
        // This answer took the rotated refresh token with it; all others come before any work.
        if (fault !== 'no-access-token') assert.equal(await world.isActive((await token(ALICE)).accessToken), true);
      });
    }

    it('says that the person must sign in again where the grant is gone, once to the listener, and asks no more', async () => {
      const { token, signedIn, clock, manager } = bench();
      const told: unknown[] = [];
      manager.needsSignIn((key) => told.push(key));
      await signedIn(ALICE);
      clock.advance(2 * HOUR);
      await world.revokeAll(ALICE);
      const requests = await requestsDuring(async () => {
        const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => token(ALICE)));
        for (const outcome of outcomes) {
          assert.ok(outcome.status === 'rejected' && QuMailError.is(outcome.reason, 'auth.sign-in-again'));
          assert.deepEqual(outcome.reason.details, { reason: 'invalid_grant' });
        }
        assert.deepEqual(told, [{ provider: 'oidc', email: ALICE }]);
        await assert.rejects(token(ALICE), { code: 'auth.sign-in-again', details: { reason: 'refused-before' } });
      });
      assert.equal(requests, 1);
      await signedIn(ALICE);
      assert.equal(await world.isActive((await token(ALICE)).accessToken), true);
    });

    it('needs the person when an answer was lost after the provider had rotated', async () => {
      const { token, signedIn, clock } = bench();
      await signedIn(ALICE);
      clock.advance(2 * HOUR);
      world.setTokenFault('lose-answer', 1);
      await assert.rejects(token(ALICE), { code: 'auth.refresh-failed', details: { status: 0, reason: 'net.cut' } });
      clock.advance(LONGEST_FIRST_PAUSE);
      await assert.rejects(token(ALICE), { code: 'auth.sign-in-again', details: { reason: 'invalid_grant' } });
    });

    it('names a provider that cannot be reached or discovered, and goes on with a token that still lives', async () => {
      const gone = await startOidcWorld();
      const first = openBench(gone);
      await first.signedIn(ALICE);
      gone.dispose();
      assert.ok((await first.token(ALICE)).accessToken);
      first.clock.advance(2 * HOUR);
      await assert.rejects(first.token(ALICE), { code: 'auth.refresh-failed', details: { status: 0, reason: 'net.refused' } });
      const restarted = openBench(gone, { secrets: first.secrets, clock: first.clock });
      await assert.rejects(restarted.token(ALICE), { code: 'auth.refresh-failed', details: { status: 0, reason: 'net.refused' } });
    });
  });

  it('needs the person where there is no refresh token, no grant, or a stored value that nobody can read', async () => {
    const { token, signedIn, clock, secrets } = bench();
    await assert.rejects(token(ALICE), { code: 'auth.sign-in-again', details: { reason: 'no-grant' } });
    world.setTokenFault('no-refresh-token', 1);
    await signedIn(ALICE);
    assert.ok((await token(ALICE)).accessToken);
    clock.advance(2 * HOUR);
    await assert.rejects(token(ALICE), { code: 'auth.sign-in-again', details: { reason: 'no-refresh-token' } });
    for (const bad of ['', 'null', '{}', '{"version":2}', '{"version":1,"clientId":"c","accessToken":7}']) {
      secrets.values.set(`oauth.grant.oidc.${ALICE}`, bad);
      await assert.rejects(token(ALICE), { code: 'auth.sign-in-again', details: { reason: 'no-grant' } });
    }
  });

  it('needs the client secret where the provider insists on one', async () => {
    const { manager, secrets, clock } = bench();
    secrets.values.set(
      `oauth.grant.google.${ALICE}`,
      JSON.stringify({ version: 1, clientId: 'c', accessToken: 'a', expiresAt: clock.now(), refreshToken: 'r', scopes: [] }),
    );
    await assert.rejects(manager.refreshTokenIfNeeded('google', ALICE), {
      code: 'auth.client-missing',
      details: { provider: 'google', what: 'secret' },
    });
    await assert.rejects(manager.refreshTokenIfNeeded('qumail_native', ALICE), { code: 'engine.bad-request' });
  });

  describe('between two windows over one secret store', () => {
    it('takes the token that another window refreshed', async () => {
      const secrets = new MemorySecrets();
      const one = bench({ secrets });
      const two = bench({ secrets, clock: one.clock });
      await one.signedIn(ALICE);
      one.clock.advance(2 * HOUR);
      assert.equal(await requestsDuring(async () => assert.deepEqual(await one.token(ALICE), await two.token(ALICE))), 1);
    });

    it('takes it as well when a server refused the token of before, and refreshes when it refuses this one', async () => {
      const secrets = new MemorySecrets();
      const one = bench({ secrets });
      const two = bench({ secrets, clock: one.clock });
      await one.signedIn(ALICE);
      const [old] = [await two.token(ALICE), await one.token(ALICE)];
      const news = await one.token(ALICE, 'forced');
      assert.notEqual(news.accessToken, old.accessToken);
      assert.equal(await requestsDuring(async () => assert.deepEqual(await two.token(ALICE, 'forced'), news)), 0);
      assert.equal(await requestsDuring(async () => assert.notDeepEqual(await two.token(ALICE, 'forced'), news)), 1);
    });

    it('takes it as well when the other one was faster by a hair and the provider refuses the old refresh token', async () => {
      const secrets = new MemorySecrets();
      const one = bench({ secrets });
      let overtaken = false;
      const two = bench({
        secrets,
        clock: one.clock,
        wrapFetch: (fetch) => async (request) => {
          if (request.url.endsWith('/token') && !overtaken) {
            overtaken = true;
            await one.token(ALICE);
            world.setTokenFault('invalid-grant', 1);
          }
          return fetch(request);
        },
      });
      await one.signedIn(ALICE);
      one.clock.advance(2 * HOUR);
      const requests = await requestsDuring(async () => assert.deepEqual(await two.token(ALICE), await one.token(ALICE)));
      assert.equal(overtaken, true);
      assert.equal(requests, 2);
    });
  });

  describe('under cancelling and signing out', () => {
    /** Holds the token request until the test lets it go. */
    const heldBack = (): { wrap: (fetch: HttpFetch) => HttpFetch; asked: Promise<void>; release: () => void; hold: () => void } => {
      const asked = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      let holding = false;
      const wrap =
        (fetch: HttpFetch): HttpFetch =>
        async (request) => {
          if (holding && request.url.endsWith('/token')) {
            asked.resolve();
            await gate.promise;
          }
          return fetch(request);
        };
      return { wrap, asked: asked.promise, release: gate.resolve, hold: () => (holding = true) };
    };

    it('lets one caller leave without taking the answer from the others', async () => {
      const held = heldBack();
      const { token, signedIn, clock } = bench({ wrapFetch: held.wrap });
      await signedIn(ALICE);
      clock.advance(2 * HOUR);
      held.hold();
      const abort = new AbortController();
      const leaving = assert.rejects(token(ALICE, 'if-needed', abort.signal), { code: 'engine.cancelled' });
      const staying = token(ALICE);
      await held.asked;
      abort.abort();
      await leaving;
      held.release();
      assert.equal(await world.isActive((await staying).accessToken), true);
      await assert.rejects(token(ALICE, 'if-needed', abort.signal), { code: 'engine.cancelled' });
    });

    it('does not bring tokens back when an account is signed out during its refresh', async () => {
      const held = heldBack();
      const { token, signedIn, clock, manager, secrets } = bench({ wrapFetch: held.wrap });
      await signedIn(ALICE);
      clock.advance(2 * HOUR);
      held.hold();
      const refreshing = token(ALICE);
      await held.asked;
      const signingOut = manager.revoke('oidc', ALICE);
      held.release();
      const { accessToken } = await refreshing;
      await signingOut;
      assert.equal(secrets.values.size, 0);
      assert.equal(await world.isActive(accessToken), false);
      await assert.rejects(token(ALICE), { code: 'auth.sign-in-again' });
    });

    it('waits for the refresh under way when asked to drain, and ends it when disposed of', async () => {
      const held = heldBack();
      const { token, signedIn, clock, manager } = bench({ wrapFetch: held.wrap });
      await signedIn(ALICE);
      clock.advance(2 * HOUR);
      held.hold();
      const steps: string[] = [];
      const refreshing = token(ALICE).then(() => steps.push('refreshed'));
      await held.asked;
      const drained = manager.drain().then(() => steps.push('drained'));
      held.release();
      await Promise.all([refreshing, drained]);
      assert.deepEqual(steps.toSorted(), ['drained', 'refreshed']);
      world.setTokenFault('silent', 1);
      const ended = assert.rejects(token(ALICE, 'forced'), { code: 'engine.cancelled' });
      setImmediate(() => manager.dispose());
      await ended;
    });
  });

  describe('signing out', () => {
    it('revokes at the provider and erases here', async () => {
      const { token, signedIn, manager, secrets } = bench();
      await signedIn(ALICE);
      const { accessToken } = await token(ALICE);
      const { refreshToken } = secrets.grantOf(ALICE)!;
      const before = world.counters.revocations;
      await manager.revoke('oidc', ALICE);
      assert.equal(world.counters.revocations - before, 1);
      assert.equal(secrets.values.size, 0);
      assert.equal(await world.isActive(accessToken), false);
      const grant = { version: 1, issuer: world.issuer, clientId: 'qumail-test', accessToken, expiresAt: 0, refreshToken, scopes: [] };
      secrets.values.set(`oauth.grant.oidc.${ALICE}`, JSON.stringify(grant));
      await assert.rejects(token(ALICE), { code: 'auth.sign-in-again', details: { reason: 'invalid_grant' } });
    });

    it('erases here though the provider has no revocation endpoint or cannot be reached', async () => {
      const here = await startOidcWorld();
      here.discoveryFault = 'no-revocation';
      const { signedIn, manager, secrets } = openBench(here);
      await signedIn(ALICE);
      await signedIn(BOB);
      await manager.revoke('oidc', ALICE);
      assert.deepEqual([...secrets.values.keys()], [`oauth.grant.oidc.${BOB}`]);
      here.dispose();
      await manager.revoke('oidc', BOB);
      assert.equal(secrets.values.size, 0);
      await manager.revoke('oidc', 'nobody@qumail.test');
      await manager.revoke('qumail_native', ALICE);
    });
  });

  it('never shows a refresh token: not in answers, not in the grant of a sign-in, not in errors, not in the log', async () => {
    const { token, signedIn, clock, secrets } = bench();
    const { grant } = await signedIn(ALICE);
    clock.advance(2 * HOUR);
    const answer = await token(ALICE);
    const { refreshToken } = secrets.grantOf(ALICE)!;
    assert.deepEqual(Object.keys(answer), ['accessToken', 'expiresAt', 'scopes']);
    for (const shown of [
      JSON.stringify(answer),
      JSON.stringify(grant),
      inspect(grant, { showHidden: true, depth: 9 }),
      inspect(structuredClone({ ...grant })),
    ]) {
      assert.equal(shown.includes(String(refreshToken)), false);
    }
    world.setTokenFault('garbage', 1);
    const failure: unknown = await token(ALICE, 'forced').catch((error: unknown) => error);
    assert.ok(passedSecrets.has(String(refreshToken)));
    assert.deepEqual(leakedIn(logged, failure), []);
  });
});
