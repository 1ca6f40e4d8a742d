import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { until } from './until.ts';

interface Walkthrough {
  readonly id: string;
  readonly steps: readonly { readonly id: string; readonly media: { readonly svg?: string } }[];
}

describe('views/health, outbox and guides', function () {
  this.timeout(60_000);
  const extension = vscode.extensions.getExtension('qumail.qumail');

  before(() => extension?.activate());
  after(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  const tabOf = (type: string): vscode.Tab | undefined =>
    vscode.window.tabGroups.all
      .flatMap(({ tabs }) => tabs)
      .find(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(type));

  it('shows the health of the accounts in one page, however often it is asked for', async () => {
    await vscode.commands.executeCommand('qumail.accountHealth');
    await vscode.commands.executeCommand('qumail.accountHealth');
    await until(() => tabOf('qumail.health'), 'the page');
    const all = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs);
    assert.equal(all.filter(({ label }) => label === 'Account Health').length, 1);
  });

  it('copies a report that names no person and no path of this machine', async () => {
    await vscode.commands.executeCommand('qumail.copyHealthReport');
    const report = await vscode.env.clipboard.readText();
    assert.match(report, /^# Account Health\n/);
    assert.doesNotMatch(report, /[^…]@|\/(home|root|tmp|Users)\//);
  });

  it('draws every picture that a guide shows', async () => {
    assert.ok(extension);
    const { walkthroughs } = (extension.packageJSON as { contributes: { walkthroughs: readonly Walkthrough[] } }).contributes;
    const pictures = walkthroughs.flatMap(({ steps }) => steps.flatMap(({ media }) => media.svg ?? []));
    assert.equal(pictures.length, 11);
    for (const picture of pictures) {
      const svg = Buffer.from(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extension.extensionUri, picture))).toString();
      assert.match(svg, /^<svg [^>]*viewBox=/, picture);
      // The page it is drawn in allows no style and no script of its own, and colours come from the theme.
      assert.doesNotMatch(svg, /<style|style=|<script|href=/, picture);
      assert.match(svg, /var\(--vscode-foreground/, picture);
    }
  });

  it('opens the guides', async () => {
    await vscode.commands.executeCommand('qumail.setUpGoogle');
    await vscode.commands.executeCommand('qumail.appPasswords', 'icloud');
  });
});
