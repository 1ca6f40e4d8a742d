import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { ViewContext } from '../viewContext.ts';
import { healthHtml } from './healthHtml.ts';
import { healthPage } from './healthModel.ts';
import type { HealthPage } from './healthPage.ts';
import { healthReport } from './healthReport.ts';

const VIEW_TYPE = 'qumail.health';
/** How often the page is drawn anew while it can be seen: ages are shown in whole minutes. */
const REFRESH_MS = 15_000;
/** Events come in swarms. */
const SETTLE_MS = 300;

/** How the accounts are: one page that renews itself while it can be seen, and a report of it that tells nobody's name. */
export class HealthPanel implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #version: string;
  readonly #subscription: vscode.Disposable;
  #panel: vscode.WebviewPanel | undefined;
  #timer: NodeJS.Timeout | undefined;
  #shown = '';

  constructor(context: ViewContext, version: string) {
    this.#context = context;
    this.#version = version;
    this.#subscription = vscode.Disposable.from(
      context.onEvent(({ kind }) => {
        if (kind === 'accounts' || kind === 'outbox' || kind === 'activity' || kind === 'sent') this.#schedule(SETTLE_MS);
      }),
      context.onDidChangeWorld(() => this.#schedule(SETTLE_MS)),
    );
  }

  async show(): Promise<void> {
    const page = await this.#page();
    this.#panel ??= this.#open();
    this.#draw(page);
    this.#panel.reveal();
    this.#schedule(REFRESH_MS);
  }

  /** Puts the report on the clipboard. */
  async copyReport(): Promise<void> {
    const about = [
      new Date().toISOString(),
      `QuMail ${this.#version}, VS Code ${vscode.version} (${vscode.env.appHost}), ${process.platform} ${process.arch}, Node ${process.versions.node}`,
      `world: ${this.#context.world}`,
    ];
    await vscode.env.clipboard.writeText(healthReport(await this.#page(), about));
    vscode.window.setStatusBarMessage(`$(copy) ${vscode.l10n.t('Report copied, without names and paths')}`, 5000);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscription.dispose();
    this.#panel?.dispose();
  }

  #open(): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, vscode.l10n.t('Account Health'), vscode.ViewColumn.Active, {
      // No scripts: the page is drawn here, and its buttons are links to these commands.
      enableCommandUris: ['qumail.copyHealthReport', 'qumail.showOutbox', 'qumail.showLog'],
      localResourceRoots: [],
    });
    panel.iconPath = new vscode.ThemeIcon('pulse');
    panel.onDidChangeViewState(() => this.#schedule(0));
    panel.onDidDispose(() => {
      clearTimeout(this.#timer);
      this.#panel = undefined;
      this.#shown = '';
    });
    return panel;
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#panel?.visible) this.#timer = setTimeout(() => void this.#refresh(), ms);
  }

  async #refresh(): Promise<void> {
    try {
      this.#draw(await this.#page());
    } catch (error) {
      this.#context.log.debug(`health not shown: ${error instanceof Error ? error.message : typeof error}`);
    }
    this.#schedule(REFRESH_MS);
  }

  async #page(): Promise<HealthPage> {
    const { api, world } = this.#context;
    const accounts = await api.getAccountHealth();
    return healthPage(accounts, world, { now: Date.now(), locale: vscode.env.language }, vscode.l10n);
  }

  #draw(page: HealthPage): void {
    if (!this.#panel) return;
    // The same page again would only move what is being read.
    const content = JSON.stringify(page);
    if (content === this.#shown) return;
    this.#shown = content;
    const buttons = [
      { label: vscode.l10n.t('Copy Redacted Report'), command: 'qumail.copyHealthReport' },
      { label: vscode.l10n.t('Show Outbox'), command: 'qumail.showOutbox' },
      { label: vscode.l10n.t('Show Log'), command: 'qumail.showLog' },
    ];
    this.#panel.webview.html = healthHtml(page, buttons, randomBytes(16).toString('hex'));
  }
}
