import * as vscode from 'vscode';
import { QuMailError } from '../core/api.ts';
import type { Worlds } from './worlds.ts';

/** Signing in writes several secrets in a row; one look at the accounts is enough. */
const SETTLE_MS = 500;

/**
 * Secrets are the one thing of ours that all windows hear about: when they change, another window may have signed an account in
 * or out, so the accounts are listed anew.
 */
export function followSecrets(secrets: vscode.SecretStorage, worlds: Worlds): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const subscription = secrets.onDidChange(() => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (worlds.world !== 'real') return;
      const before = JSON.stringify(worlds.accounts.map(({ id }) => id));
      worlds.reloadAccounts().then(
        () => {
          if (JSON.stringify(worlds.accounts.map(({ id }) => id)) !== before) worlds.announceAccounts();
        },
        (error: unknown) => worlds.log.warn(`accounts not listed: ${QuMailError.from(error).code}`),
      );
    }, SETTLE_MS);
  });
  return new vscode.Disposable(() => {
    clearTimeout(timer);
    subscription.dispose();
  });
}
