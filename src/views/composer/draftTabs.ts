import * as vscode from 'vscode';
import { DRAFT_SCHEME, draftIdOf } from './draftUri.ts';

/** The draft a tab shows, if it shows one. */
export function draftOfTab(tab: vscode.Tab): vscode.Uri | undefined {
  return tab.input instanceof vscode.TabInputText && tab.input.uri.scheme === DRAFT_SCHEME ? tab.input.uri : undefined;
}

/** Every tab that shows a draft, in any window group; of one draft only where its address or id is given. */
export function draftTabs(draft?: vscode.Uri | string): vscode.Tab[] {
  const isWanted = (shown: vscode.Uri): boolean =>
    draft === undefined || (typeof draft === 'string' ? draftIdOf(shown) === draft : shown.toString() === draft.toString());
  return vscode.window.tabGroups.all.flatMap(({ tabs }) =>
    tabs.filter((tab) => {
      const shown = draftOfTab(tab);
      return shown !== undefined && isWanted(shown);
    }),
  );
}

/** Where a draft is on show. Its address has its subject in it, which changes while it is written: opened by another, it would be there twice. */
export function shownAt(draftId: string): vscode.Uri | undefined {
  const [tab] = draftTabs(draftId);
  return tab && draftOfTab(tab);
}

/** Closes the tabs of a draft, or of all drafts. */
export async function closeTabs(draft?: vscode.Uri | string): Promise<void> {
  const tabs = draftTabs(draft);
  if (tabs.length > 0) await vscode.window.tabGroups.close(tabs, true);
}
