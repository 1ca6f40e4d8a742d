import * as vscode from 'vscode';
import type { SignIn } from '../accounts/signIn.ts';
import type { CommandId } from '../commandIds.ts';
import type { CommandHandlers } from './registerCommands.ts';

type GuideCommandId = Extract<CommandId, 'qumail.setUpGoogle' | 'qumail.enterGoogleClient' | 'qumail.appPasswords'>;

/** The guides with pictures, which are walkthroughs of the manifest, and where the first of them ends. */
export function guideCommands(extensionId: string, signIn: SignIn): Pick<CommandHandlers, GuideCommandId> {
  const open = (walkthrough: string, step?: string): Thenable<unknown> => {
    const category = `${extensionId}#${walkthrough}`;
    return vscode.commands.executeCommand('workbench.action.openWalkthrough', step === undefined ? category : { category, step });
  };
  return {
    'qumail.setUpGoogle': () => open('google'),
    'qumail.enterGoogleClient': () => signIn.enterGoogleClient(),
    'qumail.appPasswords': (provider) => open('appPasswords', typeof provider === 'string' ? provider : undefined),
  };
}
