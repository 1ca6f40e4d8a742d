import assert from 'node:assert/strict';
import { ERROR_CODES, QuMailError, throwIfCancelled } from '../../../src/core/base/errors.ts';

describe('base/errors', () => {
  it('lists every code once', () => {
    assert.equal(new Set(ERROR_CODES).size, ERROR_CODES.length);
  });

  it('keeps a QuMailError as it is, names an abort, and wraps the rest with its cause', () => {
    const own = new QuMailError('net.cut');
    assert.equal(QuMailError.from(own), own);
    assert.equal(QuMailError.from(new DOMException('aborted', 'AbortError')).code, 'engine.cancelled');
    const other = new TypeError('x');
    const wrapped = QuMailError.from(other, 'store.corrupt', { what: 'row' });
    assert.deepEqual([wrapped.code, wrapped.details, wrapped.cause], ['store.corrupt', { what: 'row' }, other]);
  });

  it('throws once a signal was aborted, and not before', () => {
    const abort = new AbortController();
    throwIfCancelled(undefined);
    throwIfCancelled(abort.signal);
    abort.abort();
    assert.throws(() => throwIfCancelled(abort.signal), { code: 'engine.cancelled' });
  });
});
