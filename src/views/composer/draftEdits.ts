import * as vscode from 'vscode';
import type { LineEdit } from './draftLines.ts';

/** Adds a line edit to a workspace edit. A line inserted after the last one brings its own line break before it. */
export function applyLineEdit(edit: vscode.WorkspaceEdit, document: vscode.TextDocument, change: LineEdit): void {
  if (change.kind === 'replace')
    edit.replace(document.uri, new vscode.Range(change.line, change.from, change.line, change.to), change.text);
  else if (change.line >= document.lineCount)
    edit.insert(document.uri, document.lineAt(document.lineCount - 1).range.end, `\n${change.text.replace(/\n$/, '')}`);
  else edit.insert(document.uri, new vscode.Position(change.line, 0), change.text);
}
