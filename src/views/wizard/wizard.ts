import * as vscode from 'vscode';
import { showBox, type Box } from '../box.ts';
import {
  neighbour,
  position,
  startText,
  type Answers,
  type Choice,
  type FileStep,
  type PickStep,
  type Search,
  type Step,
  type TextStep,
} from './steps.ts';

type Outcome =
  | { readonly kind: 'answer'; readonly text: string; readonly answers?: Answers }
  | { readonly kind: 'back' }
  | { readonly kind: 'cancel' };

/** Larger is no certificate, key or key store. */
const MAX_FILE = 1_048_576;

/**
 * Asks one step after the other, with a way back, until all are answered.
 * @returns the answers, or undefined where the person gave up
 */
export async function runWizard(title: string, steps: readonly Step[], given: Answers = {}): Promise<Answers | undefined> {
  let answers = given;
  let index = neighbour(steps, answers, -1, 1);
  while (index !== undefined) {
    const step = steps[index];
    if (!step) break;
    const { step: number, total } = position(steps, answers, index);
    const back = neighbour(steps, answers, index, -1);
    const frame = { title, step: number, totalSteps: total, canGoBack: back !== undefined };
    const outcome = step.kind === 'pick' ? await askPick(step, frame, answers) : await askText(step, frame, answers);
    if (outcome.kind === 'cancel') return undefined;
    if (outcome.kind === 'back') {
      index = back;
      continue;
    }
    answers = { ...answers, [step.key]: outcome.text, ...outcome.answers };
    index = neighbour(steps, answers, index, 1);
  }
  return answers;
}

interface Frame {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly canGoBack: boolean;
}

/** Shows `input` until it is accepted, left or stepped back from, then disposes of it. */
function ask<T extends Box>(
  input: T,
  frame: Frame,
  listen: (input: T, settle: (outcome: Outcome) => void) => vscode.Disposable[],
): Promise<Outcome> {
  input.title = frame.title;
  if (frame.totalSteps > 1) {
    input.step = frame.step;
    input.totalSteps = frame.totalSteps;
  }
  // People leave for a moment to fetch an app password or a file name.
  input.ignoreFocusOut = true;
  const listeners: vscode.Disposable[] = [];
  return new Promise<Outcome>((resolve) => {
    listeners.push(
      input.onDidHide(() => resolve({ kind: 'cancel' })),
      ...listen(input, resolve),
    );
    showBox(input);
  }).finally(() => {
    for (const listener of listeners) listener.dispose();
    input.dispose();
  });
}

type ChoiceItem = vscode.QuickPickItem & { readonly value: string; readonly answers?: Answers };

async function askPick(step: PickStep, frame: Frame, answers: Answers): Promise<Outcome> {
  const pick = vscode.window.createQuickPick<ChoiceItem>();
  const fixed = typeof step.choices === 'function' ? step.choices(answers) : step.choices;
  const show = (choices: readonly Choice[]): void => {
    pick.items = choices.map((choice) => ({ ...choice }));
    const before = pick.items.filter((item) => item.value === answers[step.key]);
    // An empty list would leave nothing for Enter to take.
    if (before.length > 0) pick.activeItems = before;
  };
  pick.placeholder = step.prompt;
  pick.matchOnDetail = true;
  pick.buttons = frame.canGoBack ? [vscode.QuickInputButtons.Back] : [];
  show(fixed);
  const searching = new AbortController();
  if (step.search) void search(step.search, pick, answers, searching.signal, (found) => show([...found, ...fixed]));
  try {
    return await ask(pick, frame, (input, settle) => [
      input.onDidTriggerButton(() => settle({ kind: 'back' })),
      input.onDidAccept(() => {
        const [chosen] = input.selectedItems;
        if (chosen) settle({ kind: 'answer', text: chosen.value, ...(chosen.answers ? { answers: chosen.answers } : {}) });
      }),
    ]);
  } finally {
    searching.abort();
  }
}

/** Runs a search with the list's own progress, and shows what it found unless the person has gone on meanwhile. */
async function search(
  { prompt, run }: Search,
  pick: vscode.QuickPick<ChoiceItem>,
  answers: Answers,
  signal: AbortSignal,
  show: (found: readonly Choice[]) => void,
): Promise<void> {
  const { placeholder } = pick;
  pick.busy = true;
  pick.placeholder = prompt(answers);
  const found = await run(answers, signal);
  if (signal.aborted) return;
  pick.busy = false;
  pick.placeholder = placeholder;
  show(found);
}

function askText(step: TextStep | FileStep, frame: Frame, answers: Answers): Promise<Outcome> {
  const box = vscode.window.createInputBox();
  const browse: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('folder-opened'), tooltip: vscode.l10n.t('Browse') };
  const help = step.kind === 'text' ? step.help?.(answers) : undefined;
  const helpButton: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('question'), tooltip: help?.tooltip ?? '' };
  box.prompt = step.prompt;
  box.value = startText(step, answers);
  if (step.kind === 'text') {
    box.password = step.secret !== undefined;
    if (step.placeholder !== undefined) box.placeholder = step.placeholder;
  } else {
    box.placeholder = vscode.l10n.t('Path of the file');
  }
  box.buttons = [
    ...(frame.canGoBack ? [vscode.QuickInputButtons.Back] : []),
    ...(step.kind === 'file' ? [browse] : []),
    ...(help ? [helpButton] : []),
  ];
  return ask(box, frame, (input, settle) => [
    input.onDidTriggerButton(async (button) => {
      if (button === vscode.QuickInputButtons.Back) return settle({ kind: 'back' });
      if (button === helpButton && help) return void vscode.commands.executeCommand(help.command, ...help.args);
      if (step.kind === 'file') input.value = (await chooseFile(step)) ?? input.value;
    }),
    input.onDidChangeValue(() => {
      input.validationMessage = undefined;
    }),
    input.onDidAccept(async () => {
      const text = step.kind === 'text' && step.secret ? input.value : input.value.trim();
      const wrong = step.kind === 'file' ? await checkFile(text) : step.check?.(text, answers);
      if (wrong === undefined) settle({ kind: 'answer', text });
      else input.validationMessage = wrong;
    }),
  ]);
}

async function chooseFile(step: FileStep): Promise<string | undefined> {
  const filters = Object.fromEntries(Object.entries(step.filters).map(([name, extensions]) => [name, [...extensions]]));
  const chosen = await vscode.window.showOpenDialog({
    canSelectMany: false,
    title: step.prompt,
    filters: { ...filters, [vscode.l10n.t('All files')]: ['*'] },
  });
  return chosen?.[0]?.fsPath;
}

async function checkFile(path: string): Promise<string | undefined> {
  if (path === '') return vscode.l10n.t('Name a file.');
  try {
    const { size, type } = await vscode.workspace.fs.stat(vscode.Uri.file(path));
    if ((type & vscode.FileType.File) === 0 || size === 0 || size > MAX_FILE)
      return vscode.l10n.t('This is not a certificate or key file.');
    return undefined;
  } catch {
    return vscode.l10n.t('This file cannot be read.');
  }
}
