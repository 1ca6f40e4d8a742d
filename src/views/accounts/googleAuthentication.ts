import * as vscode from 'vscode';
import { QuMailError, type Account, type QuMailApi } from '../../core/api.ts';
import type { Settings } from '../settings.ts';
import type { Worlds } from '../worlds.ts';
import { coversScopes, GOOGLE_SCOPES } from './googleScopes.ts';

export const GOOGLE_PROVIDER_ID = 'qumail-google';

/**
 * Gmail accounts as sessions in VS Code's Accounts menu. The accounts themselves live in the engine of the real world; a session
 * is an account with a token that is good for some minutes.
 */
export class GoogleAuthentication implements vscode.AuthenticationProvider, vscode.Disposable {
  readonly #worlds: Worlds;
  readonly #settings: Settings;
  readonly #changes = new vscode.EventEmitter<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>();
  readonly onDidChangeSessions = this.#changes.event;
  readonly #known = new Map<string, vscode.AuthenticationSession>();
  readonly #disposables: vscode.Disposable[];
  #lastFailure: unknown;
  #suggested: string | undefined;

  constructor(worlds: Worlds, settings: Settings) {
    this.#worlds = worlds;
    this.#settings = settings;
    this.#disposables = [
      this.#changes,
      vscode.authentication.registerAuthenticationProvider(GOOGLE_PROVIDER_ID, 'Google (Gmail)', this, { supportsMultipleAccounts: true }),
      worlds.real.onEvent((event) => {
        if (event.kind === 'accounts') void this.#compare();
      }),
    ];
  }

  /** Why the last `createSession` failed, once; VS Code passes on its message only. */
  takeFailure(): unknown {
    const failure = this.#lastFailure;
    this.#lastFailure = undefined;
    return failure;
  }

  /** The address to suggest on Google's page in the next sign-in of somebody new. */
  suggest(email: string | undefined): void {
    this.#suggested = email;
  }

  /** Never prompts, and starts no engine for those who have no account. */
  async getSessions(
    scopes: readonly string[] | undefined,
    options: vscode.AuthenticationProviderSessionOptions,
  ): Promise<vscode.AuthenticationSession[]> {
    if (!coversScopes(GOOGLE_SCOPES, scopes ?? [])) return [];
    if (!this.#worlds.real.isStarted && !this.#worlds.hasAccounts) return [];
    const accounts = (await this.#googleAccounts()).filter(
      (account) => options.account === undefined || account.email === options.account.label,
    );
    const sessions = await Promise.all(
      accounts.map((account) => this.#sessionOf(account).catch((error: unknown) => this.#lastSession(account, error))),
    );
    return sessions.filter((session) => session !== undefined);
  }

  async createSession(
    _scopes: readonly string[],
    options: vscode.AuthenticationProviderSessionOptions,
  ): Promise<vscode.AuthenticationSession> {
    this.#lastFailure = undefined;
    try {
      const account = await this.#worlds.track(vscode.l10n.t('Signing in with Google in your browser'), (signal) =>
        this.#signIn(options.account?.label, signal),
      );
      const session = await this.#sessionOf(account);
      this.#changes.fire({ added: [session], removed: [], changed: [] });
      return session;
    } catch (error) {
      this.#lastFailure = error;
      throw error;
    }
  }

  async removeSession(sessionId: string): Promise<void> {
    await this.#api.signOut({ accountId: sessionId });
    await this.#compare();
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  get #api(): QuMailApi {
    return this.#worlds.real.api;
  }

  async #signIn(email: string | undefined, signal: AbortSignal): Promise<Account> {
    const api = this.#api;
    await this.#settings.prepareSignIn(api);
    const known = (await this.#googleAccounts()).find((account) => account.email === email);
    if (known) return api.signInAgain({ accountId: known.id }, { signal });
    try {
      const loginHint = this.#suggested;
      this.#suggested = undefined;
      return await api.addAccount({ provider: 'google', ...(loginHint ? { loginHint } : {}) }, { signal });
    } catch (error) {
      // Chosen in the browser, and here already: that is what was asked for.
      if (!QuMailError.is(error, 'account.exists')) throw error;
      const existing = (await this.#googleAccounts()).find((account) => account.email === error.details['email']);
      if (!existing) throw error;
      return existing;
    }
  }

  async #googleAccounts(): Promise<readonly Account[]> {
    return (await this.#api.listAccounts()).filter((account) => account.provider === 'google');
  }

  async #sessionOf(account: Account): Promise<vscode.AuthenticationSession> {
    const token = await this.#api.getAccessToken({ accountId: account.id });
    const session = {
      id: account.id,
      accessToken: token.accessToken,
      account: { id: account.userId || account.email, label: account.email },
      scopes: [...GOOGLE_SCOPES],
    };
    this.#known.set(account.id, session);
    return session;
  }

  /** Offline is not signed out: the last token still names the account. An ended sign-in is. */
  #lastSession(account: Account, error: unknown): vscode.AuthenticationSession | undefined {
    this.#worlds.log.warn(`no token for a Google account: ${QuMailError.from(error).code}`);
    return QuMailError.is(error, 'auth.sign-in-again') ? undefined : this.#known.get(account.id);
  }

  /** Tells VS Code which sessions came and went since it was told last. */
  async #compare(): Promise<void> {
    try {
      const accounts = await this.#googleAccounts();
      const added = accounts.filter((account) => !this.#known.has(account.id) && account.state !== 'needs-sign-in');
      const removed = [...this.#known.values()].filter((session) => !accounts.some((account) => account.id === session.id));
      for (const session of removed) this.#known.delete(session.id);
      const sessions = (await Promise.all(added.map((account) => this.#sessionOf(account).catch(() => undefined)))).filter(
        (session) => session !== undefined,
      );
      if (sessions.length > 0 || removed.length > 0) this.#changes.fire({ added: sessions, removed, changed: [] });
    } catch (error) {
      this.#worlds.log.warn(`Google sessions not compared: ${QuMailError.from(error).code}`);
    }
  }
}
