import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';

type DraftCode = Extract<ErrorCode, `draft.${string}`>;

/** The words for drafts. */
export function draftSentences(l10n: Localiser): Record<DraftCode, Sentence> {
  return {
    'draft.no-recipient': { say: () => l10n.t('The message has no recipient. Write an address after "To:".') },
    'draft.bad-address': { say: (f) => l10n.t('"{0}" is not an e-mail address.', f('address', '?')) },
    'draft.other-sender': {
      say: (f) =>
        l10n.t('This draft goes out from {0}. To write as {1}, start a message in that account.', f('account', '?'), f('address', '?')),
    },
    'draft.bad-header': {
      say: (f) => l10n.t('"{0}" is not a header line QuMail knows. Leave an empty line before the text.', f('name', '?')),
    },
    'draft.bad-level': { say: () => l10n.t('The security level is one of L1, L2, L3 and L4, or PGP.'), step: 'level' },
    'draft.file-missing': { say: (f) => l10n.t('The file {0} cannot be read.', f('path', '?')) },
    'draft.file-too-large': {
      say: (f) => l10n.t('The file {0} is too large: {1} bytes, at most {2}.', f('path', '?'), f('size', '?'), f('limit', '?')),
    },
    'draft.too-large': { say: (f) => l10n.t('The message is too large: {0} bytes, at most {1}.', f('size', '?'), f('limit', '?')) },
    'draft.missing': { say: () => l10n.t('This draft no longer exists: it was sent or deleted.') },
    'draft.copy-shut': {
      say: () =>
        l10n.t(
          'Another computer wrote a newer text of this draft, and no key on this one opens it. Go on writing there, update QuMail on both, or restore a backup of that computer here.',
        ),
      step: 'update',
    },
    'draft.version-missing': { say: () => l10n.t('This earlier version of the draft is no longer kept.') },
  };
}
