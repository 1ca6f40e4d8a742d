import assert from 'node:assert/strict';
import { saveDraft } from '../../../src/views/composer/saveDraft.ts';

/** A document as VS Code has it: what `save` answers time after time, and after how many answers it is called clean. */
function documentOf({ answers, cleanAfter }: { answers: readonly boolean[]; cleanAfter: number }): {
  isDirty: boolean;
  save(): Promise<boolean>;
  saves: number;
} {
  return {
    saves: 0,
    get isDirty() {
      return this.saves < cleanAfter;
    },
    async save() {
      return answers[Math.min(this.saves++, answers.length - 1)] ?? false;
    },
  };
}

const fine = (): boolean => false;
const broken = (): boolean => true;

describe('views/saving a draft that is about to be sent', () => {
  let waited: number;
  const wait = async (ms: number): Promise<void> => void (waited += ms);

  beforeEach(() => {
    waited = 0;
  });

  it('takes what VS Code has saved for saved, also while the document is still called dirty', async () => {
    const document = documentOf({ answers: [true], cleanAfter: 100 });
    assert.equal(await saveDraft(document, fine, wait), true);
    assert.equal(document.saves, 1);
  });

  it('does not save what is saved', async () => {
    const document = documentOf({ answers: [false], cleanAfter: 0 });
    assert.equal(await saveDraft(document, fine, wait), true);
    assert.equal(document.saves, 0);
  });

  it('waits for another save that got in between', async () => {
    const document = documentOf({ answers: [false], cleanAfter: 5 });
    assert.equal(await saveDraft(document, fine, wait), true);
    assert.ok(waited > 0);
  });

  it('gives up at once on what the engine could not keep', async () => {
    const document = documentOf({ answers: [false], cleanAfter: 100 });
    assert.equal(await saveDraft(document, broken, wait), false);
    assert.equal(document.saves, 1);
    assert.equal(waited, 0);
  });

  it('gives up within two seconds on what is never saved', async () => {
    const document = documentOf({ answers: [false], cleanAfter: Infinity });
    assert.equal(await saveDraft(document, fine, wait), false);
    assert.ok(waited > 500 && waited < 2000, `${waited} ms`);
  });
});
