import type { MailFlag } from '../../base/types.ts';
import type { ActionMessage, ActionRecord, FlagChange, Place } from '../../store/actionRow.ts';

/** What waits for one message on the server, folded: where it is to be shown and which flags were decided here. */
export interface PendingView {
  readonly message: ActionMessage;
  /** Rows that actions about it were taken on: more than one where a look listed it at its place before that was known here. */
  readonly rows: readonly number[];
  /** The folder it is shown in; undefined once it is to be removed. */
  readonly folder: string | undefined;
  /** The last word on each flag that the person touched. */
  readonly decided: ReadonlyMap<MailFlag, 'set' | 'clear'>;
}

/** One key per message on the server. */
export function placeKey({ folder, uidValidity, uid }: Place): string {
  return `${uidValidity}:${uid}:${folder}`;
}

/** Folds what waits, which comes in the order of replay, into one view per message. */
export function pendingViews(open: readonly ActionRecord[]): Map<string, PendingView> {
  const views = new Map<string, PendingView>();
  for (const action of open) {
    for (const message of action.messages) {
      if (message.outcome !== 'open') continue;
      const key = placeKey(message);
      const before = views.get(key) ?? { message, rows: [], folder: message.folder, decided: new Map() };
      views.set(key, {
        message,
        rows: [...before.rows, message.messageId],
        folder: action.verb === 'move' ? (action.target ?? before.folder) : action.verb === 'expunge' ? undefined : before.folder,
        decided: action.verb === 'flags' ? decide(before.decided, action.change) : before.decided,
      });
    }
  }
  return views;
}

/** The server's flags with the person's on top. */
export function withDecided(flags: readonly MailFlag[], decided: PendingView['decided']): MailFlag[] {
  const kept = flags.filter((flag) => decided.get(flag) !== 'clear');
  const set = [...decided].flatMap(([flag, to]) => (to === 'set' && !kept.includes(flag) ? [flag] : []));
  return [...kept, ...set];
}

/** Flags after a change. */
function changed(flags: readonly MailFlag[], change: Pick<FlagChange, 'add' | 'remove'>): MailFlag[] {
  return withDecided(flags, decide(new Map(), change));
}

/** What takes a change back from a message that had these flags before it: only what the change made different. */
export function inverseChange(before: readonly MailFlag[], change: FlagChange): FlagChange {
  const after = changed(before, change);
  return {
    add: before.filter((flag) => !after.includes(flag)),
    remove: after.filter((flag) => !before.includes(flag)),
    addKeywords: change.removeKeywords,
    removeKeywords: change.addKeywords,
  };
}

export interface CountChange {
  readonly folder: string;
  readonly unread: number;
  readonly total: number;
}

/** How an action changes the counts of folders. */
export function countChanges(action: ActionRecord): CountChange[] {
  return countChangesOf(action, action.messages);
}

/** The same where of several messages that are alike in this only their number is known. */
export function countChangesOf(
  action: Pick<ActionRecord, 'verb' | 'target' | 'change'>,
  messages: readonly (Pick<ActionMessage, 'fromFolder' | 'flags'> & { readonly count?: number })[],
): CountChange[] {
  const changes = new Map<string, CountChange>();
  const count = (folder: string, unread: number, total: number): void => {
    const sum = changes.get(folder) ?? { folder, unread: 0, total: 0 };
    changes.set(folder, { folder, unread: sum.unread + unread, total: sum.total + total });
  };
  for (const { fromFolder, flags, count: times = 1 } of messages) {
    const unread = flags.includes('seen') ? 0 : 1;
    if (action.verb === 'flags') count(fromFolder, ((changed(flags, action.change).includes('seen') ? 0 : 1) - unread) * times, 0);
    else {
      count(fromFolder, -unread * times, -times);
      if (action.target !== undefined) count(action.target, unread * times, times);
    }
  }
  return [...changes.values()];
}

function decide(
  before: ReadonlyMap<MailFlag, 'set' | 'clear'>,
  change: Pick<FlagChange, 'add' | 'remove'>,
): Map<MailFlag, 'set' | 'clear'> {
  const decided = new Map(before);
  for (const flag of change.remove) decided.set(flag, 'clear');
  // As the wire has it: what is in both is set.
  for (const flag of change.add) decided.set(flag, 'set');
  return decided;
}
