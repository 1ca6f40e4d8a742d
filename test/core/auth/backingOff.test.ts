import assert from 'node:assert/strict';
import { startOidcWorld, type OidcWorld, type TokenFault } from '../../world/oidcWorld.ts';
import { Benches, HOUR, MINUTE, MemorySecrets, type Bench, type BenchOptions, tokenRequestsDuring } from './harness.ts';

const ALICE = 'alice@qumail.test';
const BOB = 'bob@qumail.test';

describe('auth: when a token cannot be refreshed just now', () => {
  let world: OidcWorld;
  const benches = new Benches();
  const bench = (options?: BenchOptions): Bench => benches.open(world, options);
  const requestsDuring = (run: () => Promise<unknown>): Promise<number> => tokenRequestsDuring(world, run);

  before(async () => {
    world = await startOidcWorld();
  });
  afterEach(() => {
    world.setTokenFault('none');
    world.retryAfter = '';
    world.clockSkewMs = 0;
    world.refreshTokenReuse = 'refused';
    benches.close();
  });
  after(() => world.dispose());

  it('asks once and tells everybody the known failure until the pause is over', async () => {
    const { token, signedIn, clock, manager } = bench();
    await signedIn(ALICE);
    clock.advance(2 * HOUR);
    world.setTokenFault('status-500');
    world.retryAfter = '10';
    const failure = { code: 'auth.refresh-failed', details: { status: 500, reason: 'server_error', retryAfter: 10 } };
    const requests = await requestsDuring(async () => {
      for (const wave of [1, 2, 3]) {
        const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => token(ALICE, wave === 2 ? 'forced' : 'if-needed')));
        for (const outcome of outcomes) {
          assert.ok(outcome.status === 'rejected');
          assert.deepEqual({ code: outcome.reason.code, details: outcome.reason.details }, failure);
        }
        clock.advance(1_000);
      }
    });
    assert.equal(requests, 1);
    const { state, nextTry, failure: shown } = (await manager.health('oidc', ALICE))!;
    assert.equal(state, 'backing-off');
    assert.deepEqual(shown && { code: shown.code, details: shown.details }, failure);
    world.setTokenFault('none');
    clock.advance(nextTry! - clock.now());
    assert.equal(await world.isActive((await token(ALICE)).accessToken), true);
    assert.equal((await manager.health('oidc', ALICE))!.state, 'valid');
  });

  const patience: readonly (readonly [string, () => string, number])[] = [
    ['seconds', () => '30', 30],
    ['a date', () => new Date(Date.now() + 45_000).toUTCString(), 44],
    ['more than an hour', () => '86400', 3600],
  ];
  for (const [what, header, seconds] of patience) {
    for (const fault of ['status-429', 'status-500'] as const) {
      it(`waits as long as ${fault} asks for with Retry-After in ${what}`, async () => {
        const { token, signedIn, clock, manager } = bench();
        await signedIn(ALICE);
        clock.advance(2 * HOUR);
        world.setTokenFault(fault, 1);
        world.retryAfter = header();
        await assert.rejects(token(ALICE), { code: 'auth.refresh-failed' });
        const pause = (await manager.health('oidc', ALICE))!.nextTry! - clock.now();
        assert.ok(pause >= seconds * 1000 - 500 && pause <= seconds * 1000 + 3_500, String(pause));
        clock.advance(seconds * 1000 - 1_000);
        assert.equal(await requestsDuring(() => assert.rejects(token(ALICE))), 0);
        clock.advance(6_000);
        assert.equal(await requestsDuring(() => token(ALICE)), 1);
      });
    }
  }

  it('goes on with a token that still lives, down to half a minute, though not for a server that refused it', async () => {
    const { token, signedIn, clock } = bench();
    await signedIn(ALICE);
    const first = await token(ALICE);
    clock.advance(first.expiresAt - clock.now() - 2 * MINUTE);
    world.setTokenFault('status-500');
    world.retryAfter = '3600';
    const requests = await requestsDuring(async () => {
      assert.equal((await token(ALICE)).accessToken, first.accessToken);
      assert.equal((await token(ALICE)).accessToken, first.accessToken);
      await assert.rejects(token(ALICE, 'forced'), { code: 'auth.refresh-failed' });
      clock.advance(MINUTE + 31_000);
      await assert.rejects(token(ALICE), { code: 'auth.refresh-failed' });
    });
    assert.equal(requests, 1);
  });

  it('pauses for longer after each failure, and for five minutes at most', async () => {
    const { token, signedIn, clock, manager } = bench();
    await signedIn(ALICE);
    clock.advance(2 * HOUR);
    world.setTokenFault('status-500');
    for (let failure = 1; failure <= 12; failure++) {
      await assert.rejects(token(ALICE), { code: 'auth.refresh-failed' });
      const pause = (await manager.health('oidc', ALICE))!.nextTry! - clock.now();
      assert.ok(pause <= Math.min(2_000 * 2 ** (failure - 1), 5 * MINUTE), `${failure}: ${pause}`);
      clock.advance(Math.max(pause, 0));
    }
  });

  it('tells apart a grant that is gone, consent withdrawn and a client refused', async () => {
    const reasons: readonly (readonly [TokenFault, string, string])[] = [
      ['invalid-grant', 'auth.sign-in-again', 'invalid_grant'],
      ['access-denied', 'auth.sign-in-again', 'access_denied'],
      ['consent-required', 'auth.sign-in-again', 'consent_required'],
      ['invalid-client', 'auth.refresh-failed', 'invalid_client'],
      ['unauthorized-client', 'auth.refresh-failed', 'unauthorized_client'],
    ];
    for (const [fault, code, reason] of reasons) {
      const { token, signedIn, clock, manager } = bench();
      const told: unknown[] = [];
      manager.needsSignIn((key) => told.push(key));
      await signedIn(ALICE);
      clock.advance(2 * HOUR);
      world.setTokenFault(fault, 1);
      await assert.rejects(token(ALICE), (error: { code?: string; details?: { reason?: string } }) => {
        assert.deepEqual([error.code, error.details?.reason], [code, reason]);
        return true;
      });
      assert.equal(told.length, code === 'auth.sign-in-again' ? 1 : 0, fault);
      assert.equal((await manager.health('oidc', ALICE))!.state, code === 'auth.sign-in-again' ? 'needs-sign-in' : 'backing-off');
    }
  });

  it('tries a refused client again as soon as it has another secret', async () => {
    const { token, signedIn, clock, manager } = bench();
    await signedIn(ALICE);
    clock.advance(2 * HOUR);
    world.setTokenFault('invalid-client', 1);
    world.retryAfter = '3600';
    await assert.rejects(token(ALICE), { code: 'auth.refresh-failed' });
    await manager.setClientSecret({ provider: 'oidc', issuer: world.issuer, secret: '' });
    assert.equal(await requestsDuring(async () => assert.equal(await world.isActive((await token(ALICE)).accessToken), true)), 1);
  });

  describe('after the machine slept or changed its network', () => {
    it('refreshes what has run out before anybody asks, and what was waiting for its next try', async () => {
      const { token, signedIn, clock, manager } = bench();
      for (const email of [ALICE, BOB]) {
        await signedIn(email);
        await token(email);
      }
      clock.advance(8 * HOUR);
      assert.equal(await requestsDuring(() => manager.nudge('wake')), 2);
      assert.equal(await requestsDuring(() => Promise.all([token(ALICE), token(BOB), manager.nudge('network')])), 0);
      clock.advance(2 * HOUR);
      world.setTokenFault('status-500', 1);
      world.retryAfter = '3600';
      await assert.rejects(token(ALICE), { code: 'auth.refresh-failed' });
      assert.ok((await requestsDuring(() => manager.nudge('network'))) >= 1);
      assert.equal(await requestsDuring(() => token(ALICE)), 0);
    });

    it('still fails quietly where there is no network yet, and asks nothing for an account that needs its person', async () => {
      const { token, signedIn, clock, manager } = bench();
      await signedIn(ALICE);
      clock.advance(8 * HOUR);
      world.setTokenFault('status-500', 1);
      await token(ALICE).catch(() => {});
      world.setTokenFault('invalid-grant', 1);
      await manager.nudge('wake');
      assert.equal(await requestsDuring(() => manager.nudge('wake')), 0);
      await assert.rejects(token(ALICE), { code: 'auth.sign-in-again', details: { reason: 'refused-before' } });
    });
  });

  describe('with a clock that is wrong', () => {
    it('keeps the hour of a token though clocks differ by nine minutes either way', async () => {
      for (const skew of [9 * MINUTE, -9 * MINUTE]) {
        world.clockSkewMs = skew;
        const { token, signedIn, clock, secrets } = bench();
        await signedIn(ALICE);
        const measured = Number(secrets.grantOf(ALICE)!.skew);
        assert.ok(Math.abs(measured - skew) < 2_000, String(measured));
        const left = (await token(ALICE)).expiresAt - clock.now();
        assert.ok(left > 59 * MINUTE && left <= HOUR);
        assert.equal(await requestsDuring(async () => (clock.advance(54 * MINUTE), token(ALICE))), 0);
        assert.equal(await requestsDuring(async () => (clock.advance(2 * MINUTE), token(ALICE))), 1);
      }
    });

    it('notices from the next answer of the provider that our clock was set back, and trusts no older token longer for it', async () => {
      const secrets = new MemorySecrets();
      const { token, signedIn, clock } = bench({ secrets });
      await signedIn(ALICE);
      await signedIn(BOB);
      await token(BOB);
      // As if our clock had been half an hour fast at sign-in and was set right: the provider is now ahead of it by half an hour more.
      clock.advance(-30 * MINUTE);
      assert.equal(await requestsDuring(() => token(ALICE, 'forced')), 1);
      const left = (await token(BOB)).expiresAt - clock.now();
      assert.ok(left > 59 * MINUTE && left <= HOUR + 5_000, String(left / MINUTE));
    });

    it('believes no provider that is a day off', async () => {
      world.clockSkewMs = 48 * HOUR;
      const { token, signedIn, clock, secrets } = bench();
      await signedIn(ALICE);
      assert.equal(secrets.grantOf(ALICE)!.skew, undefined);
      assert.ok((await token(ALICE)).expiresAt - clock.now() > 59 * MINUTE);
    });
  });

  describe('when an answer is lost after the provider had rotated', () => {
    const lose = async (made: Bench): Promise<void> => {
      await made.signedIn(ALICE);
      made.clock.advance(2 * HOUR);
      world.setTokenFault('lose-answer', 1);
      await assert.rejects(made.token(ALICE), { code: 'auth.refresh-failed', details: { status: 0, reason: 'net.cut' } });
      made.clock.advance(5_000);
    };

    it('lives on where the provider lets the old refresh token be used again', async () => {
      world.refreshTokenReuse = 'allowed';
      const made = bench();
      await lose(made);
      assert.equal(await requestsDuring(async () => assert.equal(await world.isActive((await made.token(ALICE)).accessToken), true)), 1);
    });

    it('ends in "sign in again", and not in a loop, where it does not', async () => {
      const made = bench();
      await lose(made);
      assert.equal(
        await requestsDuring(async () => {
          for (let n = 0; n < 20; n++) {
            await assert.rejects(made.token(ALICE, n % 2 ? 'forced' : 'if-needed'), { code: 'auth.sign-in-again' });
            await made.manager.nudge('wake');
            made.clock.advance(HOUR);
          }
        }),
        1,
      );
    });
  });
});
