import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import { showBox } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { sentenceOf } from '../present.ts';
import { withoutIcons } from '../withoutIcons.ts';
import type { ChatHit } from './chatHits.ts';
import type { ChatPanels } from './chatPanels.ts';
import { findLines, type KeptChatSearch } from './keptChatSearch.ts';

/** A search begins when the hands have rested this long. */
const REST_MS = 150;

interface Row extends vscode.QuickPickItem {
  readonly hit?: ChatHit;
}

/** Asks what to look for in all chats, shows what is found as one types, and opens the chat at the line that is chosen. */
export function searchChats(context: ViewContext, kept: KeptChatSearch, panels: ChatPanels): void {
  if (!context.hasAccounts) return;
  const box = vscode.window.createQuickPick<Row>();
  const keep: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('list-flat'),
    tooltip: vscode.l10n.t('Show all results in the Chats view'),
  };
  box.title = vscode.l10n.t('Search All Chats');
  box.placeholder = vscode.l10n.t('Words of a message, or the name of a file');
  box.buttons = [keep];
  let searched = 0;
  let timer: NodeJS.Timeout | undefined;
  const search = async (): Promise<void> => {
    const text = box.value.trim();
    const mine = ++searched;
    box.busy = text !== '';
    const rows = text === '' ? [] : await rowsOf(context, text);
    // What was typed since counts, and nothing else.
    if (mine !== searched) return;
    box.busy = false;
    box.items = rows;
  };
  box.onDidChangeValue(() => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(), REST_MS);
  });
  box.onDidTriggerButton(() => {
    const text = box.value.trim();
    box.hide();
    if (text !== '') void kept.keep(text).then(() => vscode.commands.executeCommand('qumail.chats.focus'));
  });
  box.onDidAccept(() => {
    const hit = box.selectedItems[0]?.hit;
    if (!hit) return;
    box.hide();
    panels.show(hit.chatId, hit.messageId);
  });
  box.onDidHide(() => {
    searched += 1;
    clearTimeout(timer);
    box.dispose();
  });
  showBox(box);
}

async function rowsOf(context: ViewContext, text: string): Promise<readonly Row[]> {
  try {
    const hits = await findLines(context, text);
    if (hits.length === 0) return [{ label: vscode.l10n.t('Nothing found'), alwaysShow: true }];
    return hits.map((hit) => ({ label: withoutIcons(hit.excerpt), detail: withoutIcons(hit.about), alwaysShow: true, hit }));
  } catch (error) {
    const { code, details } = QuMailError.from(error);
    return [{ label: `$(error) ${sentenceOf({ code, details }, vscode.l10n)}`, alwaysShow: true }];
  }
}
