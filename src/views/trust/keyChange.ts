import * as vscode from 'vscode';
import type { Contact } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import type { TrustPanel } from './trustPanel.ts';
import { changeDetail } from './trustWords.ts';

/** Shows what has changed, before and after, and lets the person compare, accept or reject. */
export async function reviewKeyChange(context: ViewContext, panel: TrustPanel, contact: Contact): Promise<void> {
  const { keyChange: change, accountId, address } = contact;
  const name = contact.name || address;
  if (!change) {
    void vscode.window.showInformationMessage(vscode.l10n.t('Nothing has changed about {0}.', name));
    return;
  }
  const compare = vscode.l10n.t('Compare First');
  const accept = vscode.l10n.t('Accept');
  const reject = vscode.l10n.t('Reject');
  // Only certificates have a number to compare.
  const comparable = change.fields.includes('fingerprint') && change.after.fingerprint !== undefined;
  const options = { modal: true, detail: changeDetail(change, vscode.l10n) };
  const question = vscode.l10n.t('The keys of {0} have changed', name);
  const pressed = await vscode.window.showWarningMessage(question, options, ...(comparable ? [compare] : []), accept, reject);
  if (pressed === compare) return panel.showSafetyNumber(contact, 'changed');
  if (pressed !== accept && pressed !== reject) return;
  const decision = pressed === accept ? 'accept' : 'reject';
  await context.run(vscode.l10n.t('Saving'), () => context.api.resolveKeyChange({ accountId, address, changeId: change.id, decision }), {
    place: 'view',
    viewId: 'qumail.keys',
    failure: { accountId, contact: address },
  });
}
