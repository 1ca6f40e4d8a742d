import * as vscode from 'vscode';
import type { AccountSyncState, FolderSyncChoice } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { storageLines, syncChoices } from './storageText.ts';

/** How much of the mail is kept on this machine, and which folders. */
export class FolderKeeping {
  readonly #context: ViewContext;

  constructor(context: ViewContext) {
    this.#context = context;
  }

  /** Asks how much of a folder is kept for reading offline. */
  async chooseSync({ accountId, path }: { readonly accountId: string; readonly path: string }): Promise<void> {
    const state = await this.#state(accountId);
    const folder = state?.folders.find((one) => one.path === path);
    if (!state) return;
    const items = syncChoices(folder, vscode.env.language, vscode.l10n).map(({ label, detail, current, sync }) => ({
      label: current ? `$(check) ${label}` : label,
      detail,
      sync,
    }));
    const picked = await pickOne<vscode.QuickPickItem & { sync: FolderSyncChoice }>(items, {
      title: vscode.l10n.t('Keep {0} offline', path),
      placeHolder: vscode.l10n.t('What is kept already is not erased.'),
    });
    if (!picked || picked.sync === folder?.sync) return;
    await this.#context.run(
      vscode.l10n.t('Saving'),
      () => this.#context.api.setFolderSync({ accountId, folder: path, sync: picked.sync }),
      {
        place: 'view',
        viewId: 'qumail.mail',
        failure: { accountId },
      },
    );
  }

  /** Subscribes to a folder on the server, or ends that, after asking which where it is not subscribed to the way it should become. */
  async setSubscribed(
    { accountId, path }: { readonly accountId: string; readonly path: string },
    subscribed: 'subscribed' | 'unsubscribed',
  ): Promise<void> {
    const run = async (): Promise<true> => {
      await this.#context.api.subscribeFolder({ accountId, folder: path, subscribed });
      return true;
    };
    const place = { place: 'view', viewId: 'qumail.mail', failure: { accountId } } as const;
    if (!(await this.#context.run(vscode.l10n.t('Telling the server'), run, place))) return;
    const text =
      subscribed === 'subscribed' ? vscode.l10n.t('Subscribed to {0}', path) : vscode.l10n.t('Not subscribed to {0} any more', path);
    vscode.window.setStatusBarMessage(`$(check) ${text}`, 5000);
  }

  /** How much room the mail takes here, how much it may, and what the servers say of their own limits. */
  async showStorage(): Promise<void> {
    if (this.#context.accounts.length === 0) await this.#context.reloadAccounts();
    const { accounts } = this.#context;
    const states = await this.#context.run(
      vscode.l10n.t('Looking'),
      () => Promise.all(accounts.map(({ id }) => this.#context.api.getSyncState({ accountId: id }))),
      { place: 'view', viewId: 'qumail.mail' },
    );
    if (!states) return;
    const lines = storageLines(
      states.map((state, index) => ({ email: accounts[index]?.email ?? '', state })),
      vscode.env.language,
      vscode.l10n,
    );
    const change = { label: `$(settings-gear) ${vscode.l10n.t('Change how much mail may take on this machine')}`, accountId: undefined };
    const items = lines.map(({ icon, label, description, detail, accountId }) => ({
      label: `$(${icon}) ${label}`,
      description,
      detail,
      accountId,
    }));
    const picked = await pickOne<vscode.QuickPickItem & { accountId: string | undefined }>([...items, change], {
      title: vscode.l10n.t('Mail on this machine'),
      placeHolder: vscode.l10n.t('Pick an account to choose what is kept of its folders'),
    });
    if (picked === change || (picked && picked.accountId === undefined))
      await vscode.commands.executeCommand('workbench.action.openSettings', 'qumail.offlineBudgetMiB');
    else if (picked?.accountId !== undefined) await this.#pickFolder(picked.accountId);
  }

  async #pickFolder(accountId: string): Promise<void> {
    const state = await this.#state(accountId);
    if (!state) return;
    const number = new Intl.NumberFormat(vscode.env.language);
    const items = state.folders.map(({ path, sync, known, stored }) => ({
      label: withoutIcons(path),
      description: syncChoices(undefined, vscode.env.language, vscode.l10n).find((choice) => choice.sync === sync)?.label ?? '',
      detail: vscode.l10n.t('{0} of {1} messages are here', number.format(stored), number.format(known)),
      path,
    }));
    const picked = await pickOne(items, { placeHolder: vscode.l10n.t('Keep which folder offline?') });
    if (picked) await this.chooseSync({ accountId, path: picked.path });
  }

  #state(accountId: string): Promise<AccountSyncState | undefined> {
    return this.#context.run(vscode.l10n.t('Looking'), () => this.#context.api.getSyncState({ accountId }), {
      place: 'view',
      viewId: 'qumail.mail',
      failure: { accountId },
    });
  }
}
