import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';

type SearchCode = Extract<ErrorCode, `search.${string}`>;

/** The words for searching. */
export function searchSentences(l10n: Localiser): Record<SearchCode, Sentence> {
  return {
    'search.empty': { say: () => l10n.t('Type what to look for.') },
    'search.too-long': { say: (f) => l10n.t('A search can have {0} characters at most. Shorten it.', f('limit', '2000')) },
    'search.too-many-terms': { say: (f) => l10n.t('A search can have {0} terms at most. Leave some out.', f('limit', '64')) },
    'search.too-deep': { say: (f) => l10n.t('Parentheses can be nested {0} deep at most.', f('limit', '16')) },
    'search.unknown-operator': {
      say: (f) =>
        f('nearest', '') === ''
          ? l10n.t('Searches know no "{0}:". To look for it as text, put it in quotes.', f('name', ''))
          : l10n.t(
              'Searches know no "{0}:". Did you mean "{1}:"? To look for it as text, put it in quotes.',
              f('name', ''),
              f('nearest', ''),
            ),
    },
    'search.value-missing': { say: (f) => l10n.t('Write what to look for right after "{0}:".', f('name', '')) },
    'search.bad-value': {
      say: (f) =>
        f('name', '') === ''
          ? l10n.t('There is no text to look for in "{0}".', f('value', ''))
          : l10n.t('"{0}" does not fit "{1}:". Completion shows what does.', f('value', ''), f('name', '')),
    },
    'search.stray': {
      say: (f) => l10n.t('"{0}" needs something to look for beside it. To look for it as text, put it in quotes.', f('what', '')),
    },
    'search.unclosed-quote': { say: () => l10n.t('The quotation mark is not closed. Add one at the end of the phrase.') },
    'search.unclosed-parenthesis': { say: () => l10n.t('The parenthesis is not closed. Add one at the end of the group.') },
    'search.server-cannot': {
      say: (f) => l10n.t('The mail server cannot look for "{0}:". Leave it out to search on the server.', f('name', '')),
    },
    'search.missing': { say: () => l10n.t('This saved search no longer exists.') },
  };
}
