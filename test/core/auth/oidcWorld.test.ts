import assert from 'node:assert/strict';
import { AUTHORIZATION_HOST, startOidcWorld, type OidcWorld } from '../../world/oidcWorld.ts';
import { visit } from '../../world/oidcBrowser.ts';
import { openBench, type Bench } from './harness.ts';

const ALICE = 'alice@qumail.test';

describe('world: the OpenID provider that mail servers ask', () => {
  let world: OidcWorld;
  let bench: Bench;
  before(async () => {
    world = await startOidcWorld({ authorizationHost: 'browser-only' });
    bench = openBench(world);
  });
  after(() => {
    bench.manager.dispose();
    world.dispose();
  });

  /** As Dovecot asks with `introspection_mode = post`. */
  const introspect = async (token: string): Promise<Record<string, unknown>> => {
    const answer = await fetch(world.introspectionUrl, { method: 'POST', body: new URLSearchParams({ token }) });
    return (await answer.json()) as Record<string, unknown>;
  };

  it('tells whose an access token is while it lives, and nothing about any other text', async () => {
    const { grant } = await bench.signedIn(ALICE);
    const { active, sub, scope, exp } = await introspect(grant.accessToken);
    assert.deepEqual([active, sub], [true, ALICE]);
    assert.ok(String(scope).split(' ').includes('mail') && Number(exp) * 1000 > Date.now());
    for (const other of ['', 'nonsense', `${grant.accessToken}x`]) assert.deepEqual(await introspect(other), { active: false });
    await world.revokeAll(ALICE);
    assert.deepEqual(await introspect(grant.accessToken), { active: false });
  });

  it('ends access tokens when their seconds are over', async () => {
    world.accessTokenSeconds = 1;
    const { grant } = await bench.signedIn(ALICE);
    const { exp } = await introspect(grant.accessToken);
    await new Promise((resolve) => setTimeout(resolve, Number(exp) * 1000 - Date.now() + 5));
    assert.deepEqual(await introspect(grant.accessToken), { active: false });
    world.accessTokenSeconds = 3600;
  });

  it('announces the authorization page alone under the name that only a browser can resolve', async () => {
    const answer = await bench.fetch({
      method: 'GET',
      url: `${world.issuer}/.well-known/openid-configuration`,
      timeoutMs: 5000,
      maxBytes: 100_000,
    });
    const document = JSON.parse(answer.body.toString()) as Record<string, string>;
    assert.equal(new URL(document.authorization_endpoint!).hostname, AUTHORIZATION_HOST);
    for (const name of ['issuer', 'token_endpoint', 'jwks_uri', 'revocation_endpoint', 'userinfo_endpoint']) {
      assert.equal(new URL(document[name]!).origin, world.issuer, name);
    }
  });

  it('shows pages that load nothing from outside', async () => {
    const url = new URL(`https://${AUTHORIZATION_HOST}:${new URL(world.issuer).port}/auth`);
    url.search = String(
      new URLSearchParams({
        client_id: 'qumail-test',
        redirect_uri: 'http://127.0.0.1:1/callback',
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'A'.repeat(43),
        code_challenge_method: 'S256',
      }),
    );
    const start = await visit(url.href, { ca: world.caPem } as object);
    assert.equal(start.status, 303);
    const page = await visit(new URL(start.headers.location!, url).href, {
      ca: world.caPem,
      headers: { cookie: start.headers['set-cookie']!.map((c) => c.split(';')[0]).join('; ') },
    } as object);
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-security-policy'], "default-src 'none'; style-src 'unsafe-inline'");
  });
});
