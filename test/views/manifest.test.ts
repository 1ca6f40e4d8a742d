import assert from 'node:assert/strict';
import * as vscode from 'vscode';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
  };
}

describe('views/manifest', () => {
  it('every declared command is registered once the extension is active, and every registered one is declared', async () => {
    const extension = vscode.extensions.getExtension('qumail.qumail');
    assert.ok(extension, 'QuMail is not installed');
    await extension.activate();
    const { commands, views } = (extension.packageJSON as Manifest).contributes;
    const declared = commands.map(({ command }) => command).sort();
    // VS Code itself registers commands for each view: qumail.mail.focus and so on.
    const generated = Object.values(views)
      .flat()
      .map(({ id }) => id);
    const registered = (await vscode.commands.getCommands(true))
      .filter((id) => id.startsWith('qumail.') && !generated.some((view) => id.startsWith(`${view}.`)))
      .sort();
    assert.deepEqual(registered, declared);
  });
});
