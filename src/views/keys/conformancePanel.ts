import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { ConformanceReport } from '../../core/api.ts';
import { conformanceHtml } from './conformanceHtml.ts';
import { conformancePage } from './conformancePage.ts';

/** What the last test of a key manager found, as one table. */
export class ConformancePanel implements vscode.Disposable {
  #panel: vscode.WebviewPanel | undefined;

  show(report: ConformanceReport): void {
    const page = conformancePage(report, vscode.l10n);
    this.#panel ??= this.#open();
    this.#panel.title = page.title;
    const argument = encodeURIComponent(JSON.stringify([{ accountId: report.accountId, profile: report.suggested }]));
    this.#panel.webview.html = conformanceHtml(page, `command:qumail.chooseKeyManagerProfile?${argument}`, randomBytes(16).toString('hex'));
    this.#panel.reveal();
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  #open(): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel('qumail.conformance', 'QuMail', vscode.ViewColumn.Active, {
      enableCommandUris: ['qumail.chooseKeyManagerProfile'],
      localResourceRoots: [],
    });
    panel.iconPath = new vscode.ThemeIcon('beaker');
    panel.onDidDispose(() => (this.#panel = undefined));
    return panel;
  }
}
