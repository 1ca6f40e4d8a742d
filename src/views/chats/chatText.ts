import type { Chat, ChatLevel, ChatMember, ChatNotice, ChatReach, ChatSummary } from '../../core/api.ts';
import { levelLabel } from '../labels.ts';
import type { Localiser } from '../localiser.ts';
import { sentenceOf } from '../present.ts';

export interface Safety {
  readonly icon: string;
  readonly word: string;
  readonly tone: 'good' | 'mixed' | 'open';
}

/** Whether the others are who they say they are, as an icon and in words. */
export function safetyOf(verified: ChatSummary['verified'], l10n: Localiser): Safety {
  switch (verified) {
    case 'all':
      return { icon: 'verified-filled', word: l10n.t('everybody verified'), tone: 'good' };
    case 'some':
      return { icon: 'shield', word: l10n.t('some verified'), tone: 'mixed' };
    case 'none':
      return { icon: 'unverified', word: l10n.t('not verified'), tone: 'open' };
  }
}

/** How sure it is who a member is. */
export function memberWord({ self, admin, verified }: ChatMember, l10n: Localiser): string {
  const known: Record<ChatMember['verified'], string> = {
    verified: l10n.t('verified'),
    qkd: l10n.t('confirmed by QKD'),
    no: l10n.t('not verified'),
  };
  return [self ? l10n.t('you') : known[verified], admin ? l10n.t('administrator') : ''].filter(Boolean).join(' · ');
}

/** One sentence for what happened to the group. */
export function noticeText(notice: ChatNotice, l10n: Localiser): string {
  switch (notice.kind) {
    case 'created':
      return l10n.t('{0} started this chat', notice.by);
    case 'left':
      return l10n.t('{0} left', notice.by);
    case 'picture':
      return l10n.t('{0} changed the picture', notice.by);
    case 'added':
      return l10n.t('{0} added {1}', notice.by, notice.member);
    case 'removed':
      return l10n.t('{0} removed {1}', notice.by, notice.member);
    case 'made-admin':
      return l10n.t('{0} made {1} an administrator', notice.by, notice.member);
    case 'unmade-admin':
      return l10n.t('{0} took the administration from {1}', notice.by, notice.member);
    case 'renamed':
      return l10n.t('{0} named the group "{1}"', notice.by, notice.name);
    case 'minimum-level':
      return l10n.t('{0} set the minimum level to {1}', notice.by, levelLabel(notice.level, l10n));
    case 'timer':
      return notice.seconds === 0
        ? l10n.t('{0} turned disappearing messages off', notice.by)
        : l10n.t('{0} lets messages disappear after {1}', notice.by, timerText(notice.seconds, l10n));
    case 'refused':
      return l10n.t('A change by {0} was not accepted', notice.by);
  }
}

/** Choices for disappearing messages, in seconds. */
export const TIMERS = [0, 300, 3600, 86_400, 604_800, 2_592_000] as const;

export function timerText(seconds: number, l10n: Localiser): string {
  if (seconds === 0) return l10n.t('never');
  if (seconds < 60) return l10n.t('{0} s', seconds);
  if (seconds < 3600) return l10n.t('{0} min', Math.round(seconds / 60));
  if (seconds < 86_400) return l10n.t('{0} h', Math.round(seconds / 3600));
  return seconds < 172_800 ? l10n.t('1 day') : l10n.t('{0} days', Math.round(seconds / 86_400));
}

/** How one person is reached, or why not. */
export function reachText({ reachable, keyed, failure }: ChatReach, l10n: Localiser): string {
  if (!reachable) return failure ? sentenceOf(failure, l10n) : l10n.t('cannot be reached at this level');
  const ways: Record<NonNullable<ChatReach['keyed']>, string> = {
    multicast: l10n.t('one quantum key for the whole group'),
    pairwise: l10n.t('a quantum key of its own'),
    pad: l10n.t('the pad you exchanged'),
    'post-quantum': l10n.t('post-quantum certificate'),
  };
  return keyed ? ways[keyed] : l10n.t('reachable');
}

/** Who is in a chat, in a line. */
export function membersText(members: readonly ChatMember[], l10n: Localiser): string {
  return members.map(({ self, name, address }) => (self ? l10n.t('you') : name || address)).join(', ');
}

/** What stands above the messages where something is not as usual. */
export function noteOf({ member, incomplete }: Pick<Chat, 'member' | 'incomplete'>, l10n: Localiser): string {
  if (!member) return l10n.t('You are no longer a member. What was said stays here; nothing can be sent.');
  return incomplete ? l10n.t('Something about this group has not arrived yet. What is shown may be behind.') : '';
}

/** Levels at or above a minimum, the lowest first. */
export function levelsFrom(minimum: ChatLevel): readonly ChatLevel[] {
  const levels: readonly ChatLevel[] = ['L3', 'L2', 'L1'];
  return levels.slice(levels.indexOf(minimum));
}

/** What is sent next where nothing else was chosen: quantum keys wherever there are any. */
export function startLevel(minimum: ChatLevel): ChatLevel {
  return minimum === 'L1' ? 'L1' : 'L2';
}
