import * as vscode from 'vscode';
import { DRAFT_SCHEME } from './draftUri.ts';

/** The draft a tab shows, if it shows one. */
export function draftOfTab(tab: vscode.Tab): vscode.Uri | undefined {
  return tab.input instanceof vscode.TabInputText && tab.input.uri.scheme === DRAFT_SCHEME ? tab.input.uri : undefined;
}

/** Every tab that shows a draft, in any window group; of one draft only where `uri` is given. */
export function draftTabs(uri?: vscode.Uri): vscode.Tab[] {
  const wanted = uri?.toString();
  return vscode.window.tabGroups.all.flatMap(({ tabs }) =>
    tabs.filter((tab) => {
      const shown = draftOfTab(tab)?.toString();
      return shown !== undefined && (wanted === undefined || shown === wanted);
    }),
  );
}

/** Closes the tabs of a draft. */
export async function closeTabs(uri?: vscode.Uri): Promise<void> {
  const tabs = draftTabs(uri);
  if (tabs.length > 0) await vscode.window.tabGroups.close(tabs, true);
}
