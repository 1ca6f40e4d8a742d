import type { ErrorCode } from '../base/errors.ts';
import type { OpeningStep } from '../base/protection.ts';

/** How long after a message its keys may still turn up at the key manager, milliseconds. */
export const KEY_WAIT_MS = 86_400_000;

const STEPS: Partial<Readonly<Record<ErrorCode, OpeningStep>>> = {
  // Keys that came once, to somebody, or never will.
  'kme.key-may-be-lost': 'ask-again',
  'key.reused': 'ask-again',
  'key.not-held': 'ask-again',
  'key.betrayed': 'report',
  // What arrived is not what was sent: by accident, which a new copy mends.
  'open.malformed': 'ask-again',
  'open.duplicate-member': 'ask-again',
  'open.limit': 'ask-again',
  'open.truncated': 'ask-again',
  'open.part-missing': 'ask-again',
  'open.part-mismatch': 'ask-again',
  'open.tampered': 'ask-again',
  // Sealed for somebody, or for a key, that is not here.
  'open.not-for-you': 'ask-again',
  'open.no-secret-key': 'ask-again',
  'open.subkey-gone': 'ask-again',
  // No accident makes these.
  'open.two-payloads': 'report',
  'open.reflection': 'report',
  'open.replayed': 'report',
  'open.headers-differ': 'report',
  'open.bad-signature': 'report',
  'open.sender-unknown': 'verify',
  'open.unknown-signer': 'verify',
  'open.sender-changed': 'verify',
  'open.unknown-version': 'update',
  'open.unknown-suite': 'update',
  'open.unknown-critical': 'update',
  'open.level-unsupported': 'update',
  'open.written-elsewhere': 'none',
};

/**
 * What helps where a message was not opened (F44). A key that is not there yet may come for a day, and for none after it.
 *
 * @param age milliseconds since the message was written
 */
export function openingStep(code: ErrorCode, age: number): OpeningStep {
  if (code === 'kme.key-not-found') return age < KEY_WAIT_MS ? 'wait' : 'ask-again';
  const step = STEPS[code];
  if (step) return step;
  return /^(?:net|kme|pad|imap|store)\./.test(code) ? 'wait' : 'none';
}
