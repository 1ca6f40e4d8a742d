import * as vscode from 'vscode';
import type { Draft } from '../../core/api.ts';
import { messageIdsIn } from '../commands/commandArguments.ts';
import type { MessageNode } from '../messages/messageNode.ts';
import type { MessageTree } from '../messages/messageTree.ts';
import type { ReaderPanel } from '../reader/readerPanel.ts';

/** The message a command about one is about: the one named, else the one being read, else the first selected row. */
export function messageIdsOf(args: readonly unknown[], messages: MessageTree, reader: ReaderPanel): readonly number[] {
  const named = messageIdsIn(args);
  if (named.length > 0) return named;
  const selected = messages.selection.flatMap((node) =>
    node.kind === 'more' ? [] : [node.kind === 'thread' ? node.thread.newest.id : node.message.id],
  );
  const reading = reader.current === undefined ? [] : [reader.current];
  return isReaderActive() || selected.length === 0 ? [...reading, ...(reading.length === 0 ? selected : [])] : selected;
}

/** The same for what is done to many: a conversation stands for all its messages in the folder on show. */
export async function targetIds(args: readonly unknown[], messages: MessageTree, reader: ReaderPanel): Promise<readonly number[]> {
  const [first, all] = args;
  const rows = (Array.isArray(all) && all.length > 0 ? all : [first]).filter(isRow);
  const fallback = messageIdsIn(args).length === 0 && !isReaderActive() ? messages.selection : [];
  const nodes = rows.length > 0 ? rows : fallback;
  if (nodes.length === 0) return messageIdsOf(args, messages, reader);
  const ids = await Promise.all(nodes.map((node) => messages.idsOf(node)));
  return [...new Set(ids.flat())];
}

/** The row that a command was called on, if it was called on one. */
export function rowIn([first]: readonly unknown[]): MessageNode | undefined {
  return isRow(first) ? first : undefined;
}

/** The draft a command is about: that of the row it was called on, else of the only row selected where nothing is being read. */
export function draftTarget(args: readonly unknown[], messages: MessageTree): Draft | undefined {
  const row = rowIn(args);
  if (row) return messages.draftOf(row);
  return messageIdsIn(args).length === 0 && !isReaderActive() ? messages.draftOf() : undefined;
}

function isReaderActive(): boolean {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputWebview && input.viewType.endsWith('qumail.reader');
}

/** A row of the Messages view: nobody else can make a conversation. */
function isRow(value: unknown): value is Exclude<MessageNode, { kind: 'more' }> {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, message, thread } = value as {
    kind?: unknown;
    message?: { id?: unknown };
    thread?: { threadId?: unknown; newest?: { id?: unknown } };
  };
  if (kind === 'message') return Number.isSafeInteger(message?.id);
  return kind === 'thread' && Number.isSafeInteger(thread?.threadId) && Number.isSafeInteger(thread?.newest?.id);
}
