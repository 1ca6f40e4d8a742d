import * as vscode from 'vscode';
import type { MailActions } from '../actions/mailActions.ts';
import { draftTarget, messageIdsOf, targetIds } from '../actions/actionTargets.ts';
import { pickOne } from '../box.ts';
import type { CommandId } from '../commandIds.ts';
import type { MailTree } from '../mail/mailTree.ts';
import { folderIcon } from '../mail/folderNesting.ts';
import { listSourceIn } from '../messages/listSource.ts';
import type { MessageTree } from '../messages/messageTree.ts';
import type { ReaderPanel } from '../reader/readerPanel.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { accountIdIn, folderIn, madeRoleIn } from './commandArguments.ts';
import type { CommandHandlers } from './registerCommands.ts';

type MailCommandId = Extract<
  CommandId,
  | 'qumail.fetchMail'
  | 'qumail.openMessage'
  | 'qumail.move'
  | 'qumail.delete'
  | 'qumail.createFolder'
  | 'qumail.showProtection'
  | 'qumail.loadMore'
  | 'qumail.openFolder'
  | 'qumail.openList'
  | 'qumail.showThreads'
  | 'qumail.showMessages'
>;

export interface MailViews {
  readonly context: ViewContext;
  readonly mail: MailTree;
  readonly messages: MessageTree;
  readonly reader: ReaderPanel;
  readonly actions: MailActions;
}

/** Commands about messages that exist, and what lists them. */
export function mailCommands(views: MailViews): Pick<CommandHandlers, MailCommandId> {
  const { context, messages, reader, actions } = views;
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
    async 'qumail.showProtection'(...args) {
      const [messageId] = messageIdsOf(args, messages, reader);
      if (messageId !== undefined) await reader.showProtection(messageId);
    },
    async 'qumail.move'(...args) {
      const messageIds = await targetIds(args, messages, reader);
      const target = await pickTarget(messageIds, views);
      if (target) await actions.perform('move', messageIds, (api) => api.moveMessages({ messageIds, ...target }));
    },
    async 'qumail.delete'(...args) {
      const draft = draftTarget(args, messages);
      if (draft) return void (await vscode.commands.executeCommand('qumail.deleteDraft', draft.id));
      const messageIds = await targetIds(args, messages, reader);
      if (messageIds.length > 0) await actions.delete(messageIds);
    },
    async 'qumail.createFolder'(argument) {
      const accountId = accountIdIn(argument);
      const role = madeRoleIn(argument);
      if (accountId === undefined || role === undefined) return false;
      return (await actions.createFolder(accountId, role)) !== undefined;
    },
    'qumail.loadMore': () => messages.loadMore(),
    async 'qumail.openFolder'(argument) {
      const folder = folderIn(argument);
      if (folder) await messages.show(folder);
    },
    async 'qumail.openList'(argument) {
      const source = listSourceIn(argument);
      if (source) await messages.show(source);
    },
    'qumail.showThreads': () => messages.setLayout('threads'),
    'qumail.showMessages': () => messages.setLayout('messages'),
  };
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
  await messages.show({ kind: 'folder', accountId: sent.accountId, path: sent.path });
  const request = { accountId, folder: sent.path, filling: 'as-it-is' } as const;
  await context.run(vscode.l10n.t('Fetching mail'), (signal) => context.api.fetchMail(request, { signal }), {
    place: 'view',
    failure: { accountId },
  });
}

/** Asks which folder to move to. Folders belong to an account, so messages of several have no folder in common. */
async function pickTarget(
  messageIds: readonly number[],
  { context, mail, messages }: MailViews,
): Promise<{ accountId: string; folder: string } | undefined> {
  const accountId = await accountOf(messageIds[0], context, messages);
  if (accountId === undefined) return undefined;
  if (messageIds.some((id) => (messages.find(id)?.accountId ?? accountId) !== accountId)) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('These messages are in several accounts. Move those of one account at a time.'),
    );
    return undefined;
  }
  const folders = (await mail.foldersOf(accountId)).filter((folder) => folder.selectable && folder.path !== messages.folder?.path);
  const items = folders.map((folder) => ({
    label: `$(${folderIcon(folder.specialUse)}) ${withoutIcons(folder.name)}`,
    description: folder.path === folder.name ? '' : withoutIcons(folder.path),
    folder: folder.path,
  }));
  const picked = await pickOne(items, { placeHolder: vscode.l10n.t('Move to which folder?') });
  return picked && { accountId, folder: picked.folder };
}
