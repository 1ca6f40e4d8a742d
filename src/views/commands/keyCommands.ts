import * as vscode from 'vscode';
import { pickOne } from '../box.ts';
import type { CommandId } from '../commandIds.ts';
import type { ConformancePanel } from '../keys/conformancePanel.ts';
import { connectKeyManager } from '../keys/connectKeyManager.ts';
import { editContact } from '../keys/contactWizard.ts';
import { addStandby, chooseProfile, removeStandby, setQuota, testKeyManager } from '../keys/keyManagerCare.ts';
import type { KeyTree } from '../keys/keyTree.ts';
import { forecastWords, quotaWords, rateWords } from '../keys/budgetWords.ts';
import { stockLabel } from '../labels.ts';
import { sentenceOf } from '../present.ts';
import { pickContact } from '../trust/pickContact.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { accountIdIn, addressIn, profileIn, urlIn } from './commandArguments.ts';
import { pickAccount } from './pickAccount.ts';
import type { CommandHandlers } from './registerCommands.ts';

type KeyCommandId = Extract<
  CommandId,
  | 'qumail.connectKeyManager'
  | 'qumail.disconnectKeyManager'
  | 'qumail.keyManagerStatus'
  | 'qumail.saveContact'
  | 'qumail.deleteContact'
  | 'qumail.testKeyManager'
  | 'qumail.chooseKeyManagerProfile'
  | 'qumail.addStandbyKeyManager'
  | 'qumail.removeStandbyKeyManager'
  | 'qumail.setKeyQuota'
>;

/** Commands about key managers and contacts. */
export function keyCommands(context: ViewContext, keys: KeyTree, conformance: ConformancePanel): Pick<CommandHandlers, KeyCommandId> {
  return {
    async 'qumail.connectKeyManager'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Connect a key manager to which account?'));
      if (account) await connectKeyManager(context, account);
    },
    async 'qumail.disconnectKeyManager'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Disconnect the key manager of which account?'));
      if (!account) return;
      const disconnect = vscode.l10n.t('Disconnect');
      const question = vscode.l10n.t('Disconnect the key manager of {0}?', account.email);
      const detail = vscode.l10n.t(
        'The client certificate is erased from this computer. Sealed mail that was not opened yet cannot be opened until you connect again.',
      );
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, disconnect)) !== disconnect) return;
      await context.run(vscode.l10n.t('Disconnecting'), () => context.api.disconnectKeyManager({ accountId: account.id }), {
        failure: { accountId: account.id },
      });
    },
    async 'qumail.keyManagerStatus'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Show the key manager of which account?'));
      if (account) await showStatus(context, keys, account.id);
    },
    async 'qumail.saveContact'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Add a contact to which account?'));
      if (account) await editContact(context, account.id, addressIn(argument));
    },
    async 'qumail.deleteContact'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Delete a contact of which account?'));
      if (account) await deleteContact(context, account.id, addressIn(argument));
    },
    async 'qumail.testKeyManager'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Test the key manager of which account?'));
      if (account) await testKeyManager(context, conformance, account);
    },
    async 'qumail.chooseKeyManagerProfile'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Choose the profile of which key manager?'));
      if (account) await chooseProfile(context, account, profileIn(argument));
    },
    async 'qumail.addStandbyKeyManager'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Add a standby key manager to which account?'));
      if (account) await addStandby(context, account);
    },
    async 'qumail.removeStandbyKeyManager'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Remove a standby key manager of which account?'));
      if (account) await removeStandby(context, account, urlIn(argument));
    },
    async 'qumail.setKeyQuota'(argument) {
      const contact = await pickContact(context, argument, vscode.l10n.t('Set the key quota of which contact?'));
      if (contact) await setQuota(context, contact);
    },
  };
}

async function showStatus(context: ViewContext, keys: KeyTree, accountId: string): Promise<void> {
  const retry = (): Promise<void> => showStatus(context, keys, accountId);
  const status = await context.run(vscode.l10n.t('Asking the key manager'), (signal) => keys.refreshStatus(accountId, signal), {
    failure: { accountId, retry },
  });
  if (!status) return;
  const { keyManager, links } = status;
  const simulated = keyManager.simulated ? ' · SIMULATED' : '';
  const state = keyManager.failure ? sentenceOf(keyManager.failure, vscode.l10n) : vscode.l10n.t('connected');
  const budgets = keys.budget(accountId)?.links ?? [];
  const detailOf = ({ peerSaeId, failure, ...link }: (typeof links)[number]): string => {
    if (failure) return sentenceOf(failure, vscode.l10n);
    const budget = budgets.find(({ kind, peerId }) => kind === 'kme' && peerId === peerSaeId);
    const forecast = budget ? [forecastWords(budget, vscode.l10n), rateWords(budget, vscode.l10n)] : [];
    return [stockLabel(link, vscode.l10n), ...forecast, ...(budget?.quota ? [quotaWords(budget.quota, vscode.l10n)] : [])].join(' · ');
  };
  const standbys = keyManager.standbys.map(({ url, kmeId }) => ({
    label: `$(server-environment) ${url}`,
    description: `KME ${kmeId}`,
    detail: vscode.l10n.t('Standby'),
  }));
  const items: vscode.QuickPickItem[] = [
    { label: `$(server) ${keyManager.url}`, description: `KME ${keyManager.kmeId}${simulated}`, detail: state },
    ...standbys,
    { label: `$(tag) ${keyManager.saeId}`, description: vscode.l10n.t('Own SAE ID') },
    ...links.map((link) => ({
      label: `$(link) ${link.peerAddress || link.peerSaeId}`,
      description: link.peerSaeId,
      detail: detailOf(link),
    })),
  ];
  await pickOne(items, {
    title: vscode.l10n.t('Key Manager Status'),
    placeHolder: vscode.l10n.t('Counts are what the key manager says; they change as keys are made and used'),
  });
}

async function deleteContact(context: ViewContext, accountId: string, named: string | undefined): Promise<void> {
  const contacts = await context.api.listContacts({ accountId });
  const placeHolder = vscode.l10n.t('Delete which contact?');
  const items = contacts.map(({ name, address }) => ({ label: withoutIcons(name || address), description: name ? address : '', address }));
  const address = named ?? (await pickOne(items, { placeHolder }))?.address;
  if (address === undefined) return;
  const remove = vscode.l10n.t('Delete');
  const detail = vscode.l10n.t('Sealed mail from this contact that was not opened yet cannot be opened without the contact.');
  if (
    (await vscode.window.showWarningMessage(vscode.l10n.t('Delete the contact {0}?', address), { modal: true, detail }, remove)) !== remove
  )
    return;
  await context.run(vscode.l10n.t('Deleting'), () => context.api.deleteContact({ accountId, address }), {
    place: 'view',
    viewId: 'qumail.keys',
  });
}
