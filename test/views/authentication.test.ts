import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { GOOGLE_SCOPES } from '../../src/views/accounts/googleScopes.ts';
import { microsoftTokens } from '../../src/views/hostPorts.ts';

const PROVIDER = 'qumail-google';

describe('views/authentication', () => {
  it('knows no session before anyone signed in, and asks nobody', async () => {
    assert.equal(await vscode.authentication.getSession(PROVIDER, GOOGLE_SCOPES, { silent: true }), undefined);
    assert.deepEqual(await vscode.authentication.getAccounts(PROVIDER), []);
  });

  it('has no session for what it never asks Google for', async () => {
    assert.equal(await vscode.authentication.getSession(PROVIDER, ['https://www.googleapis.com/auth/drive'], { silent: true }), undefined);
  });

  it('has no Microsoft token for an account VS Code does not know, and asks nobody for one', async () => {
    const log = vscode.window.createOutputChannel('QuMail tokens test', { log: true });
    try {
      const tokens = microsoftTokens(() => '', log);
      const scopes = ['https://outlook.office.com/IMAP.AccessAsUser.All', 'offline_access'];
      for (const how of ['cached', 'fresh'] as const)
        assert.equal(await tokens({ provider: 'microsoft', scopes, account: 'nobody@outlook.com', how }), undefined);
    } finally {
      log.dispose();
    }
  });
});
