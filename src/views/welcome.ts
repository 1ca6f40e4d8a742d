import * as vscode from 'vscode';

/** The sign-in view: a tree without rows, so that VS Code shows its welcome text. The manifest takes it away once somebody is signed in. */
export function registerWelcome(): vscode.Disposable {
  return vscode.window.registerTreeDataProvider('qumail.welcome', {
    getChildren: () => [],
    getTreeItem: () => new vscode.TreeItem(''),
  });
}
