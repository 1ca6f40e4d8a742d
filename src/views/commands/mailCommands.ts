import * as vscode from 'vscode';
import type { MailFlag } from '../../core/api.ts';
import type { CommandId } from '../commandIds.ts';
import type { MailTree } from '../mail/mailTree.ts';
import { folderIcon } from '../mail/folderNesting.ts';
import type { MessageTree } from '../messages/messageTree.ts';
import type { ReaderPanel } from '../reader/readerPanel.ts';
import type { ViewContext } from '../viewContext.ts';
import { accountIdIn, folderIn, messageIdsIn } from './commandArguments.ts';
import type { CommandHandlers } from './registerCommands.ts';

type MailCommandId = Extract<
  CommandId,
  | 'qumail.fetchMail'
  | 'qumail.openMessage'
  | 'qumail.markRead'
  | 'qumail.markUnread'
  | 'qumail.move'
  | 'qumail.delete'
  | 'qumail.loadMore'
  | 'qumail.openFolder'
>;

export interface MailViews {
  readonly context: ViewContext;
  readonly mail: MailTree;
  readonly messages: MessageTree;
  readonly reader: ReaderPanel;
}

/** Commands about messages that exist. */
export function mailCommands({ context, mail, messages, reader }: MailViews): Pick<CommandHandlers, MailCommandId> {
  const setSeen = async (args: readonly unknown[], seen: 'add' | 'remove'): Promise<void> => {
    const messageIds = messageIdsOf(args, messages, reader);
    if (messageIds.length === 0) return;
    const flags: readonly MailFlag[] = ['seen'];
    await context.run(
      vscode.l10n.t('Marking'),
      () => context.api.setFlags({ messageIds, add: seen === 'add' ? flags : [], remove: seen === 'remove' ? flags : [] }),
      { place: 'view' },
    );
  };
  return {
    async 'qumail.fetchMail'(argument) {
      const folder = folderIn(argument);
      const accountId = accountIdIn(argument);
      const request = folder ? { accountId: folder.accountId, folder: folder.path } : accountId === undefined ? {} : { accountId };
      if (!context.hasAccounts) return vscode.commands.executeCommand('qumail.signIn');
      return context.run(vscode.l10n.t('Fetching mail'), (signal) => context.api.fetchMail(request, { signal }), {
        place: 'view',
        viewId: 'qumail.mail',
        failure: {
          ...(accountId === undefined ? {} : { accountId }),
          retry: () => vscode.commands.executeCommand('qumail.fetchMail', argument),
        },
      });
    },
    async 'qumail.openMessage'(...args) {
      const [messageId] = messageIdsOf(args, messages, reader);
      if (messageId !== undefined) await reader.show(messageId);
    },
    'qumail.markRead': (...args) => setSeen(args, 'add'),
    'qumail.markUnread': (...args) => setSeen(args, 'remove'),
    async 'qumail.move'(...args) {
      const messageIds = messageIdsOf(args, messages, reader);
      const accountId = await accountOf(messageIds[0], context, messages);
      if (accountId === undefined) return;
      const folders = (await mail.foldersOf(accountId)).filter((folder) => folder.selectable && folder.path !== messages.folder?.path);
      const items = folders.map((folder) => ({
        label: `$(${folderIcon(folder.specialUse)}) ${folder.name}`,
        description: folder.path === folder.name ? '' : folder.path,
        folder: folder.path,
      }));
      const target = await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('Move to which folder?') });
      if (target)
        await context.run(vscode.l10n.t('Moving'), () => context.api.moveMessages({ messageIds, folder: target.folder }), {
          place: 'view',
        });
    },
    async 'qumail.delete'(...args) {
      const messageIds = messageIdsOf(args, messages, reader);
      if (messageIds.length === 0 || !(await mayDelete(messageIds, { mail, messages }))) return;
      await context.run(vscode.l10n.t('Deleting'), () => context.api.deleteMessages({ messageIds }), { place: 'view' });
    },
    'qumail.loadMore': () => messages.loadMore(),
    async 'qumail.openFolder'(argument) {
      const folder = folderIn(argument);
      if (folder) await messages.show(folder);
    },
  };
}

/** The messages a command is about: those it names, else the message being read, else the selected rows. */
export function messageIdsOf(args: readonly unknown[], messages: MessageTree, reader: ReaderPanel): readonly number[] {
  const named = messageIdsIn(args);
  if (named.length > 0) return named;
  const selected = messages.selection;
  const reading = reader.current === undefined ? [] : [reader.current];
  return isReaderActive() || selected.length === 0 ? [...reading, ...(reading.length === 0 ? selected : [])] : selected;
}

/** The account a message belongs to; messages out of sight are asked for. */
export async function accountOf(messageId: number | undefined, context: ViewContext, messages: MessageTree): Promise<string | undefined> {
  if (messageId === undefined) return undefined;
  return messages.find(messageId)?.accountId ?? (await context.api.openMessage({ messageId })).summary.accountId;
}

/** Shows the folder of sent mail as the server has it now. */
export async function openSent({ context, mail, messages }: MailViews, accountId: string): Promise<void> {
  const sent = (await mail.foldersOf(accountId)).find(({ specialUse }) => specialUse === 'sent');
  if (!sent) return void vscode.window.showInformationMessage(vscode.l10n.t('This account has no folder for sent mail.'));
  await messages.show(sent);
  await context.run(vscode.l10n.t('Fetching mail'), (signal) => context.api.fetchMail({ accountId, folder: sent.path }, { signal }), {
    place: 'view',
    failure: { accountId },
  });
}

function isReaderActive(): boolean {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputWebview && input.viewType.endsWith('qumail.reader');
}

/** Deleting from Trash is for ever, and asked about; elsewhere it is a move that can be taken back. */
async function mayDelete(messageIds: readonly number[], { mail, messages }: Pick<MailViews, 'mail' | 'messages'>): Promise<boolean> {
  const folder = messages.folder;
  if (!folder || !messageIds.some((id) => messages.find(id))) return true;
  const facts = (await mail.foldersOf(folder.accountId)).find(({ path }) => path === folder.path);
  if (facts?.specialUse !== 'trash') return true;
  const forEver = vscode.l10n.t('Delete');
  const question =
    messageIds.length === 1
      ? vscode.l10n.t('Delete this message for ever?')
      : vscode.l10n.t('Delete {0} messages for ever?', messageIds.length);
  return (await vscode.window.showWarningMessage(question, { modal: true }, forEver)) === forEver;
}
