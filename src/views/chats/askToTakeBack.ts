import * as vscode from 'vscode';

/** Whether an own message is to be taken back, now that it is known what that does. */
export async function askToTakeBack(): Promise<boolean> {
  const takeBack = vscode.l10n.t('Take Back');
  const detail = vscode.l10n.t('It is removed here and on the devices of the others that honour it. Who has read it has read it.');
  return (await vscode.window.showWarningMessage(vscode.l10n.t('Take this message back?'), { modal: true, detail }, takeBack)) === takeBack;
}
