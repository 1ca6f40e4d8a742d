import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isBareReply, joinedBySubject, threadNodes, threadSubject, type Threaded } from '../../../src/core/mail/thread.ts';

const person = (address: string) => ({ name: '', address });
const message = (change: Partial<Threaded>): Threaded => ({
  rfcMessageId: '<1@x>',
  inReplyTo: '',
  references: [],
  subject: 'Lunch on Friday',
  from: person('alice@x'),
  to: [person('bob@x')],
  date: 0,
  ...change,
});
const reply = (change: Partial<Threaded> = {}): Threaded =>
  message({ rfcMessageId: '<2@x>', subject: 'Re: Lunch on Friday', from: person('bob@x'), to: [person('alice@x')], date: 1000, ...change });

describe('mail/thread', () => {
  it('takes reply and forward prefixes off a subject, in many languages, repeatedly', () => {
    for (const subject of [
      'Re: Plan B',
      'RE[2]: AW: plan  b',
      'Fwd: Re: Plan B',
      'Antw: plan b',
      '回复：Plan B',
      'WG: Sv: Plan B',
      'Re : Plan B',
    ])
      assert.equal(threadSubject(subject), 'plan b', subject);
    assert.equal(threadSubject('Report: Plan B'), 'report: plan b');
    assert.equal(threadSubject('Re: ok'), '');
  });

  it('knows a reply that does not say to what', () => {
    assert.equal(isBareReply(reply()), true);
    assert.equal(isBareReply(reply({ inReplyTo: '<1@x>' })), false);
    assert.equal(isBareReply(message({ subject: 'Fwd: Lunch on Friday' })), false);
    assert.equal(isBareReply(message({ subject: 'Regarding lunch' })), false);
  });

  it('joins a bare reply to what its sender was sent, within a fortnight', () => {
    assert.equal(joinedBySubject(message({}), reply()), true);
    assert.equal(joinedBySubject(message({}), reply({ date: 15 * 86_400_000 })), false);
    assert.equal(joinedBySubject(message({}), reply({ from: person('mallory@x') })), false);
    assert.equal(joinedBySubject(message({}), message({ rfcMessageId: '<3@x>' })), false);
    assert.equal(joinedBySubject(message({ subject: 'Another' }), reply()), false);
  });

  it('says the same whichever of two messages is asked about', () => {
    const some = fc.record({
      rfcMessageId: fc.constantFrom('<1@x>', '<2@x>'),
      inReplyTo: fc.constantFrom('', '<1@x>'),
      references: fc.constant([]),
      subject: fc.constantFrom('Lunch', 'Re: Lunch', 'Fwd: Lunch', 'Re: Dinner'),
      from: fc.constantFrom(person('alice@x'), person('bob@x'), person('')),
      to: fc.subarray([person('alice@x'), person('Bob@X')]),
      date: fc.constantFrom(0, 1000, 1e10),
    });
    fc.assert(fc.property(some, some, (a, b) => assert.equal(joinedBySubject(a, b), joinedBySubject(b, a))));
  });

  it('names what a message is tied to, each once', () => {
    const nodes = threadNodes({ rfcMessageId: '<3@x>', inReplyTo: '<2@x>', references: ['<1@x>', '<2@x>'], gmailThread: '99' });
    assert.deepEqual(nodes, ['id:<3@x>', 'id:<2@x>', 'id:<1@x>', 'gmail:99']);
    assert.deepEqual(threadNodes({ rfcMessageId: '', inReplyTo: '', references: [] }), []);
  });
});
