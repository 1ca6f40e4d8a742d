import type { Localiser } from '../localiser.ts';
import { dateAndTime } from '../outbox/outboxText.ts';
import type { SendTime } from '../outbox/sendTimes.ts';

/** When people want to see a message again, all of it in the future, by the clock of this machine. */
export function snoozeTimes(now: number, locale: string, l10n: Localiser): readonly SendTime[] {
  const day = (days: number, hour: number): number => {
    const date = new Date(now);
    return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hour).getTime();
  };
  const weekday = new Date(now).getDay();
  const to = (wanted: number): number => (wanted + 7 - weekday) % 7 || 7;
  const hour = 3_600_000;
  const times: readonly (readonly [at: number, label: string])[] = [
    [Math.ceil((now + 3 * hour) / hour) * hour, l10n.t('Later today')],
    [day(1, 8), l10n.t('Tomorrow')],
    [day(to(6), 9), l10n.t('At the weekend')],
    [day(to(1), 8), l10n.t('Next week')],
  ];
  return times
    .filter(
      ([at], index) =>
        (index > 0 || new Date(at).getDate() === new Date(now).getDate()) && times.findIndex(([other]) => other === at) === index,
    )
    .map(([at, label]) => ({ at, label, description: dateAndTime(at, locale) }));
}
