import type { Message } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import { readerModel, type ReaderLocale } from '../reader/readerModel.ts';
import type { ShownMessage } from '../reader/readerProtocol.ts';

/** Largest file that is read, in octets; the engine refuses more too. */
export const MAX_MAIL_FILE = 64 * 1024 * 1024;

/** A message out of a file as the page shows it: nothing is claimed of who wrote it, and what is sealed says where it can be opened. Pure. */
export function mailFileModel(message: Message, locale: ReaderLocale): ShownMessage {
  const { l10n } = locale;
  const model = readerModel(message, locale);
  const isSealed = message.security.seal !== 'plain';
  const banner = {
    ...model.banner,
    title: isSealed ? l10n.t('Sealed message in a file') : l10n.t('Message in a file'),
    sentence: isSealed
      ? l10n.t('It is opened in a mailbox, with the keys of an account, and not from here.')
      : l10n.t('Nothing proves who wrote it, or that it was ever sent.'),
    facts: [],
  };
  return { ...model, place: 'file', banner, ...(isSealed ? { failure: whereItOpens(l10n) } : {}) };
}

function whereItOpens(l10n: Localiser): NonNullable<ShownMessage['failure']> {
  return {
    sentence: l10n.t('This message is sealed. Import it into a folder of your mailbox, and open it there.'),
    step: l10n.t('One-time keys are destroyed after reading: what was read before may not open a second time.'),
    button: l10n.t('Import…'),
  };
}
