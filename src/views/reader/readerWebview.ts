import type * as vscode from 'vscode';
import { loadPage } from '../loadPage.ts';
import { readerShell, type RemoteContent } from './readerHtml.ts';

/** Gives a webview the reader's page, anew, under the policy for `remote`. The page asks for what it shows when it is ready. */
export function loadReader(webview: vscode.Webview, extensionUri: vscode.Uri, remote: RemoteContent): void {
  loadPage(webview, extensionUri, 'reader', (shell) => readerShell({ ...shell, remote }));
}
