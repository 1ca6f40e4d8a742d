import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { PageShell } from './emptyPage.ts';

/**
 * Gives a webview its page, anew. It runs its own script and reaches nothing but what is built into `dist`.
 * @param name of the script and the style in `dist`, without their endings
 */
export function loadPage(webview: vscode.Webview, extensionUri: vscode.Uri, name: string, shellOf: (shell: PageShell) => string): void {
  const dist = vscode.Uri.joinPath(extensionUri, 'dist');
  webview.options = { enableScripts: true, enableForms: false, localResourceRoots: [dist] };
  const file = (ending: string): string => webview.asWebviewUri(vscode.Uri.joinPath(dist, `${name}.${ending}`)).toString();
  webview.html = shellOf({
    cspSource: webview.cspSource,
    nonce: randomBytes(16).toString('base64url'),
    scriptUri: file('js'),
    styleUri: file('css'),
    language: vscode.env.language,
    title: 'QuMail',
  });
}
