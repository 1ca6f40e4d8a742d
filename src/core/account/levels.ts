import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';

/** What is known about one recipient, as far as levels go. */
export interface RecipientLevels {
  readonly address: string;
  readonly minimumLevel: SecurityLevel;
  /** True where both sides have a QKD link (the contact's SAE ID is known and this account has a key manager), or share a pad. */
  readonly hasLink: boolean;
  /**
   * What is known of an OpenPGP certificate. `changed`: another one than was pinned has come and the person has not decided; nothing is
   * sealed to it, and nothing is sealed without it either. `expired`: there was a post-quantum one; L3 waits for its successor.
   */
  readonly certificate?: 'post-quantum' | 'classic' | 'changed' | 'expired';
}

/** True when `level` protects at least as strongly as `floor`; L1 is the strongest. */
export function isAtLeast(level: SecurityLevel, floor: SecurityLevel): boolean {
  return SECURITY_LEVELS.indexOf(level) <= SECURITY_LEVELS.indexOf(floor);
}

/** The stronger of two levels. */
export function strongerOf(a: SecurityLevel, b: SecurityLevel): SecurityLevel {
  return isAtLeast(a, b) ? a : b;
}

/** The levels one recipient can be written to at. A classic certificate makes no L3: that is a promise against quantum computers. */
function levelsOf(recipient: RecipientLevels): readonly SecurityLevel[] {
  const supported: SecurityLevel[] = ['L4'];
  if (recipient.hasLink) supported.push('L1', 'L2');
  if (recipient.certificate === 'post-quantum') supported.push('L3');
  return supported.filter((level) => isAtLeast(level, recipient.minimumLevel));
}

/** Levels at which every recipient can be reached without going below anyone's minimum; all writable ones when there is nobody yet. */
export function possibleLevels(recipients: readonly RecipientLevels[]): readonly SecurityLevel[] {
  return SECURITY_LEVELS.filter((level) => recipients.every((recipient) => levelsOf(recipient).includes(level)));
}

/**
 * Where a new message starts (DESIGN 1): L2 where everyone has a link or shares a pad, else L3 where everyone's certificate is known, else
 * L4, never below a contact's minimum. The answer depends on what is known about people, never on what happens to be reachable, so a
 * failing key manager cannot lower it; nor can a changed or expired certificate, which blocks sending instead.
 * `preferred` is the person's own fixed start, honoured where it is not below the minimum.
 */
export function startLevel(recipients: readonly RecipientLevels[], preferred: 'best' | SecurityLevel): SecurityLevel {
  const floor = recipients.reduce<SecurityLevel>((level, recipient) => strongerOf(level, recipient.minimumLevel), 'L4');
  return strongerOf(preferred === 'best' ? bestKnown(recipients) : preferred, floor);
}

function bestKnown(recipients: readonly RecipientLevels[]): SecurityLevel {
  if (recipients.length === 0) return 'L4';
  if (recipients.every(({ hasLink }) => hasLink)) return 'L2';
  return recipients.every(({ certificate }) => certificate !== undefined && certificate !== 'classic') ? 'L3' : 'L4';
}
