import type { KeyBudgetLink, KeyQuota } from '../../core/api.ts';
import { sizeLabel } from '../labels.ts';
import type { Localiser } from '../present.ts';

/** A span of time as roughly as a forecast deserves. */
export function spanWords(seconds: number, l10n: Localiser): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  if (minutes < 90) return l10n.t('{0} min', minutes);
  const hours = Math.round(seconds / 3600);
  return hours < 48 ? l10n.t('{0} h', hours) : l10n.t('{0} days', Math.round(seconds / 86_400));
}

/** `340 kB`; bits as octets, the unit in which people know messages. */
export function bitsWords(bits: number): string {
  return sizeLabel(Math.floor(bits / 8));
}

/** `340 kB left, lasts about 3 h`, `340 kB left`. */
export function forecastWords(link: Pick<KeyBudgetLink, 'stockBits' | 'emptyInSeconds'>, l10n: Localiser): string {
  if (link.stockBits === undefined) return l10n.t('stock unknown');
  const left = bitsWords(link.stockBits);
  return link.emptyInSeconds === undefined
    ? l10n.t('{0} left', left)
    : l10n.t('{0} left, lasts about {1}', left, spanWords(link.emptyInSeconds, l10n));
}

/** How fast keys come and go. */
export function rateWords(link: Pick<KeyBudgetLink, 'spentPerSecond' | 'madePerSecond'>, l10n: Localiser): string {
  const perHour = (bitsPerSecond: number): string => bitsWords(bitsPerSecond * 3600);
  const spent = l10n.t('{0} an hour used', perHour(link.spentPerSecond));
  return link.madePerSecond === undefined ? spent : l10n.t('{0} an hour made, {1}', perHour(link.madePerSecond), spent);
}

/** `12 kB of 100 kB used in 1 h`. */
export function quotaWords(quota: KeyQuota, l10n: Localiser): string {
  return l10n.t('{0} of {1} used in {2}', bitsWords(quota.usedBits), bitsWords(quota.bits), spanWords(quota.seconds, l10n));
}

/** A size as people write it: `64 kB`, `1.5 MB`, `200000`, `2 MiB`; octets, or undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12}(?:[.,]\d{1,6})?)\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?$/i.exec(text.trim());
  if (!match) return undefined;
  const units: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };
  const octets = Math.floor(Number((match[1] ?? '').replace(',', '.')) * (units[(match[2] ?? 'B').toLowerCase()] ?? 1));
  return Number.isSafeInteger(octets) && octets > 0 ? octets : undefined;
}
