import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ViewContext } from '../viewContext.ts';
import { runWizard } from '../wizard/wizard.ts';
import { resultText, summaryText } from './backupText.ts';
import { phraseOf, quizPositions, sameWord } from './wordQuiz.ts';

const FILTERS = (): Record<string, string[]> => ({ [vscode.l10n.t('QuMail backups')]: ['qumailbackup'] });
const dateOf = (time: number): string => new Date(time).toLocaleString(vscode.env.language);

/** Shows the 24 words once, asks for three of them, then writes the backup. The words go to no clipboard and into no file. */
export async function createBackup(context: ViewContext): Promise<void> {
  const words = await context.api.newRecoveryPhrase();
  const wrote = vscode.l10n.t('I Wrote Them Down');
  const lines = Array.from({ length: Math.ceil(words.length / 4) }, (_, row) =>
    words
      .slice(row * 4, row * 4 + 4)
      .map((word, column) => `${row * 4 + column + 1}. ${word}`)
      .join('    '),
  );
  const detail = [
    ...lines,
    '',
    vscode.l10n.t(
      'Only these words open the backup. They are kept nowhere and shown only now: who loses them loses the backup, who finds them can read it.',
    ),
  ].join('\n');
  if (
    (await vscode.window.showInformationMessage(vscode.l10n.t('Write down these 24 words on paper'), { modal: true, detail }, wrote)) !==
    wrote
  )
    return;
  const positions = quizPositions(words.length, Math.random);
  const answers = await runWizard(
    vscode.l10n.t('Create Backup'),
    positions.map((at) => ({
      kind: 'text' as const,
      key: `word${at}`,
      prompt: vscode.l10n.t('Word {0} of the recovery phrase', at + 1),
      check: (text: string) =>
        sameWord(text, words[at] ?? '') ? undefined : vscode.l10n.t('That is not the word on this place. Look at your note.'),
    })),
  );
  if (!answers) return;
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(homedir(), `qumail-${new Date().toISOString().slice(0, 10)}.qumailbackup`)),
    saveLabel: vscode.l10n.t('Create Backup'),
    filters: FILTERS(),
  });
  if (!target) return;
  const summary = await context.run(vscode.l10n.t('Writing the backup'), (signal) =>
    context.api.createBackup({ path: target.fsPath, phrase: words.join(' ') }, { signal }),
  );
  if (!summary) return;
  void vscode.window.showInformationMessage(vscode.l10n.t('The backup is written'), {
    modal: true,
    detail: summaryText(summary, dateOf, vscode.l10n),
  });
}

/** Looks into a backup, says what is in it, and adds what is missing here. */
export async function restoreBackup(context: ViewContext): Promise<void> {
  const [file] =
    (await vscode.window.showOpenDialog({
      openLabel: vscode.l10n.t('Open Backup'),
      filters: { ...FILTERS(), [vscode.l10n.t('All files')]: ['*'] },
    })) ?? [];
  if (!file) return;
  const answers = await runWizard(vscode.l10n.t('Restore Backup'), [
    {
      kind: 'text',
      key: 'phrase',
      prompt: vscode.l10n.t('The 24 words of the recovery phrase, with spaces between them'),
      check: (text) => (phraseOf(text).split(' ').length === 24 ? undefined : vscode.l10n.t('These are not 24 words.')),
    },
  ]);
  if (!answers) return;
  const request = { path: file.fsPath, phrase: phraseOf(answers['phrase'] ?? '') };
  const summary = await context.run(vscode.l10n.t('Reading the backup'), (signal) => context.api.inspectBackup(request, { signal }));
  if (!summary) return;
  const restore = vscode.l10n.t('Restore');
  const detail = `${summaryText(summary, dateOf, vscode.l10n)}\n\n${vscode.l10n.t('What is here already stays as it is; only what is missing is added.')}`;
  if ((await vscode.window.showWarningMessage(vscode.l10n.t('Restore this backup?'), { modal: true, detail }, restore)) !== restore) return;
  const result = await context.run(vscode.l10n.t('Restoring the backup'), (signal) => context.api.restoreBackup(request, { signal }));
  if (!result) return;
  await context.reloadAccounts().catch(() => {});
  const again = vscode.l10n.t('Sign In Again');
  const buttons = result.signInAgain.length > 0 ? [again] : [];
  const pressed = await vscode.window.showInformationMessage(
    vscode.l10n.t('The backup is restored'),
    { modal: true, detail: resultText(result, vscode.l10n) },
    ...buttons,
  );
  if (pressed !== again) return;
  const account = context.accounts.find(({ email }) => result.signInAgain.includes(email));
  await vscode.commands.executeCommand('qumail.signIn', account?.id);
}
