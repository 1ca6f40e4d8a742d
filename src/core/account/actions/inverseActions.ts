import { NO_CHANGE, type ActionRecord, type NewAction, type NewActionMessage } from '../../store/actionRow.ts';
import { inverseChange } from './pendingView.ts';

/** What undoes an action that the server has heard, or is hearing. */
export function inverseOf(record: ActionRecord, id: string, now: number): NewAction[] {
  const groups = new Map<string, NewAction & { messages: NewActionMessage[] }>();
  for (const message of record.messages) {
    if (message.outcome === 'vanished') continue;
    const step =
      record.verb === 'move' ? { target: message.fromFolder, change: NO_CHANGE } : { change: inverseChange(message.flags, record.change) };
    const key = JSON.stringify(step);
    const group = groups.get(key) ?? {
      id,
      accountId: record.accountId,
      purpose: 'undo',
      verb: record.verb,
      createdAt: now,
      ...step,
      messages: [],
    };
    const { id: _, outcome: __, ...rest } = message;
    // What the inverse starts from is what the action led to.
    const flags =
      record.verb === 'flags'
        ? [...new Set([...message.flags.filter((flag) => !record.change.remove.includes(flag)), ...record.change.add])]
        : message.flags;
    group.messages.push({ ...rest, flags, fromFolder: record.target ?? message.fromFolder });
    groups.set(key, group);
  }
  return [...groups.values()];
}
