import * as vscode from 'vscode';
import { QuMailError, type Account, type QuMailApi, type QuMailEvent } from '../core/api.ts';
import { cancelledBy } from './cancellation.ts';
import type { EngineClient } from './engineClient.ts';
import { showFailure } from './failures.ts';
import type { FailureContext, RunOptions, RunTask, ViewContext, WorldName } from './viewContext.ts';

/** Remembers between sessions whether there are accounts, so that nothing starts for those who have none. No secret in it. */
const HAS_ACCOUNTS = 'qumail.hasAccounts';

/** The two worlds and which of them is on show; the one ViewContext that all views share. */
export class Worlds implements ViewContext, vscode.Disposable {
  readonly extensionUri: vscode.Uri;
  readonly storageUri: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
  readonly real: EngineClient;
  readonly #memory: vscode.Memento;
  readonly #events = new vscode.EventEmitter<QuMailEvent>();
  readonly #worldChanges = new vscode.EventEmitter<WorldName>();
  readonly onEvent = this.#events.event;
  readonly onDidChangeWorld = this.#worldChanges.event;
  #current: EngineClient;
  #subscriptions: vscode.Disposable[] = [];
  #accounts: readonly Account[] = [];
  #listing: Promise<void> | undefined;

  constructor(
    context: Pick<vscode.ExtensionContext, 'extensionUri' | 'globalStorageUri' | 'globalState'>,
    log: vscode.LogOutputChannel,
    real: EngineClient,
  ) {
    this.extensionUri = context.extensionUri;
    this.storageUri = context.globalStorageUri;
    this.#memory = context.globalState;
    this.log = log;
    this.real = real;
    this.#current = real;
    this.#follow(real);
    this.#setContextKeys();
  }

  get world(): WorldName {
    return this.#current.world;
  }

  get api(): QuMailApi {
    return this.#current.api;
  }

  get accounts(): readonly Account[] {
    return this.#accounts;
  }

  /** Whether this person has used an account here before; known without starting anything. */
  get hasAccounts(): boolean {
    return this.world === 'lab' || this.#accounts.length > 0 || this.#memory.get<boolean>(HAS_ACCOUNTS) === true;
  }

  /** Shows the world of `client`; everything on show belongs to the other one and goes. */
  async enter(client: EngineClient): Promise<void> {
    if (client === this.#current) return;
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#current = client;
    this.#accounts = [];
    this.#listing = undefined;
    this.#follow(client);
    if (this.hasAccounts) await this.reloadAccounts().catch(() => {});
    this.#setContextKeys();
    this.#worldChanges.fire(client.world);
  }

  /** Lists the accounts anew, once for all who ask meanwhile, and starts the engine if it must. */
  reloadAccounts(): Promise<void> {
    const client = this.#current;
    const listing = (this.#listing ??= client.api
      .listAccounts()
      .then(async (accounts) => {
        if (client !== this.#current) return;
        this.#accounts = accounts;
        if (client === this.real) await this.#memory.update(HAS_ACCOUNTS, accounts.length > 0);
        this.#setContextKeys();
      })
      .finally(() => {
        if (this.#listing === listing) this.#listing = undefined;
      }));
    return listing;
  }

  /** Tells the views that the accounts as listed now are others than before. */
  announceAccounts(): void {
    this.#events.fire({ kind: 'accounts' });
  }

  /** Starts the current engine anew; what a dead one was asked meanwhile has failed already. */
  async restart(): Promise<void> {
    await this.#current.restart();
  }

  async showFailure(error: unknown, context: FailureContext = {}): Promise<void> {
    showFailure(error, context, this.log);
  }

  async run<T>(title: string, task: RunTask<T>, options: RunOptions = {}): Promise<T | undefined> {
    try {
      return await this.track(title, task, options);
    } catch (error) {
      showFailure(error, options.failure ?? {}, this.log);
      return undefined;
    }
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#events.dispose();
    this.#worldChanges.dispose();
  }

  /** Like `run`, for callers that deal with the failure themselves. */
  async track<T>(title: string, task: RunTask<T>, { place = 'notification', viewId = 'qumail.messages' }: RunOptions = {}): Promise<T> {
    if (place === 'silent') return task(new AbortController().signal, () => {});
    const location = place === 'view' ? { viewId } : vscode.ProgressLocation.Notification;
    return vscode.window.withProgress({ location, title, cancellable: place === 'notification' }, (progress, token) =>
      cancelledBy(token, (signal) => task(signal, (message) => progress.report({ message }))),
    );
  }

  #follow(client: EngineClient): void {
    this.#subscriptions = [
      client.onEvent((event) => {
        if (event.kind !== 'accounts') this.#events.fire(event);
        // Whoever hears of new accounts must find them listed.
        else void this.#reloadThenTell();
      }),
      client.onDidStart(() => {
        this.#endFilling();
        void this.#reloadThenTell();
      }),
      client.onDidStop(() => {
        this.#endFilling();
        return showFailure(new QuMailError('engine.stopped'), {}, this.log);
      }),
    ];
  }

  /** What an engine that is gone was at it tells nobody the end of. */
  #endFilling(): void {
    for (const { id } of this.#accounts) this.#events.fire({ kind: 'sync-ended', accountId: id });
  }

  async #reloadThenTell(): Promise<void> {
    // A listing under way may have been answered before the change.
    await this.#listing?.catch(() => {});
    try {
      await this.reloadAccounts();
    } catch (error) {
      this.log.warn(`accounts not listed: ${QuMailError.from(error).code}`);
      if (!QuMailError.is(error, 'engine.stopped')) showFailure(error, { retry: () => this.#reloadThenTell() }, this.log);
    }
    this.announceAccounts();
  }

  #setContextKeys(): void {
    void vscode.commands.executeCommand('setContext', 'qumail.signedIn', this.hasAccounts);
    void vscode.commands.executeCommand('setContext', 'qumail.world', this.world);
  }
}
