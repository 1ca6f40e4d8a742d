import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';

type EngineCode = Extract<
  ErrorCode,
  `contact.${string}` | `message.${string}` | `attachment.${string}` | `lab.${string}` | `page.${string}` | `engine.${string}`
>;

/** The words for the engine itself, for what is no longer there and for what VS Code does not show. */
export function engineSentences(l10n: Localiser): Record<EngineCode, Sentence> {
  return {
    'contact.missing': { say: () => l10n.t('This contact no longer exists.') },
    'message.missing': { say: () => l10n.t('This message no longer exists.'), step: 'fetch' },
    'attachment.missing': { say: () => l10n.t('This attachment no longer exists.') },
    'lab.only': { say: () => l10n.t('This belongs to the demo lab and works only there.') },
    'page.empty': {
      say: () => l10n.t('VS Code leaves this page empty. Nothing is lost: reload the window, then open it again.'),
      step: 'reload',
    },
    'engine.cancelled': { say: () => l10n.t('Cancelled.') },
    'engine.stopped': {
      say: () => l10n.t('QuMail stopped working in the background. Restart it; mail and keys are safe.'),
      step: 'restart',
    },
    'engine.bad-request': { say: () => l10n.t('QuMail asked itself for something impossible. The log says more.'), step: 'log' },
    'engine.internal': { say: () => l10n.t('Something unexpected happened in QuMail. The log says more.'), step: 'log' },
  };
}
