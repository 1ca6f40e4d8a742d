import * as vscode from 'vscode';
import type { CommandId } from '../commandIds.ts';
import { levelLabel } from '../labels.ts';
import type { DraftChecker } from './draftChecker.ts';
import { isDraft } from './draftChecker.ts';
import { bodyLineOf, placeAt } from './draftLines.ts';
import type { DraftStates } from './draftStates.ts';
import { draftStateWords } from './draftStateText.ts';
import { keyCost, levelAndCost, levelIcon, whatLevelTakes, whatOpenPgpTakes, whyNotLevel } from './levels.ts';

/**
 * Between headers and text: the level and what it costs, Send, Attach, where it is saved. Not above the first line, where VS Code keeps what
 * is in view in its place and the lenses would appear out of sight. On the Security line: what the level takes.
 */
export class DraftLenses implements vscode.CodeLensProvider, vscode.HoverProvider {
  readonly #checker: DraftChecker;
  readonly #states: DraftStates;
  readonly onDidChangeCodeLenses: vscode.Event<void>;

  constructor(checker: DraftChecker, states: DraftStates) {
    this.#checker = checker;
    this.#states = states;
    this.onDidChangeCodeLenses = (listener, self, disposables) =>
      vscode.Disposable.from(
        checker.onDidCheck(() => listener.call(self), undefined, disposables),
        states.onDidChange(listener, self, disposables),
      );
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!isDraft(document)) return [];
    const check = this.#checker.resultOf(document);
    const state = this.#states.stateOf(document);
    const saved = state && draftStateWords(state, vscode.l10n);
    const separator = Math.max(bodyLineOf(document.getText().split(/\r?\n/)) - 1, 0);
    const place = new vscode.Range(separator, 0, separator, 0);
    const lens = (title: string, command: CommandId, tooltip: string): vscode.CodeLens =>
      new vscode.CodeLens(place, { title, command, tooltip, arguments: [document.uri] });
    return [
      ...(check
        ? [
            lens(
              `$(${levelIcon(check.level)}) ${levelAndCost(check, vscode.l10n)}`,
              'qumail.chooseSecurityLevel',
              vscode.l10n.t('Choose Security Level'),
            ),
          ]
        : []),
      lens(`$(send) ${vscode.l10n.t('Send')}`, 'qumail.secureSend', vscode.l10n.t('Send at exactly this level')),
      lens(`$(attach) ${vscode.l10n.t('Attach File…')}`, 'qumail.attachFile', vscode.l10n.t('Attach files')),
      ...(saved ? [lens(`$(${saved.icon}) ${saved.text}`, 'qumail.showDraftState', saved.detail)] : []),
    ];
  }

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | undefined {
    const check = this.#checker.resultOf(document);
    if (!check || !isDraft(document)) return undefined;
    const place = placeAt(document.getText().split(/\r?\n/), position.line, Number.MAX_SAFE_INTEGER);
    if (place.kind !== 'value' || place.header.name !== 'Security') return undefined;
    const words = new vscode.MarkdownString();
    words.appendMarkdown('**');
    words.appendText(check.openPgp === 'chosen' ? 'OpenPGP' : levelLabel(check.level, vscode.l10n));
    words.appendMarkdown('**\n\n');
    words.appendText(check.openPgp === 'chosen' ? whatOpenPgpTakes(vscode.l10n) : whatLevelTakes(check.level, vscode.l10n));
    words.appendMarkdown('\n\n');
    words.appendText(
      check.possible.includes(check.level)
        ? vscode.l10n.t('As written: {0}.', keyCost(check, vscode.l10n))
        : whyNotLevel(check.level, vscode.l10n),
    );
    return new vscode.Hover(words, document.lineAt(position.line).range);
  }
}
