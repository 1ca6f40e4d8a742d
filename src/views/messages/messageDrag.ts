import * as vscode from 'vscode';

/** What a drag out of the message list carries: message ids, which stay inside this extension. */
export const MESSAGES_MIME = 'application/vnd.code.tree.qumail.messages';

export function dragMessages(data: vscode.DataTransfer, messageIds: readonly number[]): void {
  data.set(MESSAGES_MIME, new vscode.DataTransferItem(JSON.stringify(messageIds)));
}

/** The ids of a drop; anything else that was dropped counts as nothing. */
export async function messageIdsOfDrag(data: vscode.DataTransfer): Promise<number[]> {
  const ids: number[] = [];
  // VS Code puts an entry of its own, with what its rows are called, under the same type and before ours.
  for (const [type, item] of data) if (type === MESSAGES_MIME) ids.push(...idsIn(await item.asString()));
  return ids;
}

function idsIn(text: string): number[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((id) => Number.isSafeInteger(id)) : [];
  } catch {
    return [];
  }
}
