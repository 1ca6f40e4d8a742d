import * as vscode from 'vscode';
import type { MessageSummary } from '../../core/api.ts';

const SCHEME = 'qumail-message';

/** The address a row carries so that it can be decorated; it names no document. */
export function rowUri(message: Pick<MessageSummary, 'id' | 'flags'>): vscode.Uri {
  const state = message.flags.includes('seen') ? 'seen' : 'unread';
  return vscode.Uri.from({ scheme: SCHEME, path: `/${message.id}`, query: state });
}

/** A dot and a colour on rows of unread messages. */
export class UnreadDecorations implements vscode.FileDecorationProvider {
  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== SCHEME || uri.query !== 'unread') return undefined;
    return new vscode.FileDecoration('●', vscode.l10n.t('Unread'), new vscode.ThemeColor('list.highlightForeground'));
  }
}
