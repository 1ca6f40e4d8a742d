import assert from 'node:assert/strict';
import { AUTHORIZATION_HOST, CLIENT_ID, startOidcWorld, URI_REDIRECT, type DiscoveryFault, type OidcWorld } from '../../world/oidcWorld.ts';
import { visit } from '../../world/oidcBrowser.ts';
import { Benches, HOUR, leakedIn, logged, MINUTE, oidc, passedSecrets, SETTINGS, type Bench, type BenchOptions } from './harness.ts';
import { OAUTH_PROVIDERS } from '../../../src/core/auth/providers.ts';
import { DisposableStore } from '../../../src/core/base/lifetime.ts';
import type { HttpFetch } from '../../../src/core/base/ports.ts';

const ALICE = 'alice@qumail.test';
const BOB = 'bob@qumail.test';

describe('auth: signing in through the browser', () => {
  const worlds = new DisposableStore();
  let world: OidcWorld;
  const benches = new Benches();
  const bench = (options?: BenchOptions, at = world): Bench => benches.open(at, options);

  before(async () => {
    world = worlds.add(await startOidcWorld({ users: [{ email: ALICE, displayName: 'Alice Liddell' }] }));
  });
  afterEach(() => {
    world.setTokenFault('none');
    world.discoveryFault = 'none';
    world.hiddenClaims.clear();
    benches.close(({ clock }) => assert.equal(clock.pending, 0, 'a sign-in left a timer behind'));
  });
  after(() => worlds.dispose());

  it('brings two people back with their identity and a token that the mail server takes', async () => {
    for (const [email, displayName] of [
      [ALICE, 'Alice Liddell'],
      [BOB, 'bob'],
    ] as const) {
      const person = world.browser.person(email);
      const { manager } = bench({ openBrowser: person.openBrowser });
      const { identity, grant } = await manager.signIn(oidc(world));
      assert.deepEqual(identity, { userId: email, email, displayName });
      assert.equal(await world.isActive(grant.accessToken), true);
      const landing = await person.landing();
      assert.equal(landing.status, 200);
      assert.match(landing.text, /You are signed in/);
    }
  });

  it('asks with PKCE S256, state, nonce, the offered scopes and the suggested address, and stores nothing', async () => {
    const person = world.browser.person(ALICE);
    const { manager, secrets } = bench({ openBrowser: person.openBrowser });
    await manager.signIn({ ...oidc(world), loginHint: ALICE });
    const asked = new URL(person.visited[0]!).searchParams;
    assert.equal(asked.get('code_challenge_method'), 'S256');
    assert.match(asked.get('code_challenge')!, /^[\w-]{43}$/);
    for (const name of ['state', 'nonce']) assert.match(asked.get(name)!, /^[\w-]{43}$/);
    assert.equal(asked.get('scope'), 'openid email offline_access profile mail');
    assert.equal(asked.get('login_hint'), ALICE);
    assert.match(asked.get('redirect_uri')!, /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    assert.equal(asked.has('code_verifier') || asked.has('client_secret'), false);
    assert.equal(secrets.values.size, 0);
  });

  it('signs in where only the browser can resolve the authorization page', async () => {
    const split = worlds.add(await startOidcWorld({ authorizationHost: 'browser-only' }));
    const person = split.browser.person(BOB);
    const { identity } = await bench({ openBrowser: person.openBrowser }, split).manager.signIn(oidc(split));
    assert.equal(new URL(person.visited[0]!).hostname, AUTHORIZATION_HOST);
    assert.equal(identity.email, BOB);
    await person.landing();
  });

  it('sends the client secret of a provider that wants one, and names what is missing', async () => {
    const person = world.browser.person(ALICE);
    const { manager } = bench({ openBrowser: person.openBrowser });
    await assert.rejects(manager.signIn({ provider: 'google' }), {
      code: 'auth.client-missing',
      details: { provider: 'google', what: 'secret' },
    });
    await manager.setClientSecret({ provider: 'google', secret: 'another secret' });
    await assert.rejects(manager.signIn({ provider: 'google' }), { code: 'auth.denied', details: { reason: 'invalid_client' } });
    await person.landing();
    await manager.setClientSecret({ provider: 'google', secret: 'the client secret' });
    assert.equal((await manager.signIn({ provider: 'google' })).identity.email, ALICE);
    await person.landing();
    await assert.rejects(manager.signIn({ provider: 'yahoo' }), {
      code: 'auth.client-missing',
      details: { provider: 'yahoo', what: 'id' },
    });
  });

  it('comes back through the URI handler where the settings say so, and lets strange URIs pass by', async () => {
    const redirects: string[] = [];
    const { manager } = bench({
      settings: () => ({ ...SETTINGS, signInRedirect: 'uri', uriRedirect: URI_REDIRECT }),
      openBrowser: async (url) => {
        const redirect = await world.browser.signInAs(url, BOB);
        redirects.push(redirect);
        assert.ok(redirect.startsWith(URI_REDIRECT));
        for (const strange of ['', 'no uri', URI_REDIRECT, `${URI_REDIRECT}?state=other&code=x`]) {
          assert.throws(() => manager.deliverRedirect(strange), { code: 'auth.state-mismatch' });
        }
        manager.deliverRedirect(`${redirect}&windowId=1`);
        return true;
      },
    });
    assert.equal((await manager.signIn(oidc(world))).identity.email, BOB);
    assert.throws(() => manager.deliverRedirect(redirects[0]!), { code: 'auth.state-mismatch' });
  });

  it('refuses to start with a URI handler that has no address', async () => {
    const { manager } = bench({ settings: () => ({ ...SETTINGS, signInRedirect: 'uri' }) });
    await assert.rejects(manager.signIn(oidc(world)), { code: 'account.bad-settings', details: { field: 'uriRedirect' } });
  });

  describe('when the answer is not what was asked for', () => {
    const set = (name: string, value: string) => (url: URL) => (url.searchParams.set(name, value), url);
    const drop = (name: string) => (url: URL) => (url.searchParams.delete(name), url);
    const spoiled = [
      ['a changed state', set('state', 'A'.repeat(43)), 'auth.state-mismatch'],
      ['no state', drop('state'), 'auth.state-mismatch'],
      ['another issuer', set('iss', 'https://evil.test'), 'auth.issuer-mismatch'],
      ['no issuer though the provider promises one', drop('iss'), 'auth.bad-answer'],
      ['a code of nobody', set('code', 'B'.repeat(43)), 'auth.denied'],
      ['two codes', (url: URL) => (url.searchParams.append('code', 'C'), url), 'auth.bad-answer'],
      ['a token in the address', set('id_token', 'x.y.z'), 'auth.bad-answer'],
    ] as const;
    for (const [what, change, code] of spoiled) {
      it(`refuses ${what} with ${code}, and the page says that it did not work`, async () => {
        const person = world.browser.person(ALICE, { change });
        const { manager } = bench({ openBrowser: person.openBrowser });
        await assert.rejects(manager.signIn(oidc(world)), { code });
        assert.match((await person.landing()).text, /did not work/);
      });
    }

    it('refuses a code that was used before, and a code that another sign-in got', async () => {
      let first: URL | undefined;
      const keep = world.browser.person(ALICE, { change: (url) => (first = url) });
      await bench({ openBrowser: keep.openBrowser }).manager.signIn(oidc(world));
      await keep.landing();
      const replay = world.browser.person(BOB, { change: set('code', first!.searchParams.get('code')!) });
      await assert.rejects(bench({ openBrowser: replay.openBrowser }).manager.signIn(oidc(world)), {
        code: 'auth.denied',
        details: { reason: 'invalid_grant' },
      });
      await replay.landing();

      // A code that was never redeemed: PKCE alone tells that it belongs to another sign-in.
      const url = new URL(keep.visited[0]!);
      const unused = new URL(await world.browser.signInAs(url.href, ALICE)).searchParams.get('code')!;
      const injected = world.browser.person(BOB, { change: set('code', unused) });
      await assert.rejects(bench({ openBrowser: injected.openBrowser }).manager.signIn(oidc(world)), {
        code: 'auth.denied',
        details: { reason: 'invalid_grant' },
      });
      await injected.landing();
    });

    const claims = [
      ['another nonce', { nonce: 'x' }, 'auth.bad-answer'],
      ['another issuer', { iss: 'https://evil.test' }, 'auth.issuer-mismatch'],
      ['another audience', { aud: 'someone-else' }, 'auth.bad-answer'],
      ['an hour-old end', { exp: Math.floor(Date.now() / 1000) - 3600 }, 'auth.bad-answer'],
      ['a subject that is no text', { sub: 7 }, 'auth.bad-answer'],
    ] as const;
    for (const [what, changed, code] of claims) {
      it(`refuses an ID token with ${what}`, async () => {
        const person = world.browser.person(ALICE);
        const { manager } = bench({ openBrowser: person.openBrowser, wrapFetch: (fetch) => withClaims(fetch, changed) });
        await assert.rejects(manager.signIn(oidc(world)), { code });
        await person.landing();
      });
    }

    it('asks the userinfo endpoint where the ID token tells no address', async () => {
      const person = world.browser.person(ALICE);
      const { manager } = bench({
        openBrowser: person.openBrowser,
        wrapFetch: (fetch) => withClaims(fetch, { email: undefined, name: undefined }),
      });
      assert.deepEqual((await manager.signIn(oidc(world))).identity, { userId: ALICE, email: ALICE, displayName: 'Alice Liddell' });
      await person.landing();
    });

    it('says so when nobody tells an address', async () => {
      world.hiddenClaims.add('email');
      const person = world.browser.person(ALICE);
      await assert.rejects(bench({ openBrowser: person.openBrowser }).manager.signIn(oidc(world)), { code: 'auth.identity-missing' });
      await person.landing();
    });

    it('names a failing token endpoint with its status', async () => {
      world.setTokenFault('status-500');
      const person = world.browser.person(ALICE);
      await assert.rejects(bench({ openBrowser: person.openBrowser }).manager.signIn(oidc(world)), {
        code: 'auth.refresh-failed',
        details: { status: 500, reason: 'http' },
      });
      assert.match((await person.landing()).text, /did not work/);
    });
  });

  describe('when the person does not come back', () => {
    it('takes no for an answer, and the page says so', async () => {
      const person = world.browser.person(ALICE, { answer: 'deny' });
      await assert.rejects(bench({ openBrowser: person.openBrowser }).manager.signIn(oidc(world)), {
        code: 'auth.denied',
        details: { reason: 'access_denied' },
      });
      assert.match((await person.landing()).text, /declined/);
    });

    it('stops waiting after five minutes and closes its port', async () => {
      const opened = Promise.withResolvers<string>();
      const { manager, clock } = bench({ openBrowser: async (url) => (opened.resolve(url), true) });
      const waiting = assert.rejects(manager.signIn(oidc(world)), { code: 'auth.timeout' });
      const redirect = new URL(await opened.promise).searchParams.get('redirect_uri')!;
      clock.advance(5 * MINUTE - 1000);
      assert.equal((await visit(new URL('/favicon.ico', redirect).href)).status, 404);
      clock.advance(2000);
      await waiting;
      await assert.rejects(visit(redirect), { code: 'ECONNREFUSED' });
    });

    it('stops when cancelled: by the caller, by a browser that was not opened, by the end of the engine', async () => {
      const abort = new AbortController();
      const byCaller = bench({ openBrowser: async () => (abort.abort(), true) });
      await assert.rejects(byCaller.manager.signIn(oidc(world), abort.signal), { code: 'auth.cancelled' });
      await assert.rejects(byCaller.manager.signIn(oidc(world), abort.signal), { code: 'auth.cancelled' });
      const byPerson = bench({ openBrowser: async () => false });
      await assert.rejects(byPerson.manager.signIn(oidc(world)), { code: 'auth.cancelled' });
      const byEnd = bench({ openBrowser: async () => (byEnd.manager.dispose(), true) });
      await assert.rejects(byEnd.manager.signIn(oidc(world)), { code: 'auth.cancelled' });
    });

    it('redeems the code once when the browser loads the redirect twice, and tells both pages the truth', async () => {
      const pages: Promise<{ text: string }>[] = [];
      let redirect = '';
      const { manager } = bench({
        openBrowser: async (url) => {
          redirect = await world.browser.signInAs(url, ALICE);
          pages.push(visit(redirect), visit(redirect));
          return true;
        },
        // A third request was answered, so the two before it have arrived by the time the code is redeemed.
        wrapFetch: (fetch) => async (request) => {
          if (request.url.endsWith('/token')) await visit(new URL('/favicon.ico', redirect).href);
          return fetch(request);
        },
      });
      const before = world.counters.tokenRequests;
      await manager.signIn(oidc(world));
      assert.equal(world.counters.tokenRequests - before, 1);
      for (const page of await Promise.all(pages)) assert.match(page.text, /You are signed in/);
    });
  });

  describe('when discovery fails', () => {
    const faults: readonly (readonly [DiscoveryFault, string])[] = [
      ['status-500', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
      ['garbage', 'OAUTH_PARSE_ERROR'],
      ['huge', 'net.too-large'],
      ['plain-http-endpoint', 'token_endpoint'],
    ];
    for (const [fault, reason] of faults) {
      it(`names a discovery document with ${fault}, and asks again the next time`, async () => {
        world.discoveryFault = fault;
        const person = world.browser.person(ALICE);
        const { manager } = bench({ openBrowser: person.openBrowser });
        await assert.rejects(manager.signIn(oidc(world)), {
          code: 'auth.discovery-failed',
          details: { host: new URL(world.issuer).host, reason },
        });
        world.discoveryFault = 'none';
        await manager.signIn(oidc(world));
        await person.landing();
      });
    }

    it('refuses an issuer that calls itself by another name, that is not https, or is not there', async () => {
      const { manager } = bench();
      const at = (issuer: string) => ({ provider: 'oidc', issuer, clientId: CLIENT_ID }) as const;
      await assert.rejects(manager.signIn(at(world.issuer.replace('127.0.0.1', 'localhost'))), { code: 'auth.issuer-mismatch' });
      for (const bad of ['', 'example.org', world.issuer.replace('https', 'http')]) {
        await assert.rejects(manager.signIn(at(bad)), { code: 'account.bad-settings', details: { field: 'issuer' } }, bad);
      }
      await assert.rejects(manager.signIn(at('https://127.0.0.1:1')), { code: 'net.refused' });
    });

    it('signs in with the endpoints of the table where those of a known provider cannot be discovered, and prefers discovered ones', async () => {
      const { issuer } = world;
      const wrong = { authorizationEndpoint: 'https://127.0.0.1:1/auth', tokenEndpoint: 'https://127.0.0.1:1/token' };
      const right = { authorizationEndpoint: `${issuer}/auth`, tokenEndpoint: `${issuer}/token`, userinfoEndpoint: `${issuer}/me` };
      for (const [fault, endpoints] of [
        ['none', wrong],
        ['status-500', right],
        ['huge', right],
      ] as const) {
        world.discoveryFault = fault;
        const person = world.browser.person(ALICE);
        const yahoo = { ...OAUTH_PROVIDERS.yahoo, issuer, scopes: OAUTH_PROVIDERS.oidc.scopes, ...endpoints };
        const { manager } = bench({
          openBrowser: person.openBrowser,
          providers: { ...OAUTH_PROVIDERS, yahoo },
          settings: () => ({ ...SETTINGS, yahooClientId: CLIENT_ID }),
        });
        assert.equal((await manager.signIn({ provider: 'yahoo' })).identity.email, ALICE, fault);
        await person.landing();
      }
      const elsewhere = { ...OAUTH_PROVIDERS.yahoo, ...right, issuer: issuer.replace('127.0.0.1', 'localhost') };
      const { manager } = bench({
        providers: { ...OAUTH_PROVIDERS, yahoo: elsewhere },
        settings: () => ({ ...SETTINGS, yahooClientId: CLIENT_ID }),
      });
      world.discoveryFault = 'none';
      await assert.rejects(manager.signIn({ provider: 'yahoo' }), { code: 'auth.issuer-mismatch' });
    });

    it('asks for the document once a day', async () => {
      const person = world.browser.person(ALICE);
      const { manager, clock } = bench({ openBrowser: person.openBrowser });
      const before = world.counters.discoveries;
      for (const wait of [0, 23 * HOUR, 2 * HOUR]) {
        clock.advance(wait);
        await manager.signIn(oidc(world)).catch(() => {});
      }
      assert.equal(world.counters.discoveries - before, 2);
    });
  });

  it('never logs a token, a code, a verifier or a secret', async () => {
    const person = world.browser.person(ALICE);
    const { manager } = bench({ openBrowser: person.openBrowser });
    const { identity } = await manager.signIn(oidc(world));
    const page = await person.landing();
    assert.ok(passedSecrets.size > 4 && logged.length > 4);
    assert.deepEqual(leakedIn(logged, identity, page), []);
  });
});

/** Changes claims of ID tokens on their way in. The signature is not checked: the token comes straight from the endpoint, over TLS (Core 3.1.3.7). */
function withClaims(fetch: HttpFetch, changed: Readonly<Record<string, unknown>>): HttpFetch {
  return async (request) => {
    const answer = await fetch(request);
    if (!request.url.endsWith('/token')) return answer;
    const json = JSON.parse(answer.body.toString()) as { id_token: string };
    const [header, payload, signature] = json.id_token.split('.');
    const claims = { ...(JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object), ...changed };
    json.id_token = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    return { ...answer, body: Buffer.from(JSON.stringify(json)) };
  };
}
