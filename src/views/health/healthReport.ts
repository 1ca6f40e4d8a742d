import type { HealthPage } from './healthPage.ts';

/** Of a mailbox address the domain is what helps whoever reads a report; the rest is nobody's business. */
const ADDRESS = /[^\s@<>"'(),;:[\]]+@([\p{L}\p{N}][\p{L}\p{N}.-]*)/gu;
/** Absolute paths of either kind, quoted with spaces or bare: they name people, too. */
const PATHS = [/"(?:[a-z]:)?[\\/][^"\n]*"/gi, /\b[a-z]:\\[^\s"',;]*/gi, /(?<![\p{L}\p{N}:/.])(?:~|)\/(?!\/)[^\s"',;]+/gu];

/** The page as text to be sent to somebody: what was shown, without names of people and without paths of this machine. */
export function healthReport(page: HealthPage, about: readonly string[]): string {
  const sections = page.sections.flatMap(({ title, state, facts, errorsTitle, errors, noErrors }) => [
    '',
    `## ${title}: ${state.text}`,
    ...facts.map(({ label, values }) => `${label}: ${values.map(({ text }) => text).join('; ')}`),
    `${errorsTitle}:`,
    ...(errors.length === 0 ? [`  ${noErrors}`] : errors.map(({ time, code, sentence }) => `  ${time} ${code}: ${sentence}`)),
  ]);
  const lines = [`# ${page.title}`, page.asOf, ...about, ...(sections.length === 0 ? ['', page.empty] : sections)];
  return `${redact(lines.join('\n'))}\n`;
}

/** Takes out the local parts of addresses and every absolute path. */
export function redact(text: string): string {
  const withoutAddresses = text.replace(ADDRESS, '…@$1');
  return PATHS.reduce((rest, path) => rest.replace(path, '(path)'), withoutAddresses);
}
