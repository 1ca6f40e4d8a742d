import assert from 'node:assert/strict';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { Span } from '../../../src/core/transport/span.ts';
import { WorkQueue } from '../../../src/core/transport/workQueue.ts';

const never = (): Promise<never> => new Promise(() => {});
const withCode =
  (code: string) =>
  (error: unknown): boolean =>
    QuMailError.is(error) && error.code === code;

describe('a span', () => {
  it('ends the work in it when it is disposed of', async () => {
    const span = new Span();
    let seen: AbortSignal | undefined;
    const work = span.during(undefined, (signal) => {
      seen = signal;
      return never();
    });
    span.dispose();
    await assert.rejects(work, withCode('engine.stopped'));
    assert.equal(seen?.aborted, true);
    await assert.rejects(span.during(undefined, never), withCode('engine.stopped'));
  });

  it('ends only the work whose caller gives up', async () => {
    const span = new Span();
    const controller = new AbortController();
    const given = span.during(controller.signal, never);
    const kept = span.during(undefined, async () => 'done');
    controller.abort();
    await assert.rejects(given, withCode('engine.cancelled'));
    assert.equal(await kept, 'done');
    assert.equal(span.ended, false);
  });
});

describe('a work queue', () => {
  const free = new AbortController().signal;

  it('does one thing after the other, also after a failure', async () => {
    const queue = new WorkQueue();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = queue.run(free, async () => {
      await gate.promise;
      order.push('first');
      throw new Error('no matter');
    });
    const second = queue.run(free, async () => void order.push('second'));
    gate.resolve();
    await assert.rejects(first);
    await second;
    assert.deepEqual(order, ['first', 'second']);
  });

  it('skips work that was cancelled while it waited, and lets nothing overtake what runs', async () => {
    const queue = new WorkQueue();
    const gate = Promise.withResolvers<void>();
    const controller = new AbortController();
    let running = true;
    const first = queue.run(free, async () => {
      await gate.promise;
      running = false;
    });
    const second = queue.run(controller.signal, async () => assert.fail('was cancelled'));
    const third = queue.run(free, async () => running);
    controller.abort();
    gate.resolve();
    await first;
    await assert.rejects(second, withCode('engine.cancelled'));
    assert.equal(await third, false);
  });
});
