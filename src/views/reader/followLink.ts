import * as vscode from 'vscode';
import { openInBrowser } from '../hostPorts.ts';
import { judgeLink } from './linkTarget.ts';
import type { LinkSuspicion } from './linkTarget.ts';

/**
 * Opens a link of a mail: web addresses in the browser, mail addresses in a new message. Other schemes go nowhere, and a
 * link that pretends to be another one is asked about, with its real target on show. VS Code's own question about
 * external sites comes after that.
 */
export async function followLink(url: string, text: string, accountId: string | undefined): Promise<void> {
  const target = judgeLink(url, text);
  if (target.kind === 'refused') {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('QuMail opens web and mail addresses only. This link leads to neither: {0}', url.slice(0, 200)),
    );
    return;
  }
  if (target.suspicion) {
    const open = vscode.l10n.t('Open Anyway');
    const detail = `${reasonOf(target.suspicion, target.where)}\n\n${target.url.slice(0, 500)}`;
    const pressed = await vscode.window.showWarningMessage(
      vscode.l10n.t('This link is not what it seems. Open {0}?', target.where),
      { modal: true, detail },
      open,
    );
    if (pressed !== open) return;
  }
  if (target.url.startsWith('mailto:')) await vscode.commands.executeCommand('qumail.newMessage', { accountId, address: target.where });
  else await openInBrowser(target.url);
}

function reasonOf(suspicion: LinkSuspicion, where: string): string {
  switch (suspicion.kind) {
    case 'text-names-other-host':
      return vscode.l10n.t('The text says {0}, but the link leads to {1}.', suspicion.claimed, where);
    case 'user-info':
      return vscode.l10n.t('What stands before the "@" is a user name, not the site. The link leads to {0}.', where);
    case 'look-alike':
      return vscode.l10n.t('The name of the site uses letters that can look like others. Written out, it is {0}.', where);
  }
}
