import * as vscode from 'vscode';

/** For what takes starting an engine and its servers. */
export const LIMIT_MS = 60_000;

/** Resolves once `look` finds something, looking anew whenever tabs or documents change. */
export async function until<T>(look: () => T | undefined, what: string): Promise<T> {
  const found = look();
  if (found !== undefined) return found;
  const subscriptions: vscode.Disposable[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const again = (): void => {
        const now = look();
        if (now !== undefined) resolve(now);
      };
      subscriptions.push(
        vscode.window.onDidChangeActiveTextEditor(again),
        vscode.window.tabGroups.onDidChangeTabs(again),
        vscode.workspace.onDidChangeTextDocument(again),
      );
      timer = setTimeout(() => reject(new Error(`${what} did not happen within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    });
  } finally {
    clearTimeout(timer);
    for (const subscription of subscriptions) subscription.dispose();
  }
}
