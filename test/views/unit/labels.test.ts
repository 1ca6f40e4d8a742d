import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SECURITY_LEVELS } from '../../../src/core/api.ts';
import { correspondents, levelLabel, messageIcon, personLabel, shortDate, sizeLabel, stockLabel } from '../../../src/views/labels.ts';
import { plain } from './plainLocaliser.ts';

const at = (iso: string): number => Date.parse(iso);

describe('views/labels', () => {
  it('names the levels as the design does', () => {
    assert.deepEqual(
      SECURITY_LEVELS.map((level) => levelLabel(level, plain)),
      ['L1 · Quantum one-time pad', 'L2 · Quantum-aided AES', 'L3 · Post-quantum', 'L4 · None'],
    );
  });

  const dates: readonly (readonly [when: string, date: string, says: RegExp])[] = [
    ['earlier today', '2026-03-11T08:05:00Z', /^08:05/],
    ['yesterday', '2026-03-10T23:59:00Z', /^Tue$/],
    ['five days ago', '2026-03-06T12:00:00Z', /^Fri$/],
    ['earlier this year', '2026-01-02T12:00:00Z', /^2 Jan$/],
    ['another year', '2024-12-31T12:00:00Z', /^31 Dec 2024$/],
    ['in the future, as a broken clock writes', '2027-05-01T12:00:00Z', /^1 May 2027$/],
  ];
  for (const [when, date, says] of dates) {
    it(`shows a date ${when} as short as can be`, () => {
      assert.match(shortDate(at(date), at('2026-03-11T12:00:00Z'), 'en-GB', 'UTC'), says);
    });
  }

  it('judges "today" in the time zone of the reader', () => {
    assert.match(shortDate(at('2026-03-10T23:30:00Z'), at('2026-03-11T08:00:00Z'), 'en-GB', 'Asia/Kolkata'), /^05:00/);
  });

  it('shows who wrote, and in one’s own folders to whom', () => {
    const message = { from: { name: 'Alice', address: 'alice@a.example' }, to: [{ name: '', address: 'bob@b.example' }] };
    assert.equal(correspondents(message, 'received', plain), 'Alice');
    assert.equal(correspondents(message, 'sent', plain), 'To bob@b.example');
    assert.equal(correspondents({ ...message, to: [] }, 'sent', plain), '(no recipient)');
    assert.equal(correspondents({ ...message, from: { name: '', address: '' } }, 'received', plain), '(no sender)');
    assert.equal(personLabel({ name: '  ', address: 'x@y.example' }), 'x@y.example');
  });

  it('marks what could not be opened, whatever its level', () => {
    for (const level of SECURITY_LEVELS) assert.equal(messageIcon(level, 'failed').id, 'error');
  });

  it('never shows a lock on plain mail', () => {
    for (const level of SECURITY_LEVELS) assert.equal(messageIcon(level, 'plain').id, 'mail');
    assert.equal(messageIcon('L4', 'opened').id, 'mail');
    assert.deepEqual(messageIcon('L2', 'opened'), { id: 'lock', color: 'charts.green' });
    assert.deepEqual(messageIcon('L2', 'unopened'), { id: 'lock' });
  });

  it('tells a key stock in keys and bytes, as far as the key manager told it', () => {
    assert.equal(stockLabel({ storedKeyCount: 1000, keySize: 256 }, plain), '1000 keys, 32 kB');
    assert.equal(stockLabel({ storedKeyCount: 7 }, plain), '7 keys');
    assert.equal(stockLabel({ keySize: 256 }, plain), 'stock unknown');
  });

  it('keeps sizes to at most four characters and a unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (octets) => {
        assert.match(sizeLabel(octets), /^(\d{1,4}|\d\.\d|10\.0) (B|kB|MB|GB)$/);
      }),
    );
  });
});
