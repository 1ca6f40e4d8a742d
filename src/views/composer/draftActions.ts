import * as vscode from 'vscode';
import type { ErrorCode, SecurityLevel } from '../../core/api.ts';
import type { CommandId } from '../commandIds.ts';
import { levelLabel } from '../labels.ts';
import type { DraftChecker } from './draftChecker.ts';
import { isDraft } from './draftChecker.ts';
import { applyLineEdit } from './draftEdits.ts';
import { setHeader } from './draftLines.ts';
import { levelValue } from './levels.ts';

/** Problems that another level would solve. The person chooses it; nothing lowers a level by itself. */
const LEVEL_PROBLEMS: readonly ErrorCode[] = [
  'seal.no-contact',
  'seal.no-link',
  'seal.below-minimum',
  'seal.quotes-sealed',
  'seal.certificate-expired',
  'seal.level-unsupported',
  'seal.pad-too-large',
  'seal.no-certificate',
  'seal.not-post-quantum',
  'kme.exhausted',
  'key.quota-exceeded',
  'pad.exhausted',
  'draft.bad-level',
  'kme.not-configured',
];
const FILE_PROBLEMS: readonly ErrorCode[] = ['draft.file-missing', 'draft.file-too-large'];
/** What leads to the contact's certificate, its change, its share of the keys, or another pad. */
const CONTACT_STEPS: Partial<Record<ErrorCode, CommandId>> = {
  'seal.no-certificate': 'qumail.discoverCertificate',
  'seal.certificate-expired': 'qumail.discoverCertificate',
  'seal.share-expired': 'qumail.discoverCertificate',
  'seal.key-changed': 'qumail.reviewKeyChange',
  'key.quota-exceeded': 'qumail.setKeyQuota',
  'pad.exhausted': 'qumail.createPad',
};
const CONTACT_PROBLEMS: readonly ErrorCode[] = ['seal.no-contact', 'seal.no-link', 'seal.below-minimum'];

/** Quick fixes for what DraftChecker finds. */
export class DraftActions implements vscode.CodeActionProvider {
  readonly #checker: DraftChecker;
  readonly #accountOf: (uri: vscode.Uri) => Promise<string | undefined>;

  constructor(checker: DraftChecker, accountOf: (uri: vscode.Uri) => Promise<string | undefined>) {
    this.#checker = checker;
    this.#accountOf = accountOf;
  }

  async provideCodeActions(
    document: vscode.TextDocument,
    _range: vscode.Range,
    { diagnostics }: vscode.CodeActionContext,
  ): Promise<vscode.CodeAction[]> {
    if (!isDraft(document)) return [];
    const actions: vscode.CodeAction[] = [];
    for (const diagnostic of diagnostics.filter(({ source }) => source === 'QuMail')) {
      const code = diagnostic.code as ErrorCode;
      if (LEVEL_PROBLEMS.includes(code)) actions.push(...this.#levels(document, diagnostic));
      const contactStep = CONTACT_STEPS[code];
      if (contactStep) actions.push(await this.#contact(document, diagnostic, contactStep));
      if (CONTACT_PROBLEMS.includes(code)) actions.push(await this.#contact(document, diagnostic, 'qumail.saveContact'));
      if (code === 'kme.not-configured' || code === 'kme.client-key-missing' || code === 'seal.no-link')
        actions.push(
          call(vscode.l10n.t('Connect Key Manager…'), 'qumail.connectKeyManager', diagnostic, await this.#accountOf(document.uri)),
        );
      if (FILE_PROBLEMS.includes(code))
        actions.push(
          removeLine(document, diagnostic),
          call(vscode.l10n.t('Attach another file…'), 'qumail.attachFile', diagnostic, document.uri),
        );
      if (code === 'draft.bad-header') actions.push(startTextHere(document, diagnostic));
    }
    return actions;
  }

  #levels(document: vscode.TextDocument, diagnostic: vscode.Diagnostic): vscode.CodeAction[] {
    const check = this.#checker.resultOf(document);
    const others: (SecurityLevel | 'openpgp')[] = (check?.possible ?? []).filter((level) => level !== check?.level);
    if (check?.openPgp === 'possible') others.push('openpgp');
    return [
      ...others.map((level) => useLevel(document, diagnostic, level)),
      call(vscode.l10n.t('Choose Security Level…'), 'qumail.chooseSecurityLevel', diagnostic, document.uri),
    ];
  }

  async #contact(document: vscode.TextDocument, diagnostic: vscode.Diagnostic, command: CommandId): Promise<vscode.CodeAction> {
    const found = /[^\s<>,"]+@[^\s<>,"]+/.exec(document.getText(diagnostic.range))?.[0];
    const accountId = await this.#accountOf(document.uri);
    return call(contactStepTitle(command), command, diagnostic, { accountId, address: found });
  }
}

function contactStepTitle(command: CommandId): string {
  const titles: Partial<Record<CommandId, string>> = {
    'qumail.discoverCertificate': vscode.l10n.t('Find Certificate…'),
    'qumail.reviewKeyChange': vscode.l10n.t('Review Change…'),
    'qumail.setKeyQuota': vscode.l10n.t('Set Key Quota…'),
    'qumail.createPad': vscode.l10n.t('Make Pad…'),
  };
  return titles[command] ?? vscode.l10n.t('Edit Contact…');
}

function useLevel(document: vscode.TextDocument, diagnostic: vscode.Diagnostic, level: SecurityLevel | 'openpgp'): vscode.CodeAction {
  const name = level === 'openpgp' ? vscode.l10n.t('PGP, not post-quantum') : levelLabel(level, vscode.l10n);
  const action = fix(vscode.l10n.t('Use {0}', name), diagnostic);
  action.edit = new vscode.WorkspaceEdit();
  applyLineEdit(action.edit, document, setHeader(document.getText().split(/\r?\n/), 'Security', levelValue(level)));
  return action;
}

function removeLine(document: vscode.TextDocument, diagnostic: vscode.Diagnostic): vscode.CodeAction {
  const action = fix(vscode.l10n.t('Remove this attachment'), diagnostic);
  action.edit = new vscode.WorkspaceEdit();
  action.edit.delete(document.uri, document.lineAt(diagnostic.range.start.line).rangeIncludingLineBreak);
  action.isPreferred = true;
  return action;
}

/** A line that is no header is most often the first line of the text: the empty line before it is missing. */
function startTextHere(document: vscode.TextDocument, diagnostic: vscode.Diagnostic): vscode.CodeAction {
  const action = fix(vscode.l10n.t('Start the text here'), diagnostic);
  action.edit = new vscode.WorkspaceEdit();
  action.edit.insert(document.uri, new vscode.Position(diagnostic.range.start.line, 0), '\n');
  return action;
}

function call(title: string, command: CommandId, diagnostic: vscode.Diagnostic, argument: unknown): vscode.CodeAction {
  const action = fix(title, diagnostic);
  action.command = { command, title, arguments: [argument] };
  return action;
}

function fix(title: string, diagnostic: vscode.Diagnostic): vscode.CodeAction {
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.diagnostics = [diagnostic];
  return action;
}
