import type { ErrorCode } from '../base/errors.ts';

/** Failures that end by themselves, or when a person signs in: what met them waits for its turn. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'kme.unreachable',
  'kme.timeout',
  'kme.unavailable',
  'kme.exhausted',
  'engine.stopped',
]);

/** Whether a message that failed like this is kept and tried again. */
export function waits(code: ErrorCode): boolean {
  return PASSING.has(code) || code.startsWith('net.') || code.startsWith('auth.');
}
