import assert from 'node:assert/strict';
import { draftStateWords, type KnownDraftState } from '../../../src/views/composer/draftStateText.ts';
import { plain } from './plainLocaliser.ts';

const rejected = { code: 'imap.rejected', details: { response: 'NO [OVERQUOTA] Quota exceeded' } } as const;
const full = { code: 'store.full', details: {} } as const;
const shut = { code: 'draft.copy-shut', details: {} } as const;
const STATES: readonly KnownDraftState[] = [
  { state: 'on-server' },
  { state: 'under-way' },
  { state: 'waiting', for: 'connection' },
  { state: 'waiting', for: 'certificate' },
  { state: 'here-only' },
  { state: 'outgoing' },
  { state: 'failed', failure: rejected },
  { state: 'newer-elsewhere', failure: shut },
  { state: 'unsaved', failure: full },
];

describe('views/where a draft is saved', () => {
  it('is said in a few words and explained in a sentence, each state in its own', () => {
    const words = STATES.map((state) => draftStateWords(state, plain));
    for (const { icon, text, detail } of words) {
      assert.match(icon, /^[a-z-]+$/);
      assert.ok(text.length > 0 && text.length <= 40, text);
      assert.match(detail, /\.$/);
    }
    assert.equal(new Set(words.map(({ detail }) => detail)).size, STATES.length);
  });

  it('names the server only where the server has it', () => {
    const saved = STATES.filter((state) => draftStateWords(state, plain).text === 'Saved to Drafts');
    assert.deepEqual(saved, [{ state: 'on-server' }]);
  });

  it('brings the failure along, so that its next step can be offered', () => {
    assert.deepEqual(draftStateWords({ state: 'failed', failure: rejected }, plain).failure, rejected);
    assert.match(draftStateWords({ state: 'unsaved', failure: full }, plain).detail, /Leave it open\. The disk is full/);
    assert.equal(draftStateWords({ state: 'on-server' }, plain).failure, undefined);
  });
});
