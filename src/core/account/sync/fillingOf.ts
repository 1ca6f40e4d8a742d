import type { Filling } from '../../base/sync.ts';
import type { Failure } from '../../base/model.ts';
import type { OfflineStore } from '../../store/offline.ts';
import type { MailAccount } from '../mailAccount.ts';
import { readFailure } from '../stored.ts';

/** How far the offline copy of an account is, and why it was cut. `budget`: octets that offline mail may take. */
export function fillingOf(
  account: Pick<MailAccount, 'id' | 'leads' | 'background'>,
  offline: Pick<OfflineStore, 'filling' | 'room'>,
  budget: number,
): { readonly filling: Filling; readonly failure?: Failure } {
  const { filling } = offline;
  if (filling.isStopped(account.id)) return { filling: 'stopped' };
  const { outcome, failureJson } = filling.outcome(account.id);
  // What is told of filling that goes on is left from an earlier start where this window is the one to do it and does not.
  if (outcome === 'going-on' && account.leads && !account.background.active) return { filling: 'waiting' };
  if (outcome === 'complete' && offline.room.usedOctets() >= budget) return { filling: 'no-room' };
  const failure = outcome === 'cut' ? readFailure(failureJson) : undefined;
  return { filling: outcome, ...(failure && { failure }) };
}
