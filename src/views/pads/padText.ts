import type { Pad } from '../../core/api.ts';
import { sizeLabel } from '../labels.ts';
import type { Localiser } from '../present.ts';

/** A pad as a row: whose it is, what is left of it, and where it came from. */
export function padText(
  pad: Pad,
  dateOf: (time: number) => string,
  l10n: Localiser,
): { readonly label: string; readonly description: string; readonly detail: string } {
  const left = l10n.t('{0} of {1} left for writing', sizeLabel(Math.floor(pad.leftBits / 8)), sizeLabel(Math.floor(pad.bits / 8)));
  const made = pad.role === 'maker' ? l10n.t('made here on {0}', dateOf(pad.createdAt)) : l10n.t('imported on {0}', dateOf(pad.createdAt));
  return {
    label: `$(file-binary) ${pad.address}`,
    description: pad.state === 'ready' ? left : l10n.t('discarded'),
    detail: l10n.t('Pad {0}, {1}', pad.name, made),
  };
}
