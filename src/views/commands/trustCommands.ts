import * as vscode from 'vscode';
import { askText } from '../box.ts';
import type { CommandId } from '../commandIds.ts';
import {
  discoverCertificate,
  exportCard,
  exportCertificate,
  forgetCertificate,
  importCard,
  importCertificate,
} from '../trust/certificateFiles.ts';
import { reviewKeyChange } from '../trust/keyChange.ts';
import { pickContact } from '../trust/pickContact.ts';
import type { TrustPanel } from '../trust/trustPanel.ts';
import type { ViewContext } from '../viewContext.ts';
import { accountIdIn, addressIn } from './commandArguments.ts';
import { pickAccount } from './pickAccount.ts';
import type { CommandHandlers } from './registerCommands.ts';

type TrustCommandId = Extract<
  CommandId,
  | 'qumail.verifyContact'
  | 'qumail.reviewKeyChange'
  | 'qumail.discoverCertificate'
  | 'qumail.showContactCard'
  | 'qumail.exportContactCard'
  | 'qumail.importContactCard'
  | 'qumail.exportCertificate'
  | 'qumail.importCertificate'
  | 'qumail.forgetCertificate'
>;

/** Commands about who somebody is: certificates, cards, comparison. */
export function trustCommands(context: ViewContext, panel: TrustPanel): Pick<CommandHandlers, TrustCommandId> {
  const l10n = vscode.l10n;
  return {
    async 'qumail.verifyContact'(argument) {
      const contact = await pickContact(
        context,
        argument,
        l10n.t('Verify which contact?'),
        ({ certificate }) => certificate?.facts !== undefined,
      );
      if (!contact) return;
      if (contact.keyChange?.effect === 'blocks') return reviewKeyChange(context, panel, contact);
      try {
        await panel.showSafetyNumber(contact);
      } catch (error) {
        await context.showFailure(error, { accountId: contact.accountId, contact: contact.address });
      }
    },
    async 'qumail.reviewKeyChange'(argument) {
      const contact = await pickContact(
        context,
        argument,
        l10n.t('Review the change of which contact?'),
        ({ keyChange }) => keyChange !== undefined,
      );
      if (contact) await reviewKeyChange(context, panel, contact);
    },
    async 'qumail.discoverCertificate'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), l10n.t('Find a certificate for which account?'));
      if (!account) return;
      const address =
        addressIn(argument) ??
        (await askText({
          prompt: l10n.t('Address whose certificate to look for. Only the key directory of its domain is asked.'),
          placeHolder: 'bob@example.org',
        }));
      if (address) await discoverCertificate(context, account.id, address.trim());
    },
    async 'qumail.showContactCard'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), l10n.t('Show the contact card of which account?'));
      if (account) await panel.showCard(account);
    },
    async 'qumail.exportContactCard'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), l10n.t('Export the contact card of which account?'));
      if (account) await exportCard(context, account);
    },
    async 'qumail.importContactCard'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), l10n.t('Import a contact card into which account?'));
      if (account) await importCard(context, account);
    },
    async 'qumail.exportCertificate'(argument) {
      // The row of the own certificate names no address.
      const own =
        addressIn(argument) === undefined
          ? await pickAccount(context, accountIdIn(argument), l10n.t('Export the certificate of which account?'))
          : undefined;
      if (own) return exportCertificate(context, own.id, undefined);
      const contact =
        addressIn(argument) === undefined
          ? undefined
          : await pickContact(context, argument, l10n.t('Export the certificate of which contact?'));
      if (contact) await exportCertificate(context, contact.accountId, contact);
    },
    async 'qumail.importCertificate'(argument) {
      const contact = await pickContact(context, argument, l10n.t('Import the certificate of which contact?'));
      if (contact) await importCertificate(context, contact);
    },
    async 'qumail.forgetCertificate'(argument) {
      const contact = await pickContact(
        context,
        argument,
        l10n.t('Forget the certificate of which contact?'),
        ({ certificate }) => certificate !== undefined,
      );
      if (contact) await forgetCertificate(context, contact);
    },
  };
}
