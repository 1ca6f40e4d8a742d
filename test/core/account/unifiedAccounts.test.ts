import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

/** Who gets the letters one after the other. */
const TURNS = ['alice', 'bob', 'bob', 'alice', 'bob', 'alice', 'alice'] as const;
const ADDRESSES = { alice: 'alice@example.test', bob: 'bob@other.test' } as const;

describe('several accounts in one engine', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  /** Alice, who has Bob's mailbox as well. */
  let alice: Person;
  let others: string;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    for (const whose of ['alice', 'bob'] as const) {
      const letters = TURNS.flatMap((turn, n) => (turn === whose ? [letter(n)] : []));
      world.mail.fill(ADDRESSES[whose], letters);
    }
    alice = await world.person('alice');
    await alice.signInWithPassword();
    const { servers } = world;
    const account = { provider: 'qumail_native', displayName: 'Bob', email: ADDRESSES.bob, password: 'bob-password', servers } as const;
    others = (await alice.engine.addAccount(account)).id;
    await alice.engine.fetchMail({});
  });
  after(() => world?.dispose());

  function letter(n: number): Buffer {
    const date = new Date(Date.UTC(2026, 1, 1 + n)).toUTCString().replace('GMT', '+0000');
    const head = [`From: carol@example.test`, `Subject: number ${n}`, `Date: ${date}`, `Message-ID: <${n}@example.test>`];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\ntext\r\n`);
  }

  async function pages(limit: number): Promise<{ id: number; subject: string; accountId: string; flags: readonly string[] }[]> {
    const all = [];
    for (let before: number | undefined; ;) {
      const page = await alice.engine.getUnifiedList({ role: 'inbox', limit, ...(before !== undefined && { before }) });
      assert.ok(page.messages.length <= limit);
      all.push(...page.messages);
      if (page.next === undefined) return all;
      before = page.next;
    }
  }

  it('show their inboxes as one, newest first, whatever the size of a page', async () => {
    const expected = TURNS.map((turn, n) => [`number ${n}`, turn === 'bob' ? others : alice.account.id]).toReversed();
    for (const limit of [1, 2, 3, 100]) {
      const listed = await pages(limit);
      assert.deepEqual(
        listed.map(({ subject, accountId }) => [subject, accountId]),
        expected,
      );
    }
    const [inbox] = await alice.engine.listUnifiedFolders();
    assert.deepEqual([inbox?.role, inbox?.total], ['inbox', TURNS.length]);
  });

  it('show their conversations as one list too, each account its own, whatever the size of a page', async () => {
    const answer = (n: number, to: number, subject: string): Buffer =>
      Buffer.from(
        letter(n)
          .toString()
          .replace(/Subject: .*/, `Subject: ${subject}`)
          .replace('\r\n\r\n', `\r\nIn-Reply-To: <${to}@example.test>\r\n\r\n`),
      );
    world.mail.fill(ADDRESSES.bob, [answer(20, 1, 'Re: number 1')]);
    world.mail.fill(ADDRESSES.alice, [answer(21, 0, 'Re: number 0'), answer(22, 1, 'Re: number 1, by another way')]);
    await alice.engine.fetchMail({});
    const expected = [
      ['Re: number 1, by another way', 1, alice.account.id],
      ['Re: number 0', 2, alice.account.id],
      ['Re: number 1', 2, others],
      ...[6, 5, 4, 3, 2].map((n) => [`number ${n}`, 1, TURNS[n] === 'bob' ? others : alice.account.id]),
    ];
    for (const limit of [1, 2, 3, 100]) {
      const listed = [];
      for (let before: number | undefined; ;) {
        const page = await alice.engine.getUnifiedThreadList({ role: 'inbox', limit, ...(before !== undefined && { before }) });
        assert.ok(page.threads.length <= limit);
        listed.push(...page.threads);
        if (page.next === undefined) break;
        before = page.next;
      }
      assert.deepEqual(
        listed.map(({ newest, count }) => [newest.subject, count, newest.accountId]),
        expected,
        `pages of ${limit}`,
      );
    }
    await assert.rejects(alice.engine.getUnifiedThreadList({ role: 'nobody' as 'inbox', limit: 1 }), { code: 'engine.bad-request' });
    await world.mail.doveadm(['expunge', '-u', ADDRESSES.bob, 'mailbox', 'INBOX', 'subject', 'Re:']);
    await world.mail.doveadm(['expunge', '-u', ADDRESSES.alice, 'mailbox', 'INBOX', 'subject', 'Re:']);
    await alice.engine.fetchMail({});
  });

  it('take one request for messages of both, and undo it in both', async () => {
    const listed = await pages(100);
    const messageIds = listed.map(({ id }) => id);
    const flagged = async (): Promise<number> => (await pages(100)).filter(({ flags }) => flags.includes('flagged')).length;
    const { actionId } = await alice.engine.setFlags({ messageIds, add: ['flagged'], remove: [] });
    assert.equal(await flagged(), TURNS.length);
    await alice.settled();
    for (const address of Object.values(ADDRESSES)) {
      const flags = await world.mail.doveadm(['fetch', '-u', address, 'flags', 'mailbox', 'INBOX']);
      assert.equal(flags.match(/\\Flagged/g)?.length, TURNS.filter((turn) => ADDRESSES[turn] === address).length);
    }
    await alice.engine.undoAction({ actionId });
    assert.equal(await flagged(), 0);
  });

  it('show what is left when one of them signs out', async () => {
    await alice.engine.signOut({ accountId: others });
    assert.deepEqual(
      (await pages(2)).map(({ subject }) => subject),
      TURNS.flatMap((turn, n) => (turn === 'alice' ? [`number ${n}`] : [])).toReversed(),
    );
  });
});
