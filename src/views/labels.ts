import type { Address, MessageSummary, SealState, SecurityLevel } from '../core/api.ts';
import { dateFormat } from './dateFormats.ts';
import type { Localiser } from './present.ts';

/** Name of a level as the interface shows it (DESIGN 1). */
export function levelName(level: SecurityLevel, l10n: Localiser): string {
  const names: Record<SecurityLevel, string> = {
    L1: l10n.t('Quantum one-time pad'),
    L2: l10n.t('Quantum-aided AES'),
    L3: l10n.t('Post-quantum'),
    L4: l10n.t('None'),
  };
  return names[level];
}

/** `L2 · Quantum-aided AES`. */
export function levelLabel(level: SecurityLevel, l10n: Localiser): string {
  return `${level} · ${levelName(level, l10n)}`;
}

/** Codicon of a message: its level where it is sealed, and what became of it. */
export function messageIcon(level: SecurityLevel, seal: SealState): { readonly id: string; readonly color?: string } {
  if (seal === 'failed') return { id: 'error', color: 'list.errorForeground' };
  if (seal === 'plain' || level === 'L4') return { id: 'mail' };
  const ids: Record<Exclude<SecurityLevel, 'L4'>, string> = { L1: 'key', L2: 'lock', L3: 'shield' };
  return seal === 'opened' ? { id: ids[level], color: 'charts.green' } : { id: ids[level] };
}

/** A person in a list: the display name, else the address. */
export function personLabel(person: Address): string {
  return person.name.trim() || person.address;
}

/** Who a row of the list is about: the sender, or in folders of own mail the recipients. */
export function correspondents(message: Pick<MessageSummary, 'from' | 'to'>, own: 'received' | 'sent', l10n: Localiser): string {
  if (own === 'received') return personLabel(message.from) || l10n.t('(no sender)');
  const names = message.to.map(personLabel);
  return names.length === 0 ? l10n.t('(no recipient)') : l10n.t('To {0}', names.join(', '));
}

/**
 * A date as short as it can be told: the time today, the weekday within six days, day and month this year, else the date.
 * @param date and `now` in milliseconds since the epoch; `timeZone` only for tests
 */
export function shortDate(date: number, now: number, locale: string, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const dayOf = (time: number): string => dateFormat('en-CA', { ...zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(time);
  const format = (options: Intl.DateTimeFormatOptions): string => dateFormat(locale, { ...zone, ...options }).format(date);
  if (dayOf(date) === dayOf(now)) return format({ hour: '2-digit', minute: '2-digit' });
  if (date < now && now - date < 6 * 86_400_000) return format({ weekday: 'short' });
  if (dayOf(date).slice(0, 4) === dayOf(now).slice(0, 4)) return format({ day: 'numeric', month: 'short' });
  return format({ day: 'numeric', month: 'short', year: 'numeric' });
}

/** Key stock in the units people count in: messages' worth of 256-bit keys is left to the reader, bits become kB. */
export function stockLabel(link: { readonly keySize?: number; readonly storedKeyCount?: number }, l10n: Localiser): string {
  if (link.storedKeyCount === undefined) return l10n.t('stock unknown');
  if (link.keySize === undefined) return l10n.t('{0} keys', link.storedKeyCount);
  const bytes = Math.floor((link.storedKeyCount * link.keySize) / 8);
  return l10n.t('{0} keys, {1}', link.storedKeyCount, sizeLabel(bytes));
}

/** Octets with a decimal unit, e.g. `12 B`, `3.4 kB`, `25 MB`. */
export function sizeLabel(octets: number): string {
  const units = ['B', 'kB', 'MB', 'GB'] as const;
  let value = octets;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
