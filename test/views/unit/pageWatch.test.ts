import assert from 'node:assert/strict';
import { HEARING_MS, PageWatch, PATIENCE_MS } from '../../../src/views/pageWatch.ts';
import { manualClock } from '../../core/transport/manualClock.ts';

type WatchedPanel = Parameters<PageWatch['begin']>[0];

/** The part of VS Code's panel that is looked at, which a test hides and shows. */
class Panel implements WatchedPanel {
  readonly options: WatchedPanel['options'];
  visible = true;
  readonly #listeners = new Set<() => void>();

  constructor(options: WatchedPanel['options'] = {}) {
    this.options = options;
  }

  readonly onDidChangeViewState = ((listener: () => void) => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  }) as WatchedPanel['onDidChangeViewState'];

  become(state: 'visible' | 'hidden'): void {
    this.visible = state === 'visible';
    for (const listener of this.#listeners) listener();
  }
}

const LONG_MS = PATIENCE_MS.reduce((sum, ms) => sum + ms + HEARING_MS, 0) * 2;
const [FIRST_MS = 0, SECOND_MS = 0] = PATIENCE_MS.map((ms) => ms + HEARING_MS);

describe('views/a page that does not come up', () => {
  const clock = manualClock();
  let done: string[];
  let watch: PageWatch;
  let panel: Panel;

  const watching = (tries: number): PageWatch =>
    new PageWatch(
      { anew: () => done.push('anew'), givenUp: () => done.push('given up') },
      { tries, clock: (ms, run) => clock.after(ms, run) },
    );

  beforeEach(() => {
    done = [];
    panel = new Panel();
    watch = watching(0);
  });

  afterEach(() => watch.dispose());

  it('leaves a page alone that says it is there', () => {
    watch.begin(panel);
    clock.advance(FIRST_MS - 1);
    watch.ready();
    clock.advance(LONG_MS);
    assert.deepEqual(done, []);
  });

  it('has a silent page loaded anew, waits longer for the new one, and gives up in the end', () => {
    watch.begin(panel);
    for (const [index, ms] of PATIENCE_MS.entries()) {
      const before = done.length;
      clock.advance(ms + HEARING_MS - 1);
      assert.equal(done.length, before);
      clock.advance(1);
      assert.equal(done.at(-1), index < PATIENCE_MS.length - 1 ? 'anew' : 'given up');
      if (done.at(-1) === 'anew') watch.begin(new Panel());
    }
    clock.advance(LONG_MS);
    assert.deepEqual(done, ['anew', 'given up']);
  });

  it('is as patient as at first with a page that came up at the second attempt', () => {
    watch.begin(panel);
    clock.advance(FIRST_MS);
    watch.begin(panel);
    watch.ready();
    panel.become('hidden');
    panel.become('visible');
    clock.advance(FIRST_MS - 1);
    assert.deepEqual(done, ['anew']);
    clock.advance(1);
    assert.deepEqual(done, ['anew', 'anew']);
  });

  it('does not wait for a page that nobody looks at, and does once somebody does', () => {
    watch.begin(panel);
    panel.become('hidden');
    clock.advance(LONG_MS);
    assert.deepEqual(done, []);
    panel.become('visible');
    panel.become('visible');
    clock.advance(FIRST_MS);
    assert.deepEqual(done, ['anew']);
  });

  it('does not wait for a page that VS Code has kept while it was hidden', () => {
    const keeping = new Panel({ retainContextWhenHidden: true });
    watch.begin(keeping);
    watch.ready();
    keeping.become('hidden');
    keeping.become('visible');
    clock.advance(LONG_MS);
    assert.deepEqual(done, []);
  });

  it('listens to the panel that took the place of another, and to no other', () => {
    watch.begin(panel);
    clock.advance(FIRST_MS);
    const other = new Panel();
    watch.begin(other);
    panel.become('hidden');
    other.become('hidden');
    clock.advance(LONG_MS);
    assert.deepEqual(done, ['anew']);
    panel.become('visible');
    clock.advance(LONG_MS);
    assert.deepEqual(done, ['anew']);
    other.become('visible');
    clock.advance(LONG_MS);
    assert.deepEqual(done, ['anew', 'given up']);
  });

  it('is as patient with a page that takes the place of an empty one elsewhere as with the second here', () => {
    const second = watching(1);
    second.begin(panel);
    clock.advance(SECOND_MS - 1);
    assert.deepEqual(done, []);
    clock.advance(1);
    assert.deepEqual(done, ['given up']);
    second.dispose();
  });

  it('waits once more for a page that is loaded after it was given up, and says so again', () => {
    watch.begin(panel);
    clock.advance(FIRST_MS);
    watch.begin(panel);
    assert.equal(watch.gaveUp, false);
    clock.advance(SECOND_MS);
    assert.equal(watch.gaveUp, true);
    watch.begin(panel);
    assert.equal(watch.gaveUp, false);
    clock.advance(SECOND_MS - 1);
    assert.deepEqual(done, ['anew', 'given up']);
    clock.advance(1);
    assert.deepEqual(done, ['anew', 'given up', 'given up']);
    watch.begin(panel);
    watch.ready();
    clock.advance(LONG_MS);
    assert.deepEqual(done, ['anew', 'given up', 'given up']);
  });

  it('hears first what a page said while the program was busy', () => {
    watch.begin(panel);
    clock.leap(LONG_MS);
    clock.advance(1);
    // The message that lay in the pipe.
    watch.ready();
    clock.advance(LONG_MS);
    assert.deepEqual(done, []);
  });

  it('does nothing for a panel that was closed', () => {
    watch.begin(panel);
    watch.dispose();
    panel.become('hidden');
    panel.become('visible');
    clock.advance(LONG_MS);
    assert.deepEqual(done, []);
  });
});
