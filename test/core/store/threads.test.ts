import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { NewMessage } from '../../../src/core/store/messages.ts';
import { ACCOUNT, NOW, SearchWorld } from './searchFixture.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const person = (name: string) => ({ name, address: `${name}@example.test` });

/** Messages as a few people write them: answers with references cut short or missing, forwarded, from Gmail, far apart. */
const mail = fc.record({
  from: fc.constantFrom(person('alice'), person('bob'), person('carol')),
  to: fc.subarray([person('alice'), person('bob'), person('carol')], { minLength: 1 }),
  subject: fc.constantFrom('Lunch plans', 'Re: Lunch plans', 'AW: Lunch plans', 'Budget', 'Re: Budget', 'Fwd: Budget', 'Re: ok'),
  inReplyTo: fc.option(fc.nat(9), { nil: undefined }),
  references: fc.array(fc.nat(11), { maxLength: 3 }),
  gmail: fc.option(fc.constantFrom('71', '72'), { nil: undefined }),
  days: fc.integer({ min: 0, max: 40 }),
  sealed: fc.boolean(),
});
const mailbox = fc.array(mail, { minLength: 2, maxLength: 10 });
type Mail = typeof mail extends fc.Arbitrary<infer T> ? T : never;

function rowOf(each: Mail, index: number): Partial<NewMessage> {
  return {
    rfcMessageId: `<${index}@x>`,
    from: each.from,
    to: each.to,
    subject: each.subject,
    inReplyTo: each.inReplyTo === undefined ? '' : `<${each.inReplyTo}@x>`,
    references: each.references.map((id) => `<${id}@x>`),
    date: NOW - each.days * 86_400_000,
    seal: each.sealed ? 'unopened' : 'plain',
    ...(each.gmail !== undefined && { gmail: { messageId: String(index), threadId: each.gmail, labels: [] } }),
  };
}

describe('store/threads', () => {
  let world: SearchWorld;
  beforeEach(() => {
    world = new SearchWorld(tempFolder());
  });
  afterEach(() => world.dispose());
  after(removeTempFolders);

  const assignAll = (): void => {
    while (world.threads.assign(3) > 0);
  };
  /** Which of the messages are together, as sorted groups of Message-IDs. */
  const partition = (): string[][] => {
    const groups = new Map<number, string[]>();
    for (const { threadId, rfcMessageId } of world.messages.page(ACCOUNT, 'INBOX', 100))
      groups.set(threadId!, [...(groups.get(threadId!) ?? []), rfcMessageId].toSorted());
    return [...groups.values()].toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1));
  };
  const thread = (id: number): number | undefined => world.messages.get(id)!.threadId;

  it('joins by References, by In-Reply-To, and over messages that are missing', () => {
    const first = world.list({ rfcMessageId: '<1@x>', subject: 'One' });
    const answer = world.list({ rfcMessageId: '<2@x>', subject: 'Two', inReplyTo: '<1@x>' });
    const late = world.list({ rfcMessageId: '<4@x>', subject: 'Four', references: ['<3@x>'] });
    const later = world.list({ rfcMessageId: '<5@x>', subject: 'Five', references: ['<3@x>'] });
    const stranger = world.list({ rfcMessageId: '<9@x>', subject: 'Nine' });
    assignAll();
    assert.equal(thread(first), thread(answer));
    assert.equal(thread(late), thread(later));
    assert.equal(new Set([first, late, stranger].map(thread)).size, 3);
    world.list({ rfcMessageId: '<3@x>', references: ['<1@x>', '<2@x>'] });
    assignAll();
    assert.equal(thread(first), thread(late));
    assert.equal(world.threads.messages([thread(first)!], 100).length, 5);
  });

  it('joins by the thread that Gmail names', () => {
    const gmail = (threadId: string, n: number) => ({ gmail: { messageId: String(n), threadId, labels: [] } });
    const [a, b, c] = [world.list(gmail('7', 1)), world.list(gmail('7', 2)), world.list(gmail('8', 3))];
    assignAll();
    assert.equal(thread(a), thread(b));
    assert.notEqual(thread(a), thread(c));
  });

  it('joins by subject a reply without references to what its sender was sent, and nothing else', () => {
    const [alice, bob, carol] = [person('alice'), person('bob'), person('carol')];
    const question = world.list({ from: alice, to: [bob], subject: 'Lunch on Friday' });
    const again = world.list({ from: alice, to: [bob], subject: 'Lunch on Friday' });
    const answer = world.list({ from: bob, to: [alice], subject: 'Re: Lunch on Friday' });
    const stranger = world.list({ from: carol, to: [alice], subject: 'Re: Lunch on Friday' });
    const late = world.list({ from: bob, to: [alice], subject: 'Re: Lunch on Friday', date: NOW + 40 * 86_400_000 });
    assignAll();
    assert.deepEqual([question, again, answer].map(thread), [question, question, question]);
    assert.deepEqual([stranger, late].map(thread), [stranger, late]);
  });

  it('keeps accounts apart', () => {
    const own = world.list({ rfcMessageId: '<1@x>' });
    world.messages.insertMessages('bob', 'INBOX', [{ ...world.messages.get(own)!, uid: 1 }]);
    assignAll();
    assert.notEqual(world.messages.page('bob', 'INBOX', 1)[0]!.threadId, thread(own));
  });

  it('keeps together what a deleted message joined, and forgets an erased account', () => {
    world.list({ rfcMessageId: '<1@x>' });
    world.list({ rfcMessageId: '<3@x>', references: ['<2@x>'] });
    assignAll();
    const link = world.list({ rfcMessageId: '<2@x>', references: ['<1@x>'] });
    assignAll();
    world.messages.removeUids(ACCOUNT, 'INBOX', [world.messages.get(link)!.uid]);
    assert.deepEqual(partition(), [['<1@x>', '<3@x>']]);
    world.messages.eraseAccount(ACCOUNT);
    world.threads.prune();
    for (const table of ['thread_nodes', 'thread_merges'])
      assert.equal(world.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()!['n'], 0, table);
  });

  it('comes to the same conversations in whatever order messages arrive', function () {
    this.timeout(20_000);
    fc.assert(
      fc.property(mailbox, fc.array(fc.nat(), { minLength: 10, maxLength: 10 }), (box, shuffle) => {
        const partitions = [box.map((_, index) => index), box.map((_, index) => index).toSorted((a, b) => shuffle[a]! - shuffle[b]!)].map(
          (order) => {
            world.db.exec('DELETE FROM folders; DELETE FROM thread_nodes; DELETE FROM thread_merges');
            for (const index of order) {
              world.list(rowOf(box[index]!, index));
              if (shuffle[index]! % 2 === 0) assignAll();
            }
            assignAll();
            return partition();
          },
        );
        assert.deepEqual(partitions[0], partitions[1]);
      }),
      { numRuns: 150 },
    );
  });

  it('comes to the same conversations for every permutation of a difficult mailbox', function () {
    this.timeout(20_000);
    const [alice, bob] = [person('alice'), person('bob')];
    const box: Partial<NewMessage>[] = [
      { rfcMessageId: '<a@x>', subject: 'Trip', from: alice, to: [bob] },
      { rfcMessageId: '<b@x>', subject: 'Re: Trip', from: bob, to: [alice] },
      { rfcMessageId: '<c@x>', subject: 'Other', references: ['<z@x>'] },
      { rfcMessageId: '<d@x>', subject: 'Re: Trip', from: alice, to: [bob], inReplyTo: '<b@x>', references: ['<z@x>'] },
      { rfcMessageId: '<e@x>', subject: 'Re: Trip', from: person('carol'), to: [bob], date: NOW + 12 * 86_400_000 },
    ];
    const outcomes = new Set<string>();
    for (const order of permutations(box.map((_, index) => index))) {
      world.db.exec('DELETE FROM folders; DELETE FROM thread_nodes; DELETE FROM thread_merges');
      for (const index of order) {
        world.list({ date: NOW, ...box[index] });
        assignAll();
      }
      outcomes.add(JSON.stringify(partition()));
    }
    assert.deepEqual([...outcomes], [JSON.stringify([['<a@x>', '<b@x>', '<c@x>', '<d@x>'], ['<e@x>']])]);
  });
});

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
