import type { DraftState } from '../base/drafts.ts';
import type { Failure } from '../base/model.ts';

/** What is known of a draft and of the way to its account's Drafts folder. */
export interface DraftFacts {
  /** Whether the copy on the server is of the very text that is here; `newer`: another device wrote one that cannot be read here. */
  readonly copy: 'same' | 'other' | 'newer';
  readonly outgoing: 'yes' | 'no';
  readonly account: { readonly state: string; readonly failure?: Failure | undefined } | undefined;
  /** `unknown`: the account's folders were never listed. */
  readonly folder: 'present' | 'none' | 'unknown';
  readonly certificate: 'present' | 'none';
  /** Why the last try failed, if it did. */
  readonly failure: Failure | undefined;
}

/** What a person is told of where a draft is. Pure. */
export function draftState(facts: DraftFacts): DraftState {
  const { account, folder, failure } = facts;
  if (facts.outgoing === 'yes') return { state: 'outgoing' };
  if (facts.copy === 'newer') return { state: 'newer-elsewhere', failure: { code: 'draft.copy-shut', details: {} } };
  if (facts.copy === 'same') return { state: 'on-server' };
  if (account?.state === 'needs-sign-in') return { state: 'failed', failure: account.failure ?? SIGN_IN };
  if (folder === 'none') return { state: 'here-only' };
  // That a line was cut is no failure of the draft: the connection comes back.
  if (account?.state !== 'online' || folder === 'unknown' || failure?.code.startsWith('net.'))
    return { state: 'waiting', for: 'connection' };
  if (failure) return { state: 'failed', failure };
  return facts.certificate === 'none' ? { state: 'waiting', for: 'certificate' } : { state: 'under-way' };
}

const SIGN_IN: Failure = { code: 'auth.sign-in-again', details: {} };
