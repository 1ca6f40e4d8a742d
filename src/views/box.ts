import * as vscode from 'vscode';
import { after } from './after.ts';

/**
 * How long after it came on screen a box takes the focus again, in milliseconds. From the last time on it closes as soon as the focus goes
 * elsewhere, as every box does: open and without the focus, what is typed would go to the panel. Shorter where it could be in the way of somebody
 * quick: in a text that stands there to begin with the caret may have been moved, in a choice of several the keys may be at work in the list.
 */
export const FOCUS_AGAIN_MS = { quick: [100, 250], patient: [100, 300, 700] } as const;
/** Behind whatever was typed. */
const END = 1_000_000;

/** What a list has as well, though the typings name it for a text only: VS Code takes the focus to the text where it selects something of it. */
export type Box = vscode.QuickInput & {
  readonly value: string;
  valueSelection?: readonly [number, number] | undefined;
  readonly canSelectMany?: boolean;
};

/**
 * Shows a box that stays open, and takes what is typed, where a panel gets the focus a moment late. When the palette is done VS Code gives the
 * panel on show its focus back, 50 ms later and by a word to its frame. On a slow machine, or far from one, that comes when the box which the
 * command opens is there already, and VS Code would close it.
 */
export function showBox(box: Box): void {
  const { ignoreFocusOut, value } = box;
  const held = panelOnShow();
  if (held) box.ignoreFocusOut = true;
  box.show();
  if (held) void takeFocusAgain(box, { ignoreFocusOut, value });
}

function panelOnShow(): boolean {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputWebview || input instanceof vscode.TabInputCustom;
}

async function takeFocusAgain(box: Box, { ignoreFocusOut, value }: Pick<Box, 'ignoreFocusOut' | 'value'>): Promise<void> {
  let closed = false;
  const timers: vscode.Disposable[] = [];
  box.onDidHide(() => {
    closed = true;
    for (const timer of timers) timer.dispose();
  });
  // VS Code does what it is asked in turn: once this is answered the box is on screen, however long that took.
  await vscode.commands.executeCommand('setContext', 'qumail.asking', true);
  if (closed) return;
  const take = (): void => {
    // What stands there to begin with is selected, to be typed over.
    box.valueSelection = box.value === value && value !== '' ? undefined : [END, END];
  };
  const times = FOCUS_AGAIN_MS[value !== '' || box.canSelectMany ? 'quick' : 'patient'];
  const end = Math.max(...times);
  timers.push(
    ...times.map((ms) => after(ms, take)),
    // After the last taking, and with it in one message.
    after(end, () => (box.ignoreFocusOut = ignoreFocusOut)),
  );
}

export type PickOptions = Pick<vscode.QuickPickOptions, 'title' | 'placeHolder' | 'matchOnDescription' | 'ignoreFocusOut'>;

/** Asks for one of `items`; undefined where the person leaves. */
export async function pickOne<T extends vscode.QuickPickItem>(items: readonly T[], options: PickOptions = {}): Promise<T | undefined> {
  const [picked] = (await choose(pickOf(items, options))) ?? [];
  return picked;
}

/** Asks for any number of `items`, of which those that say `picked` are chosen to begin with; undefined where the person leaves. */
export function pickSeveral<T extends vscode.QuickPickItem>(items: readonly T[], options: PickOptions): Promise<readonly T[] | undefined> {
  const pick = pickOf(items, options);
  pick.canSelectMany = true;
  pick.selectedItems = items.filter(({ picked }) => picked);
  return choose(pick);
}

function pickOf<T extends vscode.QuickPickItem>(items: readonly T[], options: PickOptions): vscode.QuickPick<T> {
  const pick = vscode.window.createQuickPick<T>();
  pick.title = options.title;
  pick.placeholder = options.placeHolder;
  pick.matchOnDescription = options.matchOnDescription ?? false;
  pick.ignoreFocusOut = options.ignoreFocusOut ?? false;
  pick.items = items;
  return pick;
}

function choose<T extends vscode.QuickPickItem>(pick: vscode.QuickPick<T>): Promise<readonly T[] | undefined> {
  return answered(pick, (settle) =>
    pick.onDidAccept(() => {
      // Enter where nothing matches chooses nothing.
      if (pick.canSelectMany || pick.selectedItems.length > 0) settle(pick.selectedItems);
    }),
  );
}

export type TextOptions = Pick<vscode.InputBoxOptions, 'title' | 'prompt' | 'value' | 'placeHolder' | 'password' | 'ignoreFocusOut'> & {
  /** What is wrong with a text, in words; undefined where nothing is. It is not taken as long as something is. */
  readonly check?: (text: string) => string | undefined;
};

/** Asks for a text; undefined where the person leaves. */
export function askText({ check, ...options }: TextOptions): Promise<string | undefined> {
  const box = vscode.window.createInputBox();
  box.title = options.title;
  box.prompt = options.prompt;
  box.value = options.value ?? '';
  box.placeholder = options.placeHolder;
  box.password = options.password ?? false;
  box.ignoreFocusOut = options.ignoreFocusOut ?? false;
  const wrong = (): string | undefined => {
    const message = check?.(box.value);
    box.validationMessage = message;
    return message;
  };
  box.onDidChangeValue(wrong);
  return answered(box, (settle) => box.onDidAccept(() => (wrong() === undefined ? settle(box.value) : undefined)));
}

/** Shows a box until it is answered or left, then disposes of it. */
function answered<T>(box: Box, listen: (settle: (answer: T) => void) => unknown): Promise<T | undefined> {
  return new Promise<T | undefined>((resolve) => {
    box.onDidHide(() => resolve(undefined));
    listen(resolve);
    showBox(box);
  }).finally(() => box.dispose());
}
