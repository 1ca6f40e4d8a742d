import assert from 'node:assert/strict';
import type { Chat, ChatMessage } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { chatOf, lineOf, seen } from './chatWorld.ts';

describe('chats while something is out of reach', function () {
  this.timeout(90_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  let chat: Chat;

  before(async function () {
    needMailWorld(this);
    const kmes = ['KME-A', 'KME-B', 'KME-C'];
    const saes = ['ALICE', 'BOB', 'CAROL'].map((name, index) => ({ saeId: `SAE-${name}`, kmeId: kmes[index]! }));
    world = await startPeopleWorld({ kme: { kmes, saes } });
    [alice, bob, carol] = (await world.circle('alice', 'bob', 'carol')) as [Person, Person, Person];
    chat = await alice.engine.startChat({ accountId: alice.account.id, members: [bob.email, carol.email], name: 'Three' });
    // A receipt that cannot reach Alice would have Bob's engine spare his own key manager for a while.
    for (const person of [bob, carol]) {
      await person.engine.setChatReceipts({ chatId: (await chatOf(person, 'Three')).id, receipts: 'off' });
    }
  });
  after(() => world?.dispose());
  afterEach(() => world.kme.pair.start('KME-A').catch(() => {}));

  /** Connecting anew forgets that the key manager was given up for a while. */
  const answersAgain = async (): Promise<void> => {
    await world.kme.pair.start('KME-A');
    await alice.connectKeyManager();
  };
  const texts = (messages: readonly ChatMessage[]): string[] => messages.filter(({ notice }) => !notice).map(({ text }) => text);
  const pageOf = async (person: Person, chatId: string): Promise<readonly ChatMessage[]> =>
    (await person.engine.getChatMessages({ chatId, limit: 100 })).messages;
  const allSent = (person: Person, chatId: string): Promise<true> =>
    seen(
      person,
      async () => ((await pageOf(person, chatId)).every(({ state }) => state === 'sent' || state === 'received') ? true : undefined),
      30_000,
    );

  it('keep what is said, with the reason, and send it in its order once the key manager answers', async () => {
    await world.kme.pair.stop('KME-A');
    const first = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'first' });
    assert.deepEqual([first.state, first.failure?.code], ['queued', 'kme.unreachable']);
    const second = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'second' });
    assert.equal(second.state, 'queued');
    await alice.engine.editChatMessage({ chatId: chat.id, messageId: first.id, text: 'first, mended' });
    await answersAgain();
    await allSent(alice, chat.id);
    const atBob = await chatOf(bob, 'Three');
    await lineOf(bob, atBob.id, 'second');
    assert.equal((await lineOf(bob, atBob.id, 'first, mended')).edited, true);
    assert.deepEqual(texts(await pageOf(bob, atBob.id)), ['first, mended', 'second']);
  });

  it('forget what is taken back before it went, and nobody ever hears of it', async () => {
    await world.kme.pair.stop('KME-A');
    const said = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'never mind' });
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'but this' });
    await alice.engine.deleteChatMessage({ chatId: chat.id, messageId: said.id });
    assert.ok(!texts(await pageOf(alice, chat.id)).includes('never mind'));
    await answersAgain();
    const atBob = await chatOf(bob, 'Three');
    await lineOf(bob, atBob.id, 'but this');
    assert.ok(!texts(await pageOf(bob, atBob.id)).includes('never mind'));
  });

  it('go to each member under a key of its own where the key manager serves one at a time', async () => {
    const wrappedFor = (): readonly (readonly string[])[] =>
      world.kme.pair.deliveries.flatMap(({ verb, peerSaeIds, saeId }) =>
        verb === 'enc_keys' && saeId === alice.saeId ? [peerSaeIds] : [],
      );
    const before = wrappedFor().length;
    world.kme.pair.faults('KME-A').multicast = 'off';
    try {
      // What was learned about the links is asked for anew.
      await alice.connectKeyManager();
      const reach = await alice.engine.checkChat({ chatId: chat.id });
      assert.deepEqual(
        reach.map(({ keyed }) => keyed),
        ['pairwise', 'pairwise'],
      );
      await alice.engine.sendChatMessage({ chatId: chat.id, text: 'a wrap for each' });
      for (const person of [bob, carol]) {
        const line = await lineOf(person, (await chatOf(person, 'Three')).id, 'a wrap for each');
        assert.equal(line.level, 'L2');
      }
      assert.deepEqual(
        wrappedFor()
          .slice(before)
          .map(([only, ...others]) => [only, others.length])
          .sort(),
        [
          [bob.saeId, 0],
          [carol.saeId, 0],
        ],
      );
    } finally {
      world.kme.pair.faults('KME-A').multicast = 'on';
      await alice.connectKeyManager();
    }
  });

  it('outlive a restart, and go to who is a member by then', async () => {
    await alice.engine.changeChat({ chatId: chat.id, change: { kind: 'grant', address: bob.email } });
    const atBob = await chatOf(bob, 'Three');
    await seen(bob, async () => {
      const { members } = await bob.engine.getChat({ chatId: atBob.id });
      return members.find(({ address, admin }) => address === bob.email && admin);
    });
    await world.kme.pair.stop('KME-A');
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'Carol need not know' });
    await alice.engine[Symbol.asyncDispose]();
    await world.kme.pair.start('KME-A');
    await bob.engine.changeChat({ chatId: atBob.id, change: { kind: 'remove', address: carol.email } });
    await seen(carol, async () => (await carol.engine.listChats({})).find(({ member }) => !member));
    await alice.open();
    await lineOf(bob, atBob.id, 'Carol need not know');
    await allSent(alice, chat.id);
    await carol.list();
    const atCarol = await chatOf(carol, 'Three');
    assert.ok(!texts(await pageOf(carol, atCarol.id)).includes('Carol need not know'));
    const stored = await world.mail.storedMessages(carol.email);
    assert.equal(stored.length, 0);
  });

  it('reject what no waiting helps against, and keep nothing of it', async () => {
    const before = (await pageOf(alice, chat.id)).length;
    const files = [{ name: 'film', mimeType: 'image/png', content: Buffer.alloc(50 * 1_048_576) }];
    await assert.rejects(alice.engine.sendChatMessage({ chatId: chat.id, text: 'Look', files }), { code: 'chat.file-too-large' });
    await assert.rejects(alice.engine.sendChatMessage({ chatId: chat.id, text: 'Look', level: 'L3' }), { code: 'chat.below-minimum' });
    assert.equal((await pageOf(alice, chat.id)).length, before);
  });
});
