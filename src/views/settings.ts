import { readFileSync, statSync } from 'node:fs';
import * as vscode from 'vscode';
import { DEFAULT_SETTINGS, SECURITY_LEVELS, type EngineSettings, type QuMailApi } from '../core/api.ts';
import { redirectFlow, type SignInSite } from './accounts/signInFlow.ts';

/** More is not a certificate file. */
const MAX_CERTIFICATE_FILE = 1_048_576;
const SECONDS = { least: 15, most: 86_400 };
const MAX_UNDO_SECONDS = 60;
const MAX_BUDGET_MIB = 1_048_576;

/** What the person configured, checked value by value: settings files are written by hand. */
export class Settings {
  readonly #extension: vscode.Extension<unknown>;
  readonly #log: vscode.LogOutputChannel;
  #uriRedirect = '';

  constructor(extension: vscode.Extension<unknown>, log: vscode.LogOutputChannel) {
    this.#extension = extension;
    this.#log = log;
  }

  /** Synchronous, since the engine is started with them: certificate files are small and few. */
  read(): EngineSettings {
    const configuration = vscode.workspace.getConfiguration('qumail');
    const text = (name: string): string => {
      const value = configuration.get<unknown>(name);
      return typeof value === 'string' ? value.trim() : '';
    };
    const interval = configuration.get<unknown>('fetchInterval');
    const undo = configuration.get<unknown>('undoSendSeconds');
    const level = text('startLevel');
    const budget = configuration.get<unknown>('offlineBudgetMiB');
    return {
      googleClientId: text('google.clientId'),
      yahooClientId: text('yahoo.clientId'),
      certificateAuthorities: this.#certificateAuthorities(configuration.get<unknown>('certificateAuthorities')),
      fetchInterval:
        typeof interval === 'number' ? Math.min(Math.max(interval, SECONDS.least), SECONDS.most) : DEFAULT_SETTINGS.fetchInterval,
      signInRedirect: redirectFlow(this.site, text('signIn.redirect')),
      uriRedirect: this.#uriRedirect,
      undoSendSeconds:
        typeof undo === 'number' ? Math.min(Math.max(Math.round(undo), 0), MAX_UNDO_SECONDS) : DEFAULT_SETTINGS.undoSendSeconds,
      offlineBudgetMiB:
        typeof budget === 'number' ? Math.min(Math.max(Math.round(budget), 0), MAX_BUDGET_MIB) : DEFAULT_SETTINGS.offlineBudgetMiB,
      startLevel: SECURITY_LEVELS.find((known) => known === level) ?? 'best',
    };
  }

  /** The client ID for Microsoft accounts, '' for VS Code's own. It stands in a scope, so nothing but an ID may pass. */
  get outlookClientId(): string {
    const value = vscode.workspace.getConfiguration('qumail').get<unknown>('outlook.clientId');
    return typeof value === 'string' && /^[0-9a-f-]{36}$/i.test(value.trim()) ? value.trim() : '';
  }

  get notifications(): boolean {
    return vscode.workspace.getConfiguration('qumail').get<unknown>('notifications') === true;
  }

  /** Tells the engine where the browser is to come back to. The outside form of our URI may serve one sign-in only. */
  async prepareSignIn(api: QuMailApi): Promise<void> {
    if (this.read().signInRedirect !== 'uri') return;
    const inside = vscode.Uri.parse(`${vscode.env.uriScheme}://${this.#extension.id}/callback`);
    this.#uriRedirect = (await vscode.env.asExternalUri(inside)).toString(true);
    await api.configure(this.read());
  }

  /** Calls `changed` after any of our settings changed. */
  onDidChange(changed: () => void): vscode.Disposable {
    return vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('qumail')) changed();
    });
  }

  /** Where this window and this extension host are, for choosing how to sign in. */
  get site(): SignInSite {
    return {
      window: vscode.env.uiKind === vscode.UIKind.Desktop ? 'desktop' : 'browser',
      // In a remote window, what runs as a UI extension still runs on the machine of the person.
      host: vscode.env.remoteName === undefined || this.#extension.extensionKind === vscode.ExtensionKind.UI ? 'local' : 'remote',
      trust: vscode.workspace.isTrusted || (vscode.workspace.workspaceFolders ?? []).length === 0 ? 'trusted' : 'restricted',
    };
  }

  #certificateAuthorities(value: unknown): Record<string, string> {
    const pems: Record<string, string> = {};
    if (typeof value !== 'object' || value === null) return pems;
    for (const [host, path] of Object.entries(value)) {
      if (typeof path !== 'string' || path.trim() === '') continue;
      try {
        if (statSync(path).size > MAX_CERTIFICATE_FILE) throw new RangeError('too large');
        pems[host.toLowerCase()] = readFileSync(path, 'utf8');
      } catch (error) {
        this.#log.warn(
          `certificate authority of ${host} not read: ${error instanceof Error && 'code' in error ? String(error.code) : 'too large'}`,
        );
      }
    }
    return pems;
  }
}
