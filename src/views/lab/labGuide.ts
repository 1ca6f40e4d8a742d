import type { Localiser } from '../present.ts';

/** The letter that waits when the lab opens: sending it is the first step, reading on the second. */
export function labGuide(
  people: { readonly from: string; readonly to: string },
  l10n: Localiser,
): { readonly subject: string; readonly body: string } {
  const { from, to } = people;
  const lines = [
    l10n.t('Hello {0},', to),
    '',
    l10n.t('this letter is sealed with a quantum key. (In this lab the keys are SIMULATED.)'),
    '',
    l10n.t('1. Press **Send** in the title bar of this editor.'),
    l10n.t('2. In the **Mail** view open the inbox of {0} and click the letter: the banner shows its level and its key IDs.', to),
    l10n.t('3. Press **Reply**, change the `Security:` line to **L1** (a one-time pad) or **L4** (no protection), and send again.'),
    l10n.t('4. Look at **Contacts & Keys**: each sealed letter used up keys.'),
    l10n.t('5. Open **Chats**: the four of you have a group, The Lab. Write a line, and look at it from the side of {0}.', to),
    '',
    l10n.t('The command **QuMail: Close Demo Lab** ends all this without a trace.'),
    '',
    from,
  ];
  return { subject: l10n.t('My first sealed letter'), body: `${lines.join('\n')}\n` };
}
