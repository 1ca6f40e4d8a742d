import assert from 'node:assert/strict';
import { draftState, type DraftFacts } from '../../../src/core/account/draftState.ts';

const online: DraftFacts = {
  copy: 'other',
  outgoing: 'no',
  account: { state: 'online' },
  folder: 'present',
  certificate: 'present',
  failure: undefined,
};
const rejected = { code: 'imap.rejected', details: { response: 'OVERQUOTA' } } as const;
const signIn = { code: 'auth.sign-in-again', details: {} } as const;

describe('account/where a draft is', () => {
  const rows: readonly [string, Partial<DraftFacts>, ReturnType<typeof draftState>][] = [
    ['is on its way while nothing stands in it', {}, { state: 'under-way' }],
    [
      'is on the server once its copy says the same, also without a connection',
      { copy: 'same', account: undefined },
      { state: 'on-server' },
    ],
    ['waits for a connection', { account: { state: 'offline' } }, { state: 'waiting', for: 'connection' }],
    ['waits for one that was cut a moment ago', { failure: { code: 'net.cut', details: {} } }, { state: 'waiting', for: 'connection' }],
    ['waits for folders that were never listed', { folder: 'unknown' }, { state: 'waiting', for: 'connection' }],
    ['waits for the own certificate', { certificate: 'none' }, { state: 'waiting', for: 'certificate' }],
    ['failed where the server said no', { failure: rejected }, { state: 'failed', failure: rejected }],
    ['failed where only the person can sign in', { account: { state: 'needs-sign-in' } }, { state: 'failed', failure: signIn }],
    ['stays here where there is no Drafts folder', { folder: 'none', account: { state: 'offline' } }, { state: 'here-only' }],
    [
      'says where another computer wrote a newer text that no key here opens',
      { copy: 'newer' },
      { state: 'newer-elsewhere', failure: { code: 'draft.copy-shut', details: {} } },
    ],
    ['belongs to the outbox once it was handed over', { outgoing: 'yes', copy: 'same' }, { state: 'outgoing' }],
  ];
  for (const [name, facts, expected] of rows) it(name, () => assert.deepEqual(draftState({ ...online, ...facts }), expected));
});
