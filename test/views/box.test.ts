import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import { askText, FOCUS_AGAIN_MS, pickOne, pickSeveral, showBox } from '../../src/views/box.ts';
import { until } from './until.ts';

const ITEMS: readonly vscode.QuickPickItem[] = [{ label: 'one' }, { label: 'two' }, { label: 'three', picked: true }];
/** Longer than a box is held open. */
const HELD_MS = Math.max(...FOCUS_AGAIN_MS.patient) + 500;

const run = (command: string): Thenable<unknown> => vscode.commands.executeCommand(command);
const takeFocus = (): Thenable<unknown> => run('workbench.action.focusActiveEditorGroup');
const enter = (): Thenable<unknown> => run('workbench.action.acceptSelectedQuickOpenItem');

describe('views/box', function () {
  this.timeout(30_000);
  let panel: vscode.WebviewPanel | undefined;

  const openPanel = async (): Promise<void> => {
    panel = vscode.window.createWebviewPanel('test', 'Test', vscode.ViewColumn.Active);
    panel.webview.html = '<!doctype html><title>Test</title><input>';
    const { tabGroups } = vscode.window;
    await until(() => (tabGroups.activeTabGroup.activeTab?.label === 'Test' ? true : undefined), 'the panel');
  };
  /** Resolves when a box is on screen: what is done next comes after it. */
  const onScreen = (): Thenable<unknown> => vscode.commands.executeCommand('setContext', 'qumail.test', true);
  afterEach(async () => {
    await run('workbench.action.closeQuickOpen');
    panel?.dispose();
    panel = undefined;
    await run('workbench.action.closeAllEditors');
  });

  it('gives what was chosen, and undefined to whoever leaves', async () => {
    const picking = pickOne(ITEMS);
    await onScreen();
    await run('workbench.action.quickOpenSelectNext');
    await enter();
    assert.equal((await picking)?.label, 'two');
    const leaving = pickOne(ITEMS);
    await onScreen();
    await run('workbench.action.closeQuickOpen');
    assert.equal(await leaving, undefined);
  });

  it('begins a choice of several with those that are chosen', async () => {
    const picking = pickSeveral(ITEMS, {});
    await onScreen();
    await enter();
    assert.deepEqual(
      (await picking)?.map(({ label }) => label),
      ['three'],
    );
  });

  it('takes no text that something is wrong with', async () => {
    const asking = askText({ value: 'two words', check: (text) => (text.includes(' ') ? 'One word.' : undefined) });
    await onScreen();
    await enter();
    assert.equal(await Promise.race([asking, sleep(300, 'open')]), 'open');
    await run('workbench.action.closeQuickOpen');
    assert.equal(await asking, undefined);
    const right = askText({ value: 'word', check: (text) => (text.includes(' ') ? 'One word.' : undefined) });
    await onScreen();
    await enter();
    assert.equal(await right, 'word');
  });

  it('stays open where a panel gets the focus a moment late', async () => {
    await openPanel();
    const picking = pickOne(ITEMS);
    await onScreen();
    await takeFocus();
    assert.equal(await Promise.race([picking, sleep(500, 'open')]), 'open');
    await enter();
    assert.equal((await picking)?.label, 'one');
  });

  for (const ms of [0, 150, 350, 600, 900]) {
    it(`is never left open without the focus, which a panel gets ${ms} ms after it`, async () => {
      await openPanel();
      const picking = pickOne(ITEMS);
      await onScreen();
      await sleep(ms);
      await takeFocus();
      await sleep(HELD_MS);
      // One without the focus has none to lose.
      await takeFocus();
      assert.equal(await Promise.race([picking, sleep(1000, 'open')]), undefined);
    });
  }

  it('closes when the focus goes elsewhere later, as every box does', async () => {
    await openPanel();
    const picking = pickOne(ITEMS);
    await sleep(HELD_MS);
    await takeFocus();
    assert.equal(await picking, undefined);
  });

  it('closes at once where no panel is on show', async () => {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument());
    const picking = pickOne(ITEMS);
    await onScreen();
    await takeFocus();
    assert.equal(await picking, undefined);
  });

  it('leaves one open that is to stay', async () => {
    await openPanel();
    const box = vscode.window.createInputBox();
    let hidden = 0;
    box.onDidHide(() => hidden++);
    box.ignoreFocusOut = true;
    showBox(box);
    await sleep(HELD_MS);
    assert.equal(box.ignoreFocusOut, true);
    await takeFocus();
    await sleep(100);
    assert.equal(hidden, 0);
    box.dispose();
  });
});
