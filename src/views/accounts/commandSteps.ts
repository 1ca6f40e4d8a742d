import type { Localiser } from '../localiser.ts';
import type { Answers, Step } from '../wizard/steps.ts';

/** More arguments than this belong into a script. */
const MAX_ARGUMENTS = 12;

/** Asks for a program and its arguments one by one, so that no shell ever takes a line of text apart. */
export function commandSteps(when: (answers: Answers) => boolean, l10n: Localiser): readonly Step[] {
  const argument = (index: number): Step => ({
    kind: 'text',
    key: `argument${index}`,
    when: (answers) => when(answers) && (index === 1 || (answers[`argument${index - 1}`] ?? '') !== ''),
    prompt: l10n.t('Argument {0}, exactly as the program gets it. Leave it empty when there are no more.', index),
    check: checkText(l10n),
  });
  return [
    {
      kind: 'text',
      key: 'program',
      when,
      prompt: l10n.t('The program that prints an access token. It is started without a shell.'),
      placeholder: '/usr/local/bin/print-token',
      check: (text) => checkProgram(text, l10n) ?? checkText(l10n)(text),
    },
    ...Array.from({ length: MAX_ARGUMENTS }, (_, index) => argument(index + 1)),
  ];
}

/** The argument vector, the program first. Arguments end at the first one left empty. */
export function commandOf(answers: Answers): readonly string[] {
  const command = [answers['program'] ?? ''];
  for (let index = 1; index <= MAX_ARGUMENTS; index++) {
    const argument = answers[`argument${index}`] ?? '';
    if (argument === '') break;
    command.push(argument);
  }
  return command;
}

/** The vector so that a person sees where each argument begins and ends: one per line, quoted. */
export function commandText(command: readonly string[]): string {
  return command.map((part) => JSON.stringify(part)).join('\n');
}

/** By its whole path or by its name alone: what a relative path means depends on where one stands. */
function checkProgram(text: string, l10n: Localiser): string | undefined {
  if (text === '') return l10n.t('This is needed to go on.');
  const whole = /^(\/|[a-z]:[\\/]|\\\\)/i.test(text);
  return whole || !/[/\\]|^\.{1,2}$/.test(text) ? undefined : l10n.t('Write the whole path of the program, or its name alone.');
}

function checkText(l10n: Localiser): (text: string) => string | undefined {
  return (text) => (/\p{Cc}/u.test(text) ? l10n.t('Control characters have no place here.') : undefined);
}
