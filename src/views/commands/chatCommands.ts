import * as vscode from 'vscode';
import type { Chat } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import { changeMember, showMembers, type MemberViews } from '../chats/chatMembers.ts';
import type { ChatPanel } from '../chats/chatPanel.ts';
import type { ChatPanels } from '../chats/chatPanels.ts';
import { searchChats } from '../chats/chatSearch.ts';
import {
  changeMinimumLevel,
  changePicture,
  changeReceipts,
  changeTimer,
  forgetChat,
  leaveChat,
  pickNextLevel,
  renameChat,
} from '../chats/chatSettings.ts';
import type { KeptChatSearch } from '../chats/keptChatSearch.ts';
import type { ChatTree } from '../chats/chatTree.ts';
import { newChat } from '../chats/newChat.ts';
import type { CommandId } from '../commandIds.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { accountIdIn, addressIn, chatIdIn } from './commandArguments.ts';
import { pickAccount } from './pickAccount.ts';
import type { CommandHandlers } from './registerCommands.ts';

type ChatCommandId = Extract<
  CommandId,
  `qumail.${string}Chat` | 'qumail.searchChats' | `qumail.chat${string}` | `qumail.${string}Chat${string}`
>;

interface ChatCommandViews extends MemberViews {
  readonly tree: ChatTree;
  readonly kept: KeptChatSearch;
}

/** Commands about chats. */
export function chatCommands(context: ViewContext, views: ChatCommandViews): Pick<CommandHandlers, ChatCommandId> {
  const { tree, panels, kept } = views;
  const about =
    (act: (context: ViewContext, chat: Chat) => unknown, only: 'group' | 'any' = 'group') =>
    async (argument: unknown): Promise<void> => {
      const chat = await chatFor(context, tree, panels, argument, only);
      if (chat) await act(context, chat);
    };
  return {
    async 'qumail.newChat'(argument) {
      const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('Chat from which account?'));
      const address = addressIn(argument);
      const chat = account && (await newChat(context, account, address === undefined ? [] : [address]));
      if (chat) panels.show(chat.id);
    },
    async 'qumail.openChat'(argument, messageId) {
      const chat = await chatFor(context, tree, panels, argument, 'any');
      if (chat) panels.show(chat.id, typeof messageId === 'string' ? messageId : undefined);
    },
    'qumail.renameChat': about(renameChat),
    'qumail.addChatMember': about((_, chat) => changeMember(context, chat, 'add')),
    'qumail.removeChatMember': about((_, chat) => changeMember(context, chat, 'remove')),
    'qumail.makeChatAdmin': about((_, chat) => changeMember(context, chat, 'grant')),
    'qumail.unmakeChatAdmin': about((_, chat) => changeMember(context, chat, 'revoke')),
    'qumail.chatPicture': about((_, chat) => changePicture(context, panels, chat)),
    'qumail.chatMinimumLevel': about(changeMinimumLevel, 'any'),
    'qumail.chatTimer': about(changeTimer, 'any'),
    'qumail.chatReceipts': about(changeReceipts, 'any'),
    'qumail.chatMembers': about((_, chat) => showMembers(context, views, chat), 'any'),
    'qumail.searchChats': () => searchChats(context, kept, panels),
    'qumail.closeChatSearch': () => kept.close(),
    'qumail.leaveChat': about(leaveChat),
    'qumail.forgetChat': about(async (_, chat) => {
      if (await forgetChat(context, chat)) panels.close(chat.id);
    }, 'any'),
  };
}

/** What the head of a chat's page offers. */
export async function fromChatPage(
  context: ViewContext,
  views: MemberViews,
  command: 'members' | 'more' | 'level',
  panel: ChatPanel,
): Promise<void> {
  const { chat } = panel;
  if (!chat) return;
  if (command === 'members') return showMembers(context, views, chat);
  if (command === 'level') {
    const level = await pickNextLevel(context, chat, panel.level);
    if (level) await panel.setLevel(level);
    return;
  }
  const item = (id: ChatCommandId, icon: string, label: string): vscode.QuickPickItem & { id: ChatCommandId } => ({
    label: `$(${icon}) ${label}`,
    id,
  });
  const items = [
    item('qumail.chatMembers', 'verified', vscode.l10n.t('Members & Safety')),
    item('qumail.chatTimer', 'watch', vscode.l10n.t('Disappearing Messages')),
    item('qumail.chatReceipts', 'check-all', vscode.l10n.t('Receipts')),
    item('qumail.chatMinimumLevel', 'shield', vscode.l10n.t('Minimum Level')),
    ...(chat.kind === 'group'
      ? [
          item('qumail.addChatMember', 'person-add', vscode.l10n.t('Add Member')),
          item('qumail.removeChatMember', 'close', vscode.l10n.t('Remove Member')),
          item('qumail.makeChatAdmin', 'key', vscode.l10n.t('Make Administrator')),
          item('qumail.unmakeChatAdmin', 'lock', vscode.l10n.t('Unmake Administrator')),
          item('qumail.renameChat', 'edit', vscode.l10n.t('Rename')),
          item('qumail.chatPicture', 'file-media', vscode.l10n.t('Picture')),
          item('qumail.leaveChat', 'sign-out', vscode.l10n.t('Leave')),
        ]
      : []),
    item('qumail.forgetChat', 'trash', vscode.l10n.t('Forget')),
  ];
  const picked = await pickOne(items, { title: chat.name });
  if (picked) await vscode.commands.executeCommand(picked.id, chat.id);
}

/** The chat a command is about: the one named, the one on show, or the one picked. */
async function chatFor(
  context: ViewContext,
  tree: ChatTree,
  panels: ChatPanels,
  argument: unknown,
  only: 'group' | 'any',
): Promise<Chat | undefined> {
  const named = chatIdIn(argument) ?? panels.active;
  if (named !== undefined) return context.api.getChat({ chatId: named });
  if (!context.hasAccounts || argument !== undefined) return undefined;
  await tree.reload();
  const chats = tree.chats.filter(({ kind }) => only === 'any' || kind === 'group');
  if (chats.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no chat for this.'));
    return undefined;
  }
  const items = chats.map((chat) => ({
    label: withoutIcons(chat.name),
    description: withoutIcons(chat.lastMessage?.text ?? ''),
    id: chat.id,
  }));
  const picked = await pickOne(items, { placeHolder: vscode.l10n.t('Which chat?') });
  return picked && context.api.getChat({ chatId: picked.id });
}
