import assert from 'node:assert/strict';
import fc from 'fast-check';
import { redirectText } from '../../../src/views/accounts/redirectText.ts';
import { coversScopes, GOOGLE_SCOPES } from '../../../src/views/accounts/googleScopes.ts';

const PARTS = { scheme: 'vscode', authority: 'qumail.qumail', path: '/callback' };

describe('views/redirect', () => {
  it('carries code and state through VS Code’s un-escaping', () => {
    fc.assert(
      // What is un-escaped already cannot tell its own separators from others; OAuth codes and states hold neither & nor =.
      fc.property(fc.stringMatching(/^[\w\-./+~*% :]+$/), fc.stringMatching(/^[\w-]+$/), (code, state) => {
        const text = redirectText({ ...PARTS, query: `code=${code}&state=${state}` });
        const { searchParams } = new URL(text);
        assert.equal(searchParams.get('code'), code);
        assert.equal(searchParams.get('state'), state);
      }),
    );
  });

  it('keeps what has no value, and an empty query', () => {
    assert.equal(redirectText({ ...PARTS, query: 'error&state=s' }), 'vscode://qumail.qumail/callback?error=&state=s');
    assert.equal(redirectText({ ...PARTS, query: '' }), 'vscode://qumail.qumail/callback?');
  });

  it('knows Google’s long names of its scopes', () => {
    assert.ok(coversScopes(['openid', 'https://www.googleapis.com/auth/userinfo.email', 'https://mail.google.com/'], GOOGLE_SCOPES));
    assert.ok(!coversScopes(GOOGLE_SCOPES, ['https://www.googleapis.com/auth/drive']));
    assert.ok(coversScopes(GOOGLE_SCOPES, []));
  });
});
