import * as vscode from 'vscode';
import type { HostTokenRequest, HostTokenSource, LogSink, OpenBrowser, Secrets } from '../core/api.ts';

/** VS Code's SecretStorage as the engine's Secrets port. */
export function secretsOf(storage: vscode.SecretStorage): Secrets {
  return {
    get: async (key) => storage.get(key),
    set: async (key, value) => storage.store(key, value),
    delete: async (key) => storage.delete(key),
  };
}

/** Secrets that live as long as the lab does. */
export function memorySecrets(): Secrets {
  const values = new Map<string, string>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}

/**
 * Opens a page in the person's browser. VS Code hands a string to the system as it is, but writes a Uri anew and un-escapes what is
 * nested in its query, which breaks `redirect_uri` (microsoft/vscode#85930). Hence the string in the Uri's place.
 */
export const openInBrowser: OpenBrowser = async (url) => vscode.env.openExternal(url as unknown as vscode.Uri);

/** VS Code's own sign-in for Microsoft accounts. */
const MICROSOFT = 'microsoft';

/**
 * Tokens of Microsoft accounts that VS Code holds. Its provider takes two scopes of its own beside those asked for: the tenant, without which
 * it lets in work and school accounts only, and a client ID, for those whose organisation wants one of its own.
 * @param clientId the configured one, '' for VS Code's
 */
export function microsoftTokens(clientId: () => string, log: vscode.LogOutputChannel): HostTokenSource {
  return async ({ scopes, account: label, how }) => {
    const id = clientId();
    const all = [...scopes, 'VSCODE_TENANT:common', ...(id === '' ? [] : [`VSCODE_CLIENT_ID:${id}`])];
    try {
      const account = label === undefined ? undefined : await microsoftAccount(label);
      // Without this account there is nothing to be had without asking.
      if (how !== 'interactive' && label !== undefined && !account) return undefined;
      const session = await vscode.authentication.getSession(MICROSOFT, all, sessionOptions(how, account));
      return session && { accessToken: session.accessToken, account: { id: session.account.id, label: session.account.label } };
    } catch (error) {
      // The person said no, or VS Code has told them already what went wrong. Its messages may name the account.
      log.info(`no Microsoft session: ${error instanceof Error ? error.name : typeof error}`);
      return undefined;
    }
  };
}

async function microsoftAccount(label: string): Promise<vscode.AuthenticationSessionAccountInformation | undefined> {
  const accounts = await vscode.authentication.getAccounts(MICROSOFT);
  return accounts.find((account) => account.label.toLowerCase() === label.toLowerCase());
}

/** VS Code renews tokens by itself and can be made to do so only by asking the person: `fresh` gets what it has by now. */
function sessionOptions(
  how: HostTokenRequest['how'],
  account: vscode.AuthenticationSessionAccountInformation | undefined,
): vscode.AuthenticationGetSessionOptions {
  if (how !== 'interactive') return { silent: true, ...(account ? { account } : {}) };
  return account ? { forceNewSession: true, account } : { createIfNone: true, clearSessionPreference: true };
}

/** Log entries as lines of the output channel: the event, then its facts. */
export function logTo(channel: vscode.LogOutputChannel): LogSink {
  return ({ level, event, facts }) => {
    const text = Object.entries(facts).reduce(
      (line, [name, value]) => (value === undefined ? line : `${line} ${name}=${JSON.stringify(value)}`),
      event,
    );
    channel[level](text);
  };
}
