import assert from 'node:assert/strict';
import { scopesFor } from '../../../src/core/auth/authServer.ts';
import { OAUTH_PROVIDERS } from '../../../src/core/auth/providers.ts';

describe('auth/providers', () => {
  it('knows the token endpoints of Google and Yahoo to the letter', () => {
    assert.equal(OAUTH_PROVIDERS.google.tokenEndpoint, 'https://oauth2.googleapis.com/token');
    assert.equal(OAUTH_PROVIDERS.yahoo.tokenEndpoint, 'https://api.login.yahoo.com/oauth2/get_token');
    assert.equal(OAUTH_PROVIDERS.oidc.tokenEndpoint, undefined);
  });

  it('sends tokens and mail nowhere but through TLS', () => {
    for (const provider of Object.values(OAUTH_PROVIDERS)) {
      for (const url of [
        provider.issuer,
        provider.authorizationEndpoint,
        provider.tokenEndpoint,
        provider.revocationEndpoint,
        provider.userinfoEndpoint,
      ]) {
        assert.ok(url === undefined || url.startsWith('https://'), url);
      }
      for (const server of Object.values(provider.servers ?? {})) assert.equal(server.security, 'tls');
    }
  });

  it('asks every provider for an identity and the mailbox, and Google for a refresh token', () => {
    for (const { scopes } of Object.values(OAUTH_PROVIDERS)) assert.deepEqual(scopes.slice(0, 2), ['openid', 'email']);
    assert.ok(OAUTH_PROVIDERS.google.scopes.includes('https://mail.google.com/'));
    assert.deepEqual(OAUTH_PROVIDERS.google.authorizationParameters, { access_type: 'offline', prompt: 'consent' });
    assert.ok(OAUTH_PROVIDERS.oidc.scopes.includes('offline_access'));
  });

  it('asks for further scopes only where the server offers them', () => {
    const server = { issuer: 'https://a', authorization_endpoint: 'https://a/a', token_endpoint: 'https://a/t' };
    assert.deepEqual(scopesFor(OAUTH_PROVIDERS.oidc, server), ['openid', 'email', 'offline_access']);
    assert.deepEqual(scopesFor(OAUTH_PROVIDERS.oidc, { ...server, scopes_supported: ['mail', 'openid'] }), [
      'openid',
      'email',
      'offline_access',
      'mail',
    ]);
  });
});
