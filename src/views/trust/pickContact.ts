import * as vscode from 'vscode';
import type { Account, Contact } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import { accountIdIn, addressIn } from '../commands/commandArguments.ts';
import { pickAccount } from '../commands/pickAccount.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { markLook, markOf } from './trustWords.ts';

/**
 * The contact a command is about: the one its argument names, or the one picked among those that fit.
 * @param fits which contacts the command can do something with; all unless given
 */
export async function pickContact(
  context: ViewContext,
  argument: unknown,
  placeHolder: string,
  fits: (contact: Contact) => boolean = () => true,
): Promise<Contact | undefined> {
  const account = await pickAccount(context, accountIdIn(argument), placeHolder);
  return account && chosenOf(context, account, addressIn(argument), placeHolder, fits);
}

async function chosenOf(
  context: ViewContext,
  account: Account,
  named: string | undefined,
  placeHolder: string,
  fits: (contact: Contact) => boolean,
): Promise<Contact | undefined> {
  const contacts = await context.api.listContacts({ accountId: account.id });
  const known = contacts.find(({ address }) => address.toLowerCase() === named?.toLowerCase());
  if (known) return known;
  const items = contacts.filter(fits).map((contact) => {
    const look = markLook(markOf(contact), vscode.l10n);
    return {
      label: `$(${look.icon}) ${withoutIcons(contact.name || contact.address)}`,
      description: contact.address,
      detail: look.words,
      contact,
    };
  });
  if (items.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no contact that this could be done with.'));
    return undefined;
  }
  return (await pickOne(items, { placeHolder, matchOnDescription: true }))?.contact;
}
