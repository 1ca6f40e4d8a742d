import * as vscode from 'vscode';
import { chatCommands, fromChatPage } from '../commands/chatCommands.ts';
import type { ViewContext } from '../viewContext.ts';
import { ChatAlerts } from './chatAlerts.ts';
import { ChatDecorations } from './chatItems.ts';
import { ChatPanels } from './chatPanels.ts';
import { ChatTree } from './chatTree.ts';

/** Everything that shows chats. */
export interface ChatViews extends vscode.Disposable {
  readonly tree: ChatTree;
  readonly panels: ChatPanels;
  readonly commands: ReturnType<typeof chatCommands>;
}

/** Builds the Chats view, the panels and their commands. */
export function buildChatViews(context: ViewContext, isWanted: () => boolean): ChatViews {
  const tree = new ChatTree(context);
  const panels = new ChatPanels(context, (command, panel) => fromChatPage(context, command, panel));
  const owned = vscode.Disposable.from(
    tree,
    panels,
    new ChatAlerts(context, tree, panels, isWanted),
    vscode.window.registerFileDecorationProvider(new ChatDecorations()),
  );
  return { tree, panels, commands: chatCommands(context, tree, panels), dispose: () => void owned.dispose() };
}
