import assert from 'node:assert/strict';
import type { OutboxEntry } from '../../../src/core/api.ts';
import { actionLabel, entryDetail, outboxActions, outboxIcon, outboxSummary, stateText } from '../../../src/views/outbox/outboxText.ts';
import { plain } from './plainLocaliser.ts';

const NOW = Date.UTC(2026, 10, 22, 13, 0);
const MINUTE = 60_000;
const moment = { now: NOW, locale: 'en-GB', timeZone: 'UTC' };
const STATES: readonly OutboxEntry['state'][] = ['queued', 'held', 'scheduled', 'sending', 'waiting', 'rejected', 'acceptance-unknown'];

const entry = (more: Partial<OutboxEntry>): OutboxEntry => ({
  id: 1,
  accountId: 'a',
  draftId: 'd',
  subject: 'Tuesday',
  to: ['bob@example.org'],
  level: 'L2',
  state: 'queued',
  updatedAt: NOW,
  attempts: 0,
  ...more,
});
const text = (more: Partial<OutboxEntry>): string => stateText(entry(more), moment, plain);

describe('views/outbox', () => {
  it('says in words what becomes of a message', () => {
    assert.equal(text({ state: 'held', notBefore: NOW + 4_200 }), 'held for 5 s');
    assert.equal(text({ state: 'held', notBefore: NOW - 1 }), 'will be sent');
    assert.equal(text({ state: 'waiting', nextTry: NOW + 65 * MINUTE }), 'waiting until 14:05');
    assert.equal(text({ state: 'waiting', nextTry: NOW - MINUTE }), 'waiting');
    assert.equal(text({ state: 'waiting' }), 'waiting');
    assert.match(text({ state: 'scheduled', notBefore: NOW + 20 * 60 * MINUTE }), /^scheduled for Mon,? 23 Nov,? 09:00$/);
    assert.match(text({ state: 'waiting', nextTry: NOW + 24 * 60 * MINUTE }), /^waiting until Mon,? 23 Nov,? 13:00$/);
    assert.equal(text({ state: 'acceptance-unknown' }), 'may have arrived');
  });

  it('shows what the server said, in words and with its own code', () => {
    const detail = entryDetail(
      entry({ state: 'rejected', attempts: 3, failure: { code: 'smtp.rejected', details: { status: 550, enhanced: '5.1.1' } } }),
      moment,
      plain,
    );
    assert.match(detail, /Refused by the server\./);
    assert.match(detail, /This mailbox does not exist \(5\.1\.1\)/);
    assert.match(detail, /Tried 3 times\./);
  });

  it('lets nothing be taken back that may have been sent', () => {
    for (const state of ['sending', 'acceptance-unknown'] as const)
      assert.ok(!outboxActions({ state, draftId: 'd' }).includes('undo'), state);
    for (const state of ['queued', 'held', 'scheduled', 'waiting'] as const)
      assert.ok(outboxActions({ state, draftId: 'd' }).includes('undo'), state);
  });

  it('offers no way back to a draft that has gone', () => {
    for (const state of STATES) assert.ok(!outboxActions({ state }).includes('undo'), state);
  });

  it('asks the person, and nobody else, about a message that may have arrived', () => {
    assert.deepEqual(outboxActions({ state: 'acceptance-unknown', draftId: 'd' }), ['check-sent', 'arrived', 'send-again', 'discard']);
    assert.match(entryDetail(entry({ state: 'acceptance-unknown' }), moment, plain), /never sends it twice by itself/);
  });

  it('has different words for every action of a state, and an icon for every state', () => {
    for (const state of STATES) {
      const labels = outboxActions({ state, draftId: 'd' }).map((action) => actionLabel(action, state, plain));
      assert.equal(new Set(labels).size, labels.length);
      assert.ok(outboxIcon(state).id);
    }
  });

  it('counts on its row those that need a person', () => {
    assert.equal(outboxSummary([entry({}), entry({ state: 'waiting' })], plain), '2');
    assert.equal(outboxSummary([entry({ state: 'rejected' }), entry({ state: 'acceptance-unknown' }), entry({})], plain), '3, 2 need you');
  });
});
