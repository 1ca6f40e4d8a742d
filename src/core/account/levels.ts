import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';

/** What is known about one recipient, as far as levels go. */
export interface RecipientLevels {
  readonly address: string;
  readonly minimumLevel: SecurityLevel;
  /** True where both sides have a QKD link: the contact's SAE ID is known and this account has a key manager. */
  readonly hasLink: boolean;
}

/** True when `level` protects at least as strongly as `floor`; L1 is the strongest. */
export function isAtLeast(level: SecurityLevel, floor: SecurityLevel): boolean {
  return SECURITY_LEVELS.indexOf(level) <= SECURITY_LEVELS.indexOf(floor);
}

/** The stronger of two levels. */
export function strongerOf(a: SecurityLevel, b: SecurityLevel): SecurityLevel {
  return isAtLeast(a, b) ? a : b;
}

/** The levels this version can write to one recipient. L3 needs certificates, which it does not know yet. */
function levelsOf(recipient: RecipientLevels): readonly SecurityLevel[] {
  const supported: SecurityLevel[] = recipient.hasLink ? ['L1', 'L2', 'L4'] : ['L4'];
  return supported.filter((level) => isAtLeast(level, recipient.minimumLevel));
}

/** Levels at which every recipient can be reached without going below anyone's minimum; all writable ones when there is nobody yet. */
export function possibleLevels(recipients: readonly RecipientLevels[]): readonly SecurityLevel[] {
  return (['L1', 'L2', 'L4'] as const).filter((level) => recipients.every((recipient) => levelsOf(recipient).includes(level)));
}

/**
 * Where a new message starts (DESIGN 1): L2 where everyone has a link, else L4, never below a contact's minimum.
 * The answer depends on what is known about people, never on what happens to be reachable, so a failing key manager
 * cannot lower it. `preferred` is the person's own fixed start, honoured where it is not below the minimum.
 */
export function startLevel(recipients: readonly RecipientLevels[], preferred: 'best' | SecurityLevel): SecurityLevel {
  const floor = recipients.reduce<SecurityLevel>((level, recipient) => strongerOf(level, recipient.minimumLevel), 'L4');
  const everyoneLinked = recipients.length > 0 && recipients.every((recipient) => recipient.hasLink);
  const best = preferred === 'best' ? (everyoneLinked ? 'L2' : 'L4') : preferred;
  return strongerOf(best, floor);
}
