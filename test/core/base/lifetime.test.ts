import assert from 'node:assert/strict';
import { DisposableStore, Emitter, toDisposable } from '../../../src/core/base/lifetime.ts';

describe('base/lifetime', () => {
  it('closes what it owns in reverse order, once', () => {
    const closed: number[] = [];
    const store = new DisposableStore();
    for (const n of [1, 2, 3]) store.add(toDisposable(() => closed.push(n)));
    store.dispose();
    store.dispose();
    assert.deepEqual(closed, [3, 2, 1]);
    assert.equal(store.disposed, true);
  });

  it('closes at once what is handed to it after its end', () => {
    let closed = 0;
    const store = new DisposableStore();
    store.dispose();
    store.add(toDisposable(() => closed++));
    assert.equal(closed, 1);
  });

  it('closes a released item now and not again', () => {
    let closed = 0;
    const store = new DisposableStore();
    const item = store.add({ dispose: () => closed++ });
    store.release(item);
    store.release(item);
    store.dispose();
    assert.equal(closed, 1);
  });

  it('tells every listener, though one of them throws, and reports that', () => {
    const heard: string[] = [];
    const failures: unknown[] = [];
    const emitter = new Emitter<string>((error) => failures.push(error));
    emitter.event(() => {
      throw new Error('listener');
    });
    emitter.event((value) => heard.push(value));
    emitter.fire('a');
    assert.deepEqual(heard, ['a']);
    assert.equal(failures.length, 1);
  });

  it('stops telling a listener that went, even one that went during the telling', () => {
    const heard: string[] = [];
    const emitter = new Emitter<string>();
    const first = emitter.event((value) => {
      heard.push(`first ${value}`);
      first.dispose();
    });
    emitter.event((value) => heard.push(`second ${value}`));
    emitter.fire('a');
    emitter.fire('b');
    emitter.dispose();
    emitter.fire('c');
    assert.deepEqual(heard, ['first a', 'second a', 'second b']);
  });
});
