import * as vscode from 'vscode';
import type { DraftSource, OutboxEntry } from '../../core/api.ts';
import type { CommandId } from '../commandIds.ts';
import type { Composer } from '../composer/composer.ts';
import { DRAFT_SCHEME } from '../composer/draftUri.ts';
import { sentenceOf } from '../present.ts';
import { accountIdIn, addressIn } from './commandArguments.ts';
import { accountOf, messageIdsOf, type MailViews } from './mailCommands.ts';
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
  | 'qumail.showOutbox'
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
    'qumail.openDraft': (argument) => composer.openDraft(typeof argument === 'string' ? argument : undefined),
    'qumail.attachFile': (argument) => composer.attach(draftUri(argument)),
    'qumail.reply': (...args) => answer('reply', args),
    'qumail.replyAll': (...args) => answer('reply-all', args),
    'qumail.forward': (...args) => answer('forward', args),
    'qumail.chooseSecurityLevel': (argument) => composer.chooseLevel(draftUri(argument)),
    'qumail.showOutbox': () => showOutbox(views),
  };
}

/** The draft a command is about: the one named, else the one in the active editor. */
function draftUri(argument: unknown): vscode.Uri | undefined {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === DRAFT_SCHEME ? uri : undefined;
}

/** What waits to be sent, with a way to send it again or to give it up. */
async function showOutbox({ context }: Pick<MailViews, 'context'>): Promise<void> {
  const entries = await context.api.listOutbox();
  if (entries.length === 0) return void vscode.window.showInformationMessage(vscode.l10n.t('The outbox is empty: everything was sent.'));
  const entry = (
    await vscode.window.showQuickPick(entries.map(outboxItem), { placeHolder: vscode.l10n.t('Outbox'), matchOnDescription: true })
  )?.entry;
  if (!entry) return;
  const retry = vscode.l10n.t('Send Again');
  const discard = vscode.l10n.t('Discard');
  const why = entry.failure ? sentenceOf(entry.failure, vscode.l10n) : stateText(entry.state);
  const choice = await vscode.window.showInformationMessage(entry.subject, { modal: true, detail: why }, retry, discard);
  const about = { failure: { accountId: entry.accountId, retry: () => vscode.commands.executeCommand('qumail.showOutbox') } };
  if (choice === retry)
    await context.run(vscode.l10n.t('Sending'), (signal) => context.api.retryOutbox({ outboxId: entry.id }, { signal }), about);
  if (choice === discard) await context.run(vscode.l10n.t('Discarding'), () => context.api.discardOutbox({ outboxId: entry.id }), about);
}

function outboxItem(entry: OutboxEntry): vscode.QuickPickItem & { entry: OutboxEntry } {
  return {
    label: entry.subject || vscode.l10n.t('(no subject)'),
    description: `${entry.level} · ${entry.to.join(', ')}`,
    detail: stateText(entry.state),
    entry,
  };
}

function stateText(state: OutboxEntry['state']): string {
  const texts: Record<OutboxEntry['state'], string> = {
    queued: vscode.l10n.t('Will be sent'),
    sending: vscode.l10n.t('Being sent'),
    waiting: vscode.l10n.t('The server asked to wait; QuMail tries again'),
    rejected: vscode.l10n.t('Refused by the server'),
    'acceptance-unknown': vscode.l10n.t('May have been sent: the connection broke before the server confirmed'),
  };
  return texts[state];
}
