import type { ErrorCode } from '../core/api.ts';
import type { Localiser } from './localiser.ts';
import type { Sentence } from './sentence.ts';
import { accountSentences } from './sentences/accountSentences.ts';
import { actionSentences } from './sentences/actionSentences.ts';
import { chatSentences } from './sentences/chatSentences.ts';
import { draftSentences } from './sentences/draftSentences.ts';
import { engineSentences } from './sentences/engineSentences.ts';
import { keySentences } from './sentences/keySentences.ts';
import { networkSentences } from './sentences/networkSentences.ts';
import { openSentences } from './sentences/openSentences.ts';
import { sealSentences } from './sentences/sealSentences.ts';
import { searchSentences } from './sentences/searchSentences.ts';
import { storeSentences } from './sentences/storeSentences.ts';
import { trustSentences } from './sentences/trustSentences.ts';

/** The words for every code there is: a new one fails to compile here. `present.ts` is the only reader. */
export function sentences(l10n: Localiser): Record<ErrorCode, Sentence> {
  return {
    ...accountSentences(l10n),
    ...actionSentences(l10n),
    ...chatSentences(l10n),
    ...draftSentences(l10n),
    ...engineSentences(l10n),
    ...keySentences(l10n),
    ...networkSentences(l10n),
    ...openSentences(l10n),
    ...sealSentences(l10n),
    ...searchSentences(l10n),
    ...storeSentences(l10n),
    ...trustSentences(l10n),
  };
}
