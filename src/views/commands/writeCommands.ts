import * as vscode from 'vscode';
import type { DraftSource } from '../../core/api.ts';
import type { CommandId } from '../commandIds.ts';
import type { Composer } from '../composer/composer.ts';
import { DRAFT_SCHEME } from '../composer/draftUri.ts';
import { accountIdIn, addressIn } from './commandArguments.ts';
import { messageIdsOf } from '../actions/actionTargets.ts';
import { accountOf, type MailViews } from './mailCommands.ts';
import { pickAccount } from './pickAccount.ts';
import type { CommandHandlers } from './registerCommands.ts';

type WriteCommandId = Extract<
  CommandId,
  | 'qumail.newMessage'
  | 'qumail.openDraft'
  | 'qumail.attachFile'
  | 'qumail.secureSend'
  | 'qumail.reply'
  | 'qumail.replyAll'
  | 'qumail.forward'
  | 'qumail.chooseSecurityLevel'
  | 'qumail.sendLater'
  | 'qumail.showDraftState'
>;

/** Commands about messages being written or sent. */
export function writeCommands(views: MailViews, composer: Composer): Pick<CommandHandlers, WriteCommandId> {
  const { context, messages, reader } = views;
  const answer = async (kind: Extract<DraftSource, { messageId: number }>['kind'], args: readonly unknown[]): Promise<void> => {
    const [messageId] = messageIdsOf(args, messages, reader);
    if (messageId === undefined) return void vscode.window.showInformationMessage(vscode.l10n.t('Select or open a message first.'));
    const accountId = await accountOf(messageId, context, messages);
    if (accountId !== undefined) await composer.open(accountId, { kind, messageId });
  };
  const newMessage: CommandHandlers['qumail.newMessage'] = async (argument) => {
    const account = await pickAccount(
      context,
      accountIdIn(argument) ?? messages.folder?.accountId,
      vscode.l10n.t('Write from which account?'),
    );
    const to = addressIn(argument);
    if (account) await composer.open(account.id, { kind: 'new', ...(to === undefined ? {} : { to: [to] }) });
  };
  return {
    'qumail.newMessage': newMessage,
    'qumail.secureSend': (argument) => (draftUri(argument) ? composer.send(draftUri(argument)) : newMessage(undefined)),
    'qumail.sendLater': (argument) => composer.sendLater(draftUri(argument)),
    'qumail.showDraftState': (argument) => composer.tellState(draftUri(argument)),
    'qumail.openDraft': (argument) => composer.openDraft(typeof argument === 'string' ? argument : undefined),
    'qumail.attachFile': (argument) => composer.attach(draftUri(argument)),
    'qumail.reply': (...args) => answer('reply', args),
    'qumail.replyAll': (...args) => answer('reply-all', args),
    'qumail.forward': (...args) => answer('forward', args),
    'qumail.chooseSecurityLevel': (argument) => composer.chooseLevel(draftUri(argument)),
  };
}

/** The draft a command is about: the one named, else the one in the active editor. */
function draftUri(argument: unknown): vscode.Uri | undefined {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === DRAFT_SCHEME ? uri : undefined;
}
