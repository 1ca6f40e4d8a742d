import * as vscode from 'vscode';
import type { CommandId } from '../commandIds.ts';
import { createPad, discardPad, importPad, showPads } from '../pads/pads.ts';
import { pickContact } from '../trust/pickContact.ts';
import type { ViewContext } from '../viewContext.ts';
import { accountIdIn, addressIn, padNameIn } from './commandArguments.ts';
import { pickAccount } from './pickAccount.ts';
import type { CommandHandlers } from './registerCommands.ts';

type PadCommandId = Extract<CommandId, 'qumail.createPad' | 'qumail.importPad' | 'qumail.showPads' | 'qumail.discardPad'>;

/** Commands about pads that are exchanged in person. */
export function padCommands(context: ViewContext): Pick<CommandHandlers, PadCommandId> {
  return {
    async 'qumail.createPad'(argument) {
      const contact = await pickContact(context, argument, vscode.l10n.t('Make a pad for which contact?'));
      if (contact) await createPad(context, contact);
    },
    async 'qumail.importPad'(argument) {
      const contact = await pickContact(context, argument, vscode.l10n.t('Import a pad of which contact?'));
      if (contact) await importPad(context, contact);
    },
    async 'qumail.showPads'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Show the pads of which account?'));
      if (account) await showPads(context, account.id);
    },
    async 'qumail.discardPad'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Discard a pad of which account?'));
      if (!account) return;
      const pads = await context.api.listPads({ accountId: account.id });
      const pad = pads.find(({ name, state }) => name === padNameIn(argument) && state === 'ready');
      if (pad) await discardPad(context, pad);
      else await showPads(context, account.id, addressIn(argument));
    },
  };
}
