import * as vscode from 'vscode';
import { QuMailError, type Account, type KeyBudget, type KeyManagerStatus } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { keyItem } from './keyItems.ts';
import { keyNodes, type KeyNode } from './keyNodes.ts';

/** Asking a key manager costs a mutual TLS exchange per link; within this time its last answer is shown. */
const STATUS_AGE_MS = 30_000;

interface KnownStatus {
  readonly at: number;
  readonly status: KeyManagerStatus | undefined;
  readonly budget?: KeyBudget | undefined;
}

/** Contacts & Keys: per account the key manager with stock and own SAE ID, and the contacts with theirs. */
export class KeyTree implements vscode.TreeDataProvider<KeyNode>, vscode.Disposable {
  readonly view: vscode.TreeView<KeyNode>;
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<KeyNode | undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #statuses = new Map<string, KnownStatus>();
  readonly #asking = new Map<string, Promise<KeyManagerStatus | undefined>>();
  readonly #disposables: vscode.Disposable[];

  constructor(context: ViewContext) {
    this.#context = context;
    this.view = vscode.window.createTreeView('qumail.keys', { treeDataProvider: this, showCollapseAll: true });
    this.#disposables = [
      this.view,
      this.#changes,
      context.onEvent((event) => {
        // Another contact is another link, of which the last answer knows nothing. (Asking may fire `key-managers`, never this.)
        if (event.kind === 'contacts') this.#outdate();
        if (event.kind === 'accounts' || event.kind === 'contacts' || event.kind === 'key-managers') this.#changes.fire(undefined);
        // Sending and opening use up keys.
        else if (event.kind === 'outbox') this.#changes.fire(undefined);
      }),
      context.onDidChangeWorld(() => {
        this.#statuses.clear();
        this.#describe();
        this.#changes.fire(undefined);
      }),
    ];
    this.#describe();
  }

  /** Asks the key manager now. Rejects with what it failed with. */
  async refreshStatus(accountId: string, signal?: AbortSignal): Promise<KeyManagerStatus> {
    const status = await this.#context.api.getKeyManagerStatus({ accountId }, signal ? { signal } : {});
    this.#statuses.set(accountId, { at: Date.now(), status, budget: await this.#budgetOf(accountId) });
    this.#changes.fire(undefined);
    return status;
  }

  async getChildren(node?: KeyNode): Promise<KeyNode[]> {
    if (node) return 'children' in node ? [...node.children] : [];
    if (!this.#context.hasAccounts) return [];
    if (this.#context.accounts.length === 0) await this.#context.reloadAccounts().catch(() => {});
    const accounts = this.#context.accounts;
    const rows = await Promise.all(accounts.map((account) => this.#rows(account).catch(() => [])));
    const simulated: KeyNode[] = this.#context.world === 'lab' ? [{ kind: 'simulated' }] : [];
    if (accounts.length === 1) return [...simulated, ...(rows[0] ?? [])];
    return [...simulated, ...accounts.map((account, index): KeyNode => ({ kind: 'account', account, children: rows[index] ?? [] }))];
  }

  getTreeItem(node: KeyNode): vscode.TreeItem {
    return keyItem(node);
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #rows(account: Account): Promise<readonly KeyNode[]> {
    const api = this.#context.api;
    const accountId = account.id;
    const [managers, contacts, pads, own] = await Promise.all([
      api.listKeyManagers(),
      api.listContacts({ accountId }),
      api.listPads({ accountId }),
      // It is made on the first request, which may fail without hiding the contacts.
      api.getOwnCertificate({ accountId }).catch(() => undefined),
    ]);
    const keyManager = managers.find((manager) => manager.accountId === accountId);
    if (!keyManager) this.#statuses.delete(account.id);
    const known = this.#statuses.get(account.id);
    // Rows come at once with what is known; the answer of the key manager fills in the stock later.
    if (keyManager && (!known || Date.now() - known.at > STATUS_AGE_MS)) void this.#ask(account.id);
    return keyNodes({ account, keyManager, status: known?.status, contacts, budget: known?.budget, pads, own });
  }

  #ask(accountId: string): Promise<KeyManagerStatus | undefined> {
    const world = this.#context.world;
    const asking: Promise<KeyManagerStatus | undefined> =
      this.#asking.get(accountId) ??
      this.#context.api
        .getKeyManagerStatus({ accountId })
        .catch((error: unknown) => {
          this.#context.log.debug(`key manager status: ${QuMailError.from(error).code}`);
          return undefined;
        })
        .then(async (status) => {
          const budget = status && (await this.#budgetOf(accountId));
          // Asked before the links changed: another answer is on its way.
          if (this.#asking.get(accountId) !== asking) return status;
          this.#asking.delete(accountId);
          if (world !== this.#context.world) return status;
          this.#statuses.set(accountId, { at: Date.now(), status, budget });
          this.#changes.fire(undefined);
          return status;
        });
    this.#asking.set(accountId, asking);
    return asking;
  }

  /** Stock and forecast as told last, for whoever shows the status. */
  budget(accountId: string): KeyBudget | undefined {
    return this.#statuses.get(accountId)?.budget;
  }

  /** Forecasts are a help; without them the stock is shown alone. */
  #budgetOf(accountId: string): Promise<KeyBudget | undefined> {
    return this.#context.api.getKeyBudget({ accountId }).catch(() => undefined);
  }

  /** What is known stays on show until the key managers have answered again. */
  #outdate(): void {
    this.#asking.clear();
    for (const [accountId, known] of this.#statuses) this.#statuses.set(accountId, { ...known, at: 0 });
  }

  #describe(): void {
    this.view.description = this.#context.world === 'lab' ? 'SIMULATED' : '';
  }
}
