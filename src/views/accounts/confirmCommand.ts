import * as vscode from 'vscode';
import { commandText } from './commandSteps.ts';

/** Shows what will be started, argument by argument, and asks. It runs whenever a token is needed, without asking again. */
export async function confirmCommand(command: readonly string[]): Promise<boolean> {
  const run = vscode.l10n.t('Run It');
  const detail = vscode.l10n.t(
    'QuMail starts this program now and whenever a token is needed, without a shell, and uses what it prints as an access token:\n\n{0}',
    commandText(command),
  );
  const question = vscode.l10n.t('Let QuMail run this program?');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, run)) === run;
}
