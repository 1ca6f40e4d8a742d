import assert from 'node:assert/strict';
import { Serial } from '../../../src/core/auth/serial.ts';

describe('auth/serial', () => {
  it('runs work of one key in order, past failures, and other keys beside it', async () => {
    const serial = new Serial();
    const steps: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = serial.run('a', async () => {
      await gate.promise;
      steps.push('a1');
      throw new Error('a1');
    });
    const second = serial.run('a', async () => steps.push('a2'));
    await serial.run('b', async () => steps.push('b'));
    gate.resolve();
    await assert.rejects(first, /a1/);
    await second;
    assert.deepEqual(steps, ['b', 'a1', 'a2']);
  });

  it('is idle once everything asked for has ended', async () => {
    const serial = new Serial();
    let done = 0;
    for (const key of ['a', 'a', 'b']) void serial.run(key, async () => void done++);
    await serial.idle();
    assert.equal(done, 3);
    await serial.idle();
  });
});
