import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Settings } from '../../src/views/settings.ts';

interface Property {
  readonly scope?: string;
  readonly default?: unknown;
}

const configuration = (): vscode.WorkspaceConfiguration => vscode.workspace.getConfiguration('qumail');

describe('views/settings', () => {
  const log = vscode.window.createOutputChannel('QuMail settings test', { log: true });
  let extension: vscode.Extension<unknown>;
  let settings: Settings;
  const changed: string[] = [];

  before(() => {
    const found = vscode.extensions.getExtension('qumail.qumail');
    assert.ok(found);
    extension = found;
    settings = new Settings(extension, log);
  });

  const set = async (name: string, value: unknown): Promise<void> => {
    changed.push(name);
    await configuration().update(name, value, vscode.ConfigurationTarget.Global);
  };

  afterEach(async () => {
    for (const name of changed.splice(0)) await configuration().update(name, undefined, vscode.ConfigurationTarget.Global);
  });

  after(() => log.dispose());

  it('cannot be set by a workspace, any of them', () => {
    const { properties } = (extension.packageJSON as { contributes: { configuration: { properties: Record<string, Property> } } })
      .contributes.configuration;
    for (const [name, { scope }] of Object.entries(properties)) assert.ok(scope === 'application' || scope === 'machine', name);
  });

  it('ask for nothing out of the ordinary as long as nobody changed them', () => {
    const { googleClientId, certificateAuthorities, fetchInterval, startLevel } = settings.read();
    assert.deepEqual(
      { googleClientId, certificateAuthorities, fetchInterval, startLevel },
      { googleClientId: '', certificateAuthorities: {}, fetchInterval: 60, startLevel: 'best' },
    );
    assert.equal(settings.notifications, false);
  });

  it('come back by a link where the browser may be on another machine', () => {
    const expected = vscode.env.uiKind === vscode.UIKind.Web ? 'uri' : 'loopback';
    assert.equal(settings.read().signInRedirect, expected);
  });

  it('do what was chosen', async () => {
    await set('signIn.redirect', 'loopback');
    await set('startLevel', 'L2');
    await set('google.clientId', '  client.apps.example ');
    const { signInRedirect, startLevel, googleClientId } = settings.read();
    assert.deepEqual(
      { signInRedirect, startLevel, googleClientId },
      { signInRedirect: 'loopback', startLevel: 'L2', googleClientId: 'client.apps.example' },
    );
  });

  it('survive what a hand-written settings file may hold', async () => {
    await set('fetchInterval', 1);
    await set('certificateAuthorities', { 'imap.example.org': '/no/such/file.pem', 'smtp.example.org': '' });
    await set('startLevel', 'L9');
    await set('undoSendSeconds', 3600);
    await set('outlook.clientId', 'x VSCODE_TENANT:evil');
    const { fetchInterval, certificateAuthorities, startLevel, undoSendSeconds } = settings.read();
    assert.deepEqual(
      { fetchInterval, certificateAuthorities, startLevel, undoSendSeconds },
      { fetchInterval: 15, certificateAuthorities: {}, startLevel: 'best', undoSendSeconds: 60 },
    );
    assert.equal(settings.outlookClientId, '');
  });
});
