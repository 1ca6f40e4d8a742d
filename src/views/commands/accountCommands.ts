import * as vscode from 'vscode';
import type { SignIn } from '../accounts/signIn.ts';
import type { CommandId } from '../commandIds.ts';
import type { Worlds } from '../worlds.ts';
import { accountIdIn } from './commandArguments.ts';
import { pickAccount } from './pickAccount.ts';
import type { CommandHandlers } from './registerCommands.ts';

type AccountCommandId = Extract<
  CommandId,
  'qumail.signIn' | 'qumail.addAccount' | 'qumail.signOut' | 'qumail.setClientSecret' | 'qumail.restartEngine' | 'qumail.showLog'
>;

/** Commands about accounts and the engine itself. */
export function accountCommands(worlds: Worlds, signIn: SignIn): Pick<CommandHandlers, AccountCommandId> {
  const named = (argument: unknown): string | undefined => accountIdIn(argument);
  return {
    async 'qumail.signIn'(argument) {
      const account =
        worlds.accounts.find(({ id }) => id === named(argument)) ?? worlds.accounts.find(({ state }) => state === 'needs-sign-in');
      return account ? signIn.signInAgain(account) : signIn.addAccount();
    },
    'qumail.addAccount': () => signIn.addAccount(),
    async 'qumail.signOut'(argument) {
      const account = await pickAccount(worlds, named(argument), vscode.l10n.t('Which account do you want to sign out?'));
      if (account) await signIn.signOut(account);
    },
    'qumail.setClientSecret': () => signIn.setClientSecret(),
    'qumail.restartEngine': () => worlds.restart(),
    'qumail.showLog': () => worlds.log.show(),
  };
}
