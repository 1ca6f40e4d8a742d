import type { Failure, Filling } from '../../core/api.ts';
import { sentenceOf, type Localiser } from '../present.ts';

/** How far an offline copy is, in words. */
export function fillingText({ filling, failure }: { readonly filling: Filling; readonly failure?: Failure }, l10n: Localiser): string {
  const texts: Record<Filling, string> = {
    'going-on': l10n.t('being filled'),
    waiting: l10n.t('goes on with the next look for mail'),
    complete: l10n.t('complete'),
    stopped: l10n.t('stopped: "Fetch Mail" goes on with it'),
    'no-room': l10n.t('full: the rest opens from the server'),
    cut: l10n.t('interrupted, tried again with the next look for mail'),
  };
  return failure ? `${texts[filling]}: ${sentenceOf(failure, l10n)}` : texts[filling];
}
