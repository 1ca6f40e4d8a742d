import * as vscode from 'vscode';
import { SECURITY_LEVELS } from '../../core/api.ts';
import { levelLabel } from '../labels.ts';
import type { ViewContext } from '../viewContext.ts';
import { runWizard } from '../wizard/wizard.ts';
import type { Step } from '../wizard/steps.ts';

/** Adds a contact, or edits the one with this address. */
export async function editContact(context: ViewContext, accountId: string, address: string | undefined): Promise<void> {
  const existing =
    address === undefined ? undefined : (await context.api.listContacts({ accountId })).find((contact) => contact.address === address);
  const given = {
    ...(address === undefined ? {} : { address }),
    ...(existing ? { name: existing.name, saeId: existing.saeId ?? '', minimumLevel: existing.minimumLevel } : { minimumLevel: 'L4' }),
  };
  const title = existing ? vscode.l10n.t('Edit Contact') : vscode.l10n.t('Add Contact');
  const answers = await runWizard(title, contactSteps(existing ? 'edit' : 'add'), given);
  if (!answers) return;
  const saeId = answers['saeId'] ?? '';
  const minimumLevel = SECURITY_LEVELS.find((level) => level === answers['minimumLevel']) ?? 'L4';
  const request = {
    accountId,
    address: answers['address'] ?? '',
    name: answers['name'] ?? '',
    minimumLevel,
    ...(saeId === '' ? {} : { saeId }),
  };
  await context.run(vscode.l10n.t('Saving'), () => context.api.saveContact(request), {
    place: 'view',
    viewId: 'qumail.keys',
    failure: { accountId, retry: () => editContact(context, accountId, request.address) },
  });
}

function contactSteps(how: 'add' | 'edit'): readonly Step[] {
  return [
    {
      kind: 'text',
      key: 'address',
      // The address is what a contact is known by; another address is another contact.
      when: () => how === 'add',
      prompt: vscode.l10n.t('E-mail address of the contact'),
      check: (text) => (/^[^\s@<>]+@[^\s@<>]+$/.test(text) ? undefined : vscode.l10n.t('This is not an e-mail address.')),
    },
    { kind: 'text', key: 'name', prompt: vscode.l10n.t('Name of the contact') },
    { kind: 'text', key: 'saeId', prompt: vscode.l10n.t('SAE ID of the contact at its key manager. Leave empty if it has none.') },
    {
      kind: 'pick',
      key: 'minimumLevel',
      prompt: vscode.l10n.t('Never send this contact anything below which level?'),
      choices: [...SECURITY_LEVELS].reverse().map((level) => ({
        value: level,
        label: levelLabel(level, vscode.l10n),
        ...(level === 'L4' ? { detail: vscode.l10n.t('No minimum: choose for each message') } : {}),
      })),
    },
  ];
}
