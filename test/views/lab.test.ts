import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { LIMIT_MS, until } from './until.ts';

function openDraft(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document?.uri.scheme === 'qumail-draft' ? document : undefined;
}

describe('views/lab', function () {
  this.timeout(2 * LIMIT_MS);

  before(() => vscode.extensions.getExtension('qumail.qumail')?.activate());
  after(() => vscode.commands.executeCommand('qumail.closeLab'));

  it('opens with a letter that is ready to be sent, sealed at L2, and sending it closes it', async () => {
    await vscode.commands.executeCommand('qumail.openLab');
    const draft = await until(openDraft, 'the letter');
    assert.match(draft.getText(), /^Security: L2/m);
    assert.match(draft.getText(), /^To: \S+/m);
    await vscode.commands.executeCommand('qumail.secureSend', draft.uri);
    await until(() => (openDraft()?.uri.toString() === draft.uri.toString() ? undefined : true), 'closing the letter');
  });

  it('asked again, it shows the lab that is open', async () => {
    await vscode.commands.executeCommand('qumail.openLab');
  });
});
