import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';

type ChatCode = Extract<ErrorCode, `chat.${string}`>;

/** The words for what goes wrong in chats. */
export function chatSentences(l10n: Localiser): Record<ChatCode, Sentence> {
  return {
    'chat.missing': { say: () => l10n.t('This chat is not on this computer.') },
    'chat.message-missing': { say: () => l10n.t('This message is no longer in the chat.') },
    'chat.not-member': { say: () => l10n.t('You are no longer a member of this group. What was said stays here; nothing can be sent.') },
    'chat.not-admin': { say: () => l10n.t('Only administrators of the group can do this.') },
    'chat.unreachable': {
      say: (f) => l10n.t('Nothing was sent: {0} cannot be reached at the level of this chat.', f('addresses', l10n.t('a member'))),
      step: 'contact',
    },
    'chat.below-minimum': {
      say: (f) => l10n.t('This chat is sealed at {0} or better. Nothing was sent.', f('minimum', l10n.t('its own level'))),
      step: 'level',
    },
    'chat.too-many-members': { say: (f) => l10n.t('A group has at most {0} members.', f('limit', '100')) },
    'chat.refused': { say: () => l10n.t('The group does not allow this change now. Somebody else may have changed it meanwhile.') },
    'chat.file-too-large': {
      say: (f) => l10n.t('Files of one chat message may have {0} bytes at most; these have {1}.', f('limit', '?'), f('size', '?')),
    },
    'chat.unsigned': {
      say: () => l10n.t('This message came without the signature that every chat message carries. It is not shown as part of the chat.'),
    },
    'chat.headers-differ': {
      say: () => l10n.t('This message says one thing outside and another inside. Somebody may have altered it on its way.'),
    },
    'chat.malformed': { say: () => l10n.t('This message looks like part of a chat but cannot be read as one.') },
  };
}
