import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { COMMAND_IDS } from '../../src/views/commandIds.ts';

const FOREIGN: readonly unknown[] = [
  null,
  'qumail',
  -1,
  Number.NaN,
  {},
  [],
  { message: { id: '1' } },
  { folder: { accountId: 1 } },
  vscode.Uri.parse('file:///x'),
];

describe('views/commands', () => {
  before(() => vscode.extensions.getExtension('qumail.qumail')?.activate());

  it('are registered, each exactly as declared', async () => {
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      COMMAND_IDS.filter((id) => !registered.has(id)),
      [],
    );
  });

  for (const id of [
    'qumail.openFolder',
    'qumail.openMessage',
    'qumail.markRead',
    'qumail.markUnread',
    'qumail.move',
    'qumail.delete',
    'qumail.openList',
    'qumail.archive',
    'qumail.markJunk',
    'qumail.markNotJunk',
    'qumail.flag',
    'qumail.snooze',
    'qumail.unsnooze',
    'qumail.muteThread',
    'qumail.unsubscribe',
  ] as const) {
    it(`${id} does nothing when it is called with what names no message`, async () => {
      const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).length;
      for (const argument of FOREIGN) await vscode.commands.executeCommand(id, argument);
      assert.equal(vscode.window.tabGroups.all.flatMap((group) => group.tabs).length, tabs);
    });
  }
});
