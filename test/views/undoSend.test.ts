import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { LIMIT_MS, until } from './until.ts';

function draftTab(): vscode.Tab | undefined {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .find(({ input }) => input instanceof vscode.TabInputText && input.uri.scheme === 'qumail-draft');
}

describe('views/undo send', function () {
  this.timeout(3 * LIMIT_MS);
  const configuration = (): vscode.WorkspaceConfiguration => vscode.workspace.getConfiguration('qumail');

  before(async () => {
    await vscode.extensions.getExtension('qumail.qumail')?.activate();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await configuration().update('undoSendSeconds', 30, vscode.ConfigurationTarget.Global);
  });
  after(async () => {
    await configuration().update('undoSendSeconds', undefined, vscode.ConfigurationTarget.Global);
    await vscode.commands.executeCommand('qumail.closeLab');
  });

  it('holds the message, and taking it back leaves the draft as it was', async () => {
    await vscode.commands.executeCommand('qumail.closeLab');
    await vscode.commands.executeCommand('qumail.openLab');
    const tab = await until(draftTab, 'the letter');
    assert.ok(tab.input instanceof vscode.TabInputText);
    const document = await vscode.workspace.openTextDocument(tab.input.uri);
    const text = document.getText();
    await vscode.commands.executeCommand('qumail.secureSend', document.uri);
    assert.ok(draftTab(), 'the draft stays on show while it is held');
    await vscode.commands.executeCommand('qumail.undoSend');
    const again = await until(draftTab, 'the draft');
    assert.ok(again.input instanceof vscode.TabInputText);
    assert.equal((await vscode.workspace.openTextDocument(again.input.uri)).getText(), text);
  });

  it('sent again without the delay, it goes, and its tab closes', async () => {
    await configuration().update('undoSendSeconds', 0, vscode.ConfigurationTarget.Global);
    const tab = await until(draftTab, 'the draft');
    assert.ok(tab.input instanceof vscode.TabInputText);
    await vscode.commands.executeCommand('qumail.secureSend', tab.input.uri);
    await until(() => (draftTab() ? undefined : true), 'closing the draft');
  });

  it('held for a second, it leaves by itself, and the tab of its draft closes quietly', async () => {
    await configuration().update('undoSendSeconds', 1, vscode.ConfigurationTarget.Global);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('qumail.closeLab');
    await vscode.commands.executeCommand('qumail.openLab');
    const tab = await until(draftTab, 'the letter');
    assert.ok(tab.input instanceof vscode.TabInputText);
    await vscode.commands.executeCommand('qumail.secureSend', tab.input.uri);
    await until(() => (draftTab() ? undefined : true), 'closing the draft');
  });
});
