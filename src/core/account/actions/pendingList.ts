import type { PendingAction } from '../../base/actions.ts';
import type { ActionRecord } from '../../store/actionRow.ts';
import { readFailure } from '../stored.ts';

/** The records of one request as one row of the list of what waits. */
export function pendingOf(records: readonly ActionRecord[], counts: Pick<PendingAction, 'messages' | 'vanished'>): PendingAction {
  const [first] = records;
  const worst = (['failed', 'running', 'waiting', 'dropped'] as const).find((state) => records.some((record) => record.state === state));
  const failure = readFailure(records.find(({ failureJson }) => failureJson !== undefined)?.failureJson);
  const target = records.find((record) => record.target !== undefined)?.target;
  return {
    id: first!.id,
    accountId: first!.accountId,
    purpose: records.every(({ verb }) => verb === 'expunge') ? 'expunge' : first!.purpose,
    ...(target !== undefined && { target }),
    ...counts,
    state: worst ?? 'waiting',
    ...(failure && { failure }),
    undoable: !records.some(({ verb, state }) => verb === 'expunge' && state !== 'waiting'),
    createdAt: first!.createdAt,
  };
}
