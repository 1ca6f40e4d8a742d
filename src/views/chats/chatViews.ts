import * as vscode from 'vscode';
import { chatCommands, fromChatPage } from '../commands/chatCommands.ts';
import type { ViewContext } from '../viewContext.ts';
import { ChatAlerts } from './chatAlerts.ts';
import { ChatDecorations } from './chatItems.ts';
import { ChatPanels } from './chatPanels.ts';
import { ChatPictures } from './chatPictures.ts';
import { ChatTree } from './chatTree.ts';
import { KeptChatSearch } from './keptChatSearch.ts';

/** Everything that shows chats. */
export interface ChatViews extends vscode.Disposable {
  readonly tree: ChatTree;
  readonly panels: ChatPanels;
  /** Takes everything that was said off the screen. */
  readonly hide: () => void;
  readonly commands: ReturnType<typeof chatCommands>;
}

/** Builds the Chats view, the panels and their commands. */
export function buildChatViews(context: ViewContext, isWanted: () => boolean): ChatViews {
  const pictures = new ChatPictures(context);
  const kept = new KeptChatSearch(context);
  const tree = new ChatTree(context, pictures, kept);
  const panels: ChatPanels = new ChatPanels(context, pictures, (command, panel) =>
    fromChatPage(context, { pictures, panels }, command, panel),
  );
  const owned = vscode.Disposable.from(
    kept,
    tree,
    panels,
    new ChatAlerts(context, tree, panels, isWanted),
    vscode.window.registerFileDecorationProvider(new ChatDecorations()),
  );
  const hide = (): void => {
    panels.closeAll();
    kept.close();
  };
  return { tree, panels, commands: chatCommands(context, { tree, panels, pictures, kept }), hide, dispose: () => void owned.dispose() };
}
