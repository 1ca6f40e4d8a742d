/** What a wizard has been told so far, by step key. Held in memory only, passwords among it. */
export type Answers = Readonly<Record<string, string>>;

interface StepBase {
  readonly key: string;
  /** One sentence: what is asked for, and where it is found. */
  readonly prompt: string;
  /** Asked only where this holds; always unless given. */
  readonly when?: (answers: Answers) => boolean;
}

export interface TextStep extends StepBase {
  readonly kind: 'text';
  readonly placeholder?: string;
  /** Shown as dots. */
  readonly secret?: 'secret';
  /** What the box starts with where nothing was answered before. */
  readonly suggest?: (answers: Answers) => string;
  /** A sentence saying what is wrong, or undefined. */
  readonly check?: (text: string, answers: Answers) => string | undefined;
  /** A button in the box that shows where the answer is found. */
  readonly help?: (answers: Answers) => Help | undefined;
}

export interface Help {
  readonly tooltip: string;
  readonly command: string;
  readonly args: readonly unknown[];
}

/** A path of a local file, typed or picked in a dialog. */
export interface FileStep extends StepBase {
  readonly kind: 'file';
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

export interface PickStep extends StepBase {
  readonly kind: 'pick';
  readonly choices: readonly Choice[] | ((answers: Answers) => readonly Choice[]);
  /** Choices that take a while to find; they come first, and can be taken once they are on show. */
  readonly search?: Search;
}

export interface Search {
  /** Shown while it runs. */
  readonly prompt: (answers: Answers) => string;
  /** Says itself what went wrong, as a choice or in the log; must not reject. Aborted when the person goes on or leaves. */
  readonly run: (answers: Answers, signal: AbortSignal) => Promise<readonly Choice[]>;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly detail?: string;
  readonly description?: string;
  /** Answers to other questions that this choice stands for. */
  readonly answers?: Answers;
}

export type Step = TextStep | FileStep | PickStep;

/** Index of the step to show after (or before) `index`; undefined beyond either end. */
export function neighbour(steps: readonly Step[], answers: Answers, index: number, direction: 1 | -1): number | undefined {
  for (let at = index + direction; at >= 0 && at < steps.length; at += direction) {
    const step = steps[at];
    if (step && (step.when?.(answers) ?? true)) return at;
  }
  return undefined;
}

/** Where in the wizard the step at `index` stands, counting only steps that apply as far as is known now. */
export function position(steps: readonly Step[], answers: Answers, index: number): { readonly step: number; readonly total: number } {
  const applies = (step: Step): boolean => step.when?.(answers) ?? true;
  const before = steps.slice(0, index).filter(applies).length;
  const after = steps.slice(index + 1).filter(applies).length;
  return { step: before + 1, total: before + 1 + after };
}

/** What a text box starts with: the earlier answer, else the suggestion. Secrets are never shown again. */
export function startText(step: TextStep | FileStep, answers: Answers): string {
  if (step.kind === 'file') return answers[step.key] ?? '';
  if (step.secret) return '';
  return answers[step.key] ?? step.suggest?.(answers) ?? '';
}
