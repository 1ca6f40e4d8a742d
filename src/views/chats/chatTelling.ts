import * as vscode from 'vscode';
import type { Chat, ChatLevel, ChatMessage } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { shownChat, shownLine } from './chatModel.ts';
import type { ShownChat, ShownLine } from './chatProtocol.ts';

/** The head of a chat's page in this person's language; names the account where there are several. */
export function tellChat(chat: Chat, level: ChatLevel | undefined, { accounts }: Pick<ViewContext, 'accounts'>): ShownChat {
  const account = accounts.length > 1 ? accounts.find(({ id }) => id === chat.accountId)?.email : undefined;
  return shownChat(chat, level, vscode.l10n, account);
}

/** How the lines of a chat are told now. */
export function lineTeller(chat: Chat): (message: ChatMessage) => ShownLine {
  const telling = {
    l10n: vscode.l10n,
    language: vscode.env.language,
    now: Date.now(),
    self: chat.members.find(({ self }) => self)?.address ?? '',
    others: chat.members.filter(({ self }) => !self).map(({ address }) => address),
    nameOf: (address: string): string => chat.members.find((member) => member.address === address)?.name || address,
  };
  return (message) => shownLine(message, telling);
}
