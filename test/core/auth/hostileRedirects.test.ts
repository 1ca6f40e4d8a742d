import assert from 'node:assert/strict';
import { visit } from '../../world/oidcBrowser.ts';
import { startOidcWorld, URI_REDIRECT, type OidcWorld } from '../../world/oidcWorld.ts';
import { Benches, MINUTE, oidc, SETTINGS, type Bench, type BenchOptions } from './harness.ts';

const ALICE = 'alice@qumail.test';
const BOB = 'bob@qumail.test';
const URI = () => ({ ...SETTINGS, signInRedirect: 'uri', uriRedirect: URI_REDIRECT }) as const;

describe('auth: redirects that are not what was asked for', () => {
  let world: OidcWorld;
  const benches = new Benches();
  const bench = (options?: BenchOptions): Bench => benches.open(world, options);

  before(async () => {
    world = await startOidcWorld();
  });
  afterEach(() => {
    benches.close(({ clock, secrets }) => {
      assert.equal(clock.pending, 0, 'a sign-in left a timer behind');
      assert.deepEqual([...secrets.values.keys()], [], 'a sign-in stored something');
      assert.deepEqual(secrets.history, []);
    });
  });
  after(() => world.dispose());

  /** Answers the authorization request with `query` instead of asking the provider. */
  const answering =
    (query: (asked: URLSearchParams) => Record<string, string>) =>
    async (url: string): Promise<boolean> => {
      const asked = new URL(url).searchParams;
      const target = new URL(asked.get('redirect_uri')!);
      for (const [name, value] of Object.entries(query(asked))) target.searchParams.set(name, value);
      void visit(target.href).catch(() => {});
      return true;
    };
  const state = (asked: URLSearchParams): string => asked.get('state')!;
  const rows: readonly (readonly [string, (asked: URLSearchParams) => Record<string, string>, string, string | undefined])[] = [
    ['an error of the provider', (q) => ({ error: 'server_error', state: state(q), iss: world.issuer }), 'auth.denied', 'server_error'],
    ['a scope refused', (q) => ({ error: 'invalid_scope', state: state(q), iss: world.issuer }), 'auth.denied', 'invalid_scope'],
    ['an error with a story', (q) => ({ error: '<b>x</b>'.repeat(99), state: state(q), iss: world.issuer }), 'auth.denied', 'unknown'],
    ['an error of nobody’s sign-in', () => ({ error: 'access_denied', state: 'x'.repeat(43) }), 'auth.state-mismatch', undefined],
    ['an error without a state', () => ({ error: 'access_denied' }), 'auth.state-mismatch', undefined],
    [
      'an error of another issuer',
      (q) => ({ error: 'access_denied', state: state(q), iss: 'https://evil.test' }),
      'auth.issuer-mismatch',
      undefined,
    ],
    ['a code that was made up', (q) => ({ code: 'A'.repeat(43), state: state(q), iss: world.issuer }), 'auth.denied', 'invalid_grant'],
    ['a code of 8 KB', (q) => ({ code: 'A'.repeat(8_000), state: state(q), iss: world.issuer }), 'auth.denied', undefined],
    ['a code with another issuer', (q) => ({ code: 'A', state: state(q), iss: 'https://evil.test' }), 'auth.issuer-mismatch', undefined],
    [
      'both a code and an error',
      (q) => ({ code: 'A', error: 'access_denied', state: state(q), iss: world.issuer }),
      'auth.denied',
      undefined,
    ],
  ];
  for (const [what, query, code, reason] of rows) {
    it(`refuses ${what} with ${code}`, async () => {
      const before = world.counters.tokenRequests;
      await assert.rejects(
        bench({ openBrowser: answering(query) }).manager.signIn(oidc(world)),
        (error: { code?: string; details?: { reason?: string } }) => {
          assert.equal(error.code, code);
          if (reason !== undefined) assert.equal(error.details?.reason, reason);
          return true;
        },
      );
      const codeWasSent = what.startsWith('a code') && code === 'auth.denied';
      assert.equal(world.counters.tokenRequests - before, codeWasSent ? 1 : 0);
    });
  }

  for (const how of ['loopback', 'uri'] as const) {
    const settings = how === 'uri' ? { settings: URI } : {};

    it(`brings two sign-ins at once home to whom they belong, over ${how}`, async () => {
      const redirects = new Map<string, string>();
      const bothThere = Promise.withResolvers<void>();
      // The second to arrive comes back first.
      const people = [ALICE, BOB];
      let made: Bench | undefined;
      made = bench({
        ...settings,
        openBrowser: async (url) => {
          const email = people.shift()!;
          redirects.set(email, await world.browser.signInAs(url, email));
          if (redirects.size === 2) bothThere.resolve();
          await bothThere.promise;
          const redirect = redirects.get(email)!;
          if (how === 'uri') made!.manager.deliverRedirect(redirect);
          else await visit(redirect);
          return true;
        },
      });
      const [first, second] = await Promise.all([made.manager.signIn(oidc(world)), made.manager.signIn(oidc(world))]);
      assert.deepEqual([first.identity.email, second.identity.email].sort(), [ALICE, BOB]);
      assert.notEqual(first.grant.accessToken, second.grant.accessToken);
    });
  }

  it('uses no code that came back to another sign-in', async () => {
    const urls: string[] = [];
    const bothAsked = Promise.withResolvers<void>();
    const { manager } = bench({
      openBrowser: async (url) => {
        urls.push(url);
        if (urls.length === 2) bothAsked.resolve();
        return true;
      },
    });
    const outcomes = Promise.allSettled([manager.signIn(oidc(world)), manager.signIn(oidc(world))]);
    await bothAsked.promise;
    const targets = urls.map((url) => new URL(url).searchParams.get('redirect_uri')!);
    const [one, two] = [await world.browser.signInAs(urls[0]!, ALICE), await world.browser.signInAs(urls[1]!, BOB)];
    const pages = await Promise.all([visit(`${targets[1]}${new URL(one).search}`), visit(`${targets[0]}${new URL(two).search}`)]);
    for (const page of pages) assert.match(page.text, /did not work/);
    for (const outcome of await outcomes) {
      assert.ok(outcome.status === 'rejected');
      assert.equal((outcome.reason as { code: string }).code, 'auth.state-mismatch');
    }
  });

  it('takes the first of two redirects over the URI handler, and refuses the second', async () => {
    const { manager } = bench({
      settings: URI,
      openBrowser: async (url) => {
        const redirect = await world.browser.signInAs(url, ALICE);
        manager.deliverRedirect(redirect);
        assert.throws(() => manager.deliverRedirect(redirect), { code: 'auth.state-mismatch' });
        return true;
      },
    });
    assert.equal((await manager.signIn(oidc(world))).identity.email, ALICE);
  });

  it('gives up a redirect over the URI handler that never comes, and refuses it when it comes late', async () => {
    const opened = Promise.withResolvers<string>();
    const { manager, clock } = bench({ settings: URI, openBrowser: async (url) => (opened.resolve(url), true) });
    const waiting = assert.rejects(manager.signIn(oidc(world)), { code: 'auth.timeout' });
    const redirect = await world.browser.signInAs(await opened.promise, ALICE);
    clock.advance(5 * MINUTE + 1);
    await waiting;
    assert.throws(() => manager.deliverRedirect(redirect), { code: 'auth.state-mismatch' });
  });
});
