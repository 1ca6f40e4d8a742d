import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AGAIN_MS, SavePace } from '../../../src/views/composer/savePace.ts';
import { manualClock } from '../../core/transport/manualClock.ts';

/** What a person is promised. */
const PROMISED_MS = 1000;

describe('views/saving while somebody writes', () => {
  it('saves every key within a second, however long somebody writes without a pause', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 200 }), (gaps) => {
        const clock = manualClock();
        const pace = new SavePace((ms, run) => clock.after(ms, run));
        /** When each key was pressed that is not saved yet. */
        const unsaved: number[] = [];
        let saves = 0;
        for (const gap of [...gaps, PROMISED_MS]) {
          clock.advance(gap);
          unsaved.push(clock.now());
          pace.due('draft', 'saved', () => {
            saves++;
            for (const at of unsaved.splice(0)) assert.ok(clock.now() - at <= PROMISED_MS, `${clock.now() - at} ms`);
          });
        }
        clock.advance(PROMISED_MS);
        assert.deepEqual(unsaved, []);
        assert.ok(saves <= gaps.length + 1);
      }),
    ));

  it('saves each of two documents in its own time', () => {
    const clock = manualClock();
    const pace = new SavePace((ms, run) => clock.after(ms, run));
    const saved: string[] = [];
    pace.due('one', 'saved', () => saved.push('one'));
    clock.advance(500);
    pace.due('two', 'saved', () => saved.push('two'));
    clock.advance(500);
    assert.deepEqual(saved, ['one']);
    clock.advance(500);
    assert.deepEqual(saved, ['one', 'two']);
  });

  it('tries again what could not be saved, more rarely, and nothing once it is closed', () => {
    const clock = manualClock();
    const pace = new SavePace((ms, run) => clock.after(ms, run));
    let saves = 0;
    pace.due('draft', 'failed', () => void saves++);
    clock.advance(AGAIN_MS - 1);
    assert.equal(saves, 0);
    clock.advance(1);
    assert.equal(saves, 1);
    pace.due('draft', 'saved', () => void saves++);
    pace.dispose();
    assert.deepEqual([...clock.pending], []);
  });
});
