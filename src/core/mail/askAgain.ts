/**
 * Why a sealed message could not be opened, for its sender: `key` the key is gone or never came, `damaged` what arrived is not whole,
 * `not-for-me` it was sealed for somebody or something else, `unknown` anything else.
 */
export type AskReason = 'key' | 'damaged' | 'not-for-me' | 'unknown';

/** Text that goes to another person, whose language nobody knows; like the notice of a sealed message it is in English. */
const WHY: Readonly<Record<AskReason, string>> = {
  key: 'The key it needs is no longer available to me.',
  damaged: 'What arrived is not what you sent: it is incomplete or was altered on its way.',
  'not-for-me': 'It was sealed for a key or an address that is not mine, or no longer in use.',
  unknown: 'It could not be opened here.',
};

/** What a person asks for with one click: to seal a message again. It names its time and nothing that was in it. */
export function askAgainText(date: number, reason: AskReason): { readonly subject: string; readonly body: string } {
  const when = `${new Date(date).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return {
    subject: 'Please send your sealed message again',
    body: `Hello,\n\nI received your sealed message of ${when}, but could not open it. ${WHY[reason]}\n\nCould you please send it again?\n\nThank you.\n`,
  };
}
