/** What is left, in milliseconds, as a glance takes it in: `4:09` in the last hour, `3 hr 12 min` in the last day, `2 days 3 hr` before. */
export function remaining(left: number, language: string): string {
  const seconds = Math.max(0, Math.ceil(left / 1000));
  const unit = (value: number, name: 'day' | 'hour' | 'minute'): string =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 1440) return `${unit(Math.floor(minutes / 60), 'hour')} ${unit(minutes % 60, 'minute')}`;
  const hours = Math.ceil(minutes / 60);
  return hours % 24 === 0 ? unit(hours / 24, 'day') : `${unit(Math.floor(hours / 24), 'day')} ${unit(hours % 24, 'hour')}`;
}
