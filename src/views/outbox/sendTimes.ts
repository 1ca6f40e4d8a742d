import type { Localiser } from '../localiser.ts';
import { dateAndTime } from './outboxText.ts';

/** Further ahead is more likely a slip of the finger than a plan. */
const FARTHEST_DAYS = 365;

export interface SendTime {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly label: string;
  readonly description: string;
}

/** Times people usually mean, all of them in the future, by the clock of this machine. */
export function sendTimes(now: number, locale: string, l10n: Localiser): readonly SendTime[] {
  const day = (days: number, hour: number): number => {
    const date = new Date(now);
    return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hour).getTime();
  };
  const toMonday = (8 - new Date(now).getDay()) % 7 || 7;
  const hour = 3_600_000;
  const times: readonly (readonly [at: number, label: string])[] = [
    [Math.ceil((now + hour) / 60_000) * 60_000, l10n.t('In an hour')],
    [day(0, 18), l10n.t('This evening')],
    [day(1, 8), l10n.t('Tomorrow morning')],
    [day(toMonday, 8), l10n.t('Monday morning')],
  ];
  return times
    .filter(([at], index) => at > now + 60_000 && times.findIndex(([other]) => other === at) === index)
    .map(([at, label]) => ({ at, label, description: dateAndTime(at, locale) }));
}

/** Reads `14:30` (today, or tomorrow where that has passed) or `2026-11-24 14:30`, local time; undefined where it is neither or not ahead. */
export function parseSendTime(text: string, now: number): number | undefined {
  const match = /^(?:(\d{4})-(\d{1,2})-(\d{1,2})[ T]+)?(\d{1,2}):(\d{2})$/.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, hours, minutes] = match.map(Number);
  if (hours === undefined || minutes === undefined || hours > 23 || minutes > 59) return undefined;
  const today = new Date(now);
  if (match[1] === undefined) {
    const at = (days: number): number => new Date(today.getFullYear(), today.getMonth(), today.getDate() + days, hours, minutes).getTime();
    return at(0) > now ? at(0) : at(1);
  }
  const date = new Date(year ?? 0, (month ?? 0) - 1, day, hours, minutes);
  // A date that does not exist, such as 31 November, would become another one.
  if (date.getMonth() !== (month ?? 0) - 1 || date.getDate() !== day) return undefined;
  return date.getTime() > now && date.getTime() < now + FARTHEST_DAYS * 86_400_000 ? date.getTime() : undefined;
}
