import * as vscode from 'vscode';
import type { ViewContext } from './viewContext.ts';

/** The one status bar item: what an account needs, that mail is being fetched, or that everything is SIMULATED. */
export class StatusBar implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #unread: () => number;
  readonly #item = vscode.window.createStatusBarItem('qumail.status', vscode.StatusBarAlignment.Left, 0);
  readonly #busy = new Set<string>();
  readonly #disposables: vscode.Disposable[];

  /** @param unread unread messages in all inboxes, kept up to date by the Mail view, which says when its folders were listed anew */
  constructor(context: ViewContext, unread: () => number, onDidListFolders: vscode.Event<unknown>) {
    this.#context = context;
    this.#unread = unread;
    this.#item.name = 'QuMail';
    this.#disposables = [
      this.#item,
      context.onEvent((event) => {
        if (event.kind === 'activity') this.#busy[event.busy ? 'add' : 'delete'](event.accountId);
        if (event.kind === 'activity' || event.kind === 'accounts') this.#show();
      }),
      onDidListFolders(() => this.#show()),
      context.onDidChangeWorld(() => {
        this.#busy.clear();
        this.#show();
      }),
    ];
    this.#show();
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #show(): void {
    const { accounts, world } = this.#context;
    const troubled = accounts.find((account) => account.state === 'needs-sign-in');
    const offline = accounts.length > 0 && accounts.every((account) => account.state === 'offline');
    const item = this.#item;
    item.command = 'qumail.mail.focus';
    item.backgroundColor = undefined;
    if (world === 'lab') {
      item.text = `$(beaker) ${vscode.l10n.t('QuMail lab')}: SIMULATED`;
      item.tooltip = vscode.l10n.t(
        'Everything here is SIMULATED: the people, the mail servers and the quantum keys. Nothing leaves this machine.',
      );
      item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
    } else if (accounts.length === 0) {
      item.hide();
      return;
    } else if (troubled) {
      item.text = `$(warning) ${vscode.l10n.t('QuMail: sign in again')}`;
      item.tooltip = troubled.email;
      item.command = { command: 'qumail.signIn', title: vscode.l10n.t('Sign In Again'), arguments: [troubled.id] };
    } else {
      const unread = this.#unread();
      const icon = this.#busy.size > 0 ? 'sync~spin' : offline ? 'debug-disconnect' : 'mail';
      item.text = unread > 0 ? `$(${icon}) ${unread}` : `$(${icon})`;
      item.tooltip = offline ? vscode.l10n.t('QuMail: offline') : vscode.l10n.t('QuMail: {0} unread', unread);
    }
    item.accessibilityInformation = {
      label: `${item.text.replace(/\$\([^)]*\)\s*/, '')} ${typeof item.tooltip === 'string' ? item.tooltip : ''}`,
    };
    item.show();
  }
}
