import type { DraftState, Failure } from '../../core/api.ts';
import { sentenceOf, type Localiser } from '../present.ts';

/** Where a draft is, or why its last text is nowhere but in the editor. */
export type KnownDraftState = DraftState | { readonly state: 'unsaved'; readonly failure: Failure };

export interface DraftStateWords {
  /** Name of a codicon. */
  readonly icon: string;
  /** A few words, to stand above the text. */
  readonly text: string;
  /** A sentence or two: what it means, and what comes next. */
  readonly detail: string;
  readonly failure?: Failure;
}

/** What is said about where a draft is saved. */
export function draftStateWords(known: KnownDraftState, l10n: Localiser): DraftStateWords {
  const here = l10n.t('Saved here');
  switch (known.state) {
    case 'on-server':
      return {
        icon: 'cloud',
        text: l10n.t('Saved to Drafts'),
        detail: l10n.t('Saved on this computer, and sealed for yourself in the Drafts folder of your mailbox.'),
      };
    case 'under-way':
      return {
        icon: 'cloud-upload',
        text: here,
        detail: l10n.t(
          'Saved on this computer within a second of every key. A copy, sealed for yourself, goes to the Drafts folder in a moment.',
        ),
      };
    case 'waiting':
      return known.for === 'connection'
        ? {
            icon: 'debug-disconnect',
            text: l10n.t('Saved here · Drafts when connected'),
            detail: l10n.t('Saved on this computer. A sealed copy goes to the Drafts folder as soon as there is a connection.'),
          }
        : {
            icon: 'cloud-upload',
            text: here,
            detail: l10n.t(
              'Saved on this computer. A copy goes to the Drafts folder once your own certificate, which seals it, has been made.',
            ),
          };
    case 'here-only':
      return {
        icon: 'save',
        text: here,
        detail: l10n.t('Saved on this computer only: the account has no Drafts folder on its server.'),
      };
    case 'outgoing':
      return {
        icon: 'watch',
        text: l10n.t('In the Outbox'),
        detail: l10n.t('Sealed and handed over for sending. A change to the text takes it back.'),
      };
    case 'failed':
      return {
        icon: 'warning',
        text: l10n.t('Saved here · not in Drafts'),
        detail: `${l10n.t('Saved on this computer, but not in the Drafts folder; it is tried again by itself.')} ${sentenceOf(known.failure, l10n)}`,
        failure: known.failure,
      };
    case 'newer-elsewhere':
      return {
        icon: 'warning',
        text: l10n.t('Saved here · newer text elsewhere'),
        detail: `${l10n.t('This text is saved on this computer and stays as it is.')} ${sentenceOf(known.failure, l10n)}`,
        failure: known.failure,
      };
    case 'unsaved':
      return {
        icon: 'error',
        text: l10n.t('Not saved'),
        detail: `${l10n.t('What was written last is only in this editor. Leave it open.')} ${sentenceOf(known.failure, l10n)}`,
        failure: known.failure,
      };
  }
}
