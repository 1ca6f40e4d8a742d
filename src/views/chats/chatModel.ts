import type { Chat, ChatLevel, ChatMessage } from '../../core/api.ts';
import { dateFormat } from '../dateFormats.ts';
import { levelName, messageIcon, personLabel, sizeLabel } from '../labels.ts';
import type { Localiser } from '../localiser.ts';
import { sentenceOf } from '../present.ts';
import { iconOf } from '../reader/attachmentGuard.ts';
import type { Place, ShownChat, ShownLine, Stretch } from './chatProtocol.ts';
import { membersText, noteOf, noticeText, safetyOf, startLevel, timerText } from './chatText.ts';

export interface Telling {
  readonly l10n: Localiser;
  readonly language: string;
  readonly now: number;
  /** The addresses of this person and of the others in the chat. */
  readonly self: string;
  readonly others: readonly string[];
  readonly nameOf: (address: string) => string;
  /** Only for tests. */
  readonly timeZone?: string;
}

/** Pictures the page shows itself; everything else is a file. SVG runs, so it is a file. */
const PICTURE = /^image\/(?:png|jpeg|gif|webp)$/;
const MAX_PICTURE = 10 * 1024 * 1024;

/** The head of the panel, in words; `account` where this person has several. */
export function shownChat(chat: Chat, level: ChatLevel | undefined, l10n: Localiser, account = ''): ShownChat {
  const next = level ?? startLevel(chat.minimumLevel);
  return {
    id: chat.id,
    name: chat.name,
    group: chat.kind === 'group',
    members: [account, membersText(chat.members, l10n)].filter(Boolean).join(' · '),
    safety: safetyOf(chat.verified, l10n),
    level: next,
    levelName: levelName(next, l10n),
    levelIcon: messageIcon(next, 'opened').id,
    timer: chat.timer === 0 ? '' : timerText(chat.timer, l10n),
    simulated: chat.simulated,
    note: noteOf(chat, l10n),
    writable: chat.member,
  };
}

/** One message or notice, in words. */
export function shownLine(message: ChatMessage, telling: Telling): ShownLine {
  const { l10n, language, now, self, timeZone, nameOf } = telling;
  const { notice, author, at, level, failure } = message;
  const zone = timeZone === undefined ? {} : { timeZone };
  const format = (time: number, options: Intl.DateTimeFormatOptions): string => dateFormat(language, { ...zone, ...options }).format(time);
  const state = stateOf(message, telling.others);
  return {
    id: message.id,
    at,
    kind: notice ? 'notice' : 'message',
    own: message.own,
    author: personLabel(author),
    address: author.address,
    time: format(at, { hour: '2-digit', minute: '2-digit' }),
    day: dayText(at, now, format, l10n),
    dateTime: format(at, { dateStyle: 'full', timeStyle: 'medium' }),
    text: textOf(message, l10n),
    ...(message.elsewhere && { elsewhere: true }),
    level,
    levelName: levelName(level, l10n),
    levelIcon: message.sealed ? messageIcon(level, 'opened').id : 'unlock',
    sealed: message.sealed,
    files: message.attachments.map(({ index, name, size, mimeType }) => ({
      index,
      name,
      size: sizeLabel(size),
      icon: iconOf(name, mimeType),
      picture: PICTURE.test(mimeType) && size <= MAX_PICTURE,
    })),
    ...(message.replyTo !== undefined && { replyTo: message.replyTo }),
    edited: message.edited,
    deleted: message.deleted,
    reactions: message.reactions.map(({ emoji, members }) => ({
      emoji,
      count: members.length,
      own: members.includes(self),
      names: members.map((address) => (address === self ? l10n.t('you') : nameOf(address))).join(', '),
    })),
    state,
    stateWord: stateWord(state, message, telling),
    ...(failure && { failure: sentenceOf(failure, l10n) }),
    ...(message.expiresAt !== undefined && {
      expires: {
        at: message.expiresAt,
        words: l10n.t('disappears {0}', format(message.expiresAt, { dateStyle: 'medium', timeStyle: 'short' })),
      },
    }),
  };
}

/** A page of messages as the stretch of the chat that it is: all there is from its oldest on, up to `to`. */
export function stretchOf(lines: readonly ShownLine[], older: boolean, to?: Place): Stretch {
  const first = lines[0];
  return {
    lines,
    ...(older && first && { from: { at: first.at, id: first.id } }),
    ...(to && { to }),
  };
}

/** The first of the last `unread` messages of others: where reading goes on. */
export function firstUnread(messages: readonly ChatMessage[], unread: number): string | undefined {
  if (unread <= 0) return undefined;
  const received = messages.filter(({ own, notice }) => !own && !notice);
  return received.at(-unread)?.id ?? received[0]?.id;
}

function textOf({ notice, elsewhere, text }: ChatMessage, l10n: Localiser): string {
  if (notice) return noticeText(notice, l10n);
  return elsewhere ? l10n.t('Sealed with a one-time pad: only the device that used it can show this message.') : text;
}

function stateOf({ own, state, read, delivered }: ChatMessage, others: readonly string[]): ShownLine['state'] {
  if (!own || state !== 'sent') return state;
  if (others.length > 0 && others.every((address) => read.includes(address))) return 'read';
  return others.length > 0 && others.every((address) => delivered.includes(address) || read.includes(address)) ? 'delivered' : 'sent';
}

function stateWord(state: ShownLine['state'], { read, delivered }: ChatMessage, { l10n, others, nameOf }: Telling): string {
  const words: Record<ShownLine['state'], string> = {
    queued: l10n.t('waiting to be sent'),
    sending: l10n.t('trying again'),
    sent: l10n.t('sent'),
    delivered: l10n.t('delivered'),
    read: l10n.t('read'),
    failed: l10n.t('not sent'),
    received: '',
  };
  if (state !== 'sent' || others.length < 2) return words[state];
  const names = (addresses: readonly string[]): string => addresses.map(nameOf).join(', ');
  if (read.length > 0) return l10n.t('sent, read by {0}', names(read));
  return delivered.length > 0 ? l10n.t('sent, delivered to {0}', names(delivered)) : words.sent;
}

function dayText(at: number, now: number, format: (time: number, options: Intl.DateTimeFormatOptions) => string, l10n: Localiser): string {
  const dayOf = (time: number): string => format(time, { year: 'numeric', month: '2-digit', day: '2-digit' });
  if (dayOf(at) === dayOf(now)) return l10n.t('Today');
  if (dayOf(at) === dayOf(now - 86_400_000)) return l10n.t('Yesterday');
  const sameYear = format(at, { year: 'numeric' }) === format(now, { year: 'numeric' });
  return format(at, { weekday: 'long', day: 'numeric', month: 'long', ...(sameYear ? {} : { year: 'numeric' }) });
}
