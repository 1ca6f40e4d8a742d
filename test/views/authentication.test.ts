import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { GOOGLE_SCOPES } from '../../src/views/accounts/googleScopes.ts';

const PROVIDER = 'qumail-google';

describe('views/authentication', () => {
  it('knows no session before anyone signed in, and asks nobody', async () => {
    assert.equal(await vscode.authentication.getSession(PROVIDER, GOOGLE_SCOPES, { silent: true }), undefined);
    assert.deepEqual(await vscode.authentication.getAccounts(PROVIDER), []);
  });

  it('has no session for what it never asks Google for', async () => {
    assert.equal(await vscode.authentication.getSession(PROVIDER, ['https://www.googleapis.com/auth/drive'], { silent: true }), undefined);
  });
});
