import * as vscode from 'vscode';
import type { Account } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';

/**
 * The account a command is about: the one named, the only one, or the one picked. With no account at all it offers to sign in.
 */
export async function pickAccount(context: ViewContext, named: string | undefined, placeHolder: string): Promise<Account | undefined> {
  if (context.accounts.length === 0 && context.hasAccounts) await context.reloadAccounts();
  const accounts = context.accounts;
  const account = accounts.find(({ id }) => id === named) ?? (accounts.length === 1 ? accounts[0] : undefined);
  if (account) return account;
  if (accounts.length === 0) {
    await vscode.commands.executeCommand('qumail.signIn');
    return undefined;
  }
  const items = accounts.map((one) => ({ label: one.email, description: one.simulated ? 'SIMULATED' : one.displayName, account: one }));
  return (await pickOne(items, { placeHolder }))?.account;
}
