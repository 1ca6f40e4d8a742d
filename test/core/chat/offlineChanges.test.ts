import assert from 'node:assert/strict';
import type { ChatMessage } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { chatOf, foldersOnServer, lineOf, onServer, seen } from './chatWorld.ts';

describe('chats that are started, changed and left while the mail host is away', function () {
  this.timeout(90_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob, carol] = (await world.circle('alice', 'bob', 'carol')) as [Person, Person, Person];
  });
  after(() => world?.dispose());
  afterEach(() => mailHost('accept'));

  function mailHost(how: 'accept' | 'refuse'): void {
    for (const proxy of [world.imapProxy, world.smtpProxy]) {
      proxy.admit(how);
      if (how === 'refuse') proxy.faultNow({ how: 'reset' });
    }
  }
  /** The mail host is away, and this person's engine knows. */
  const goesAway = async (person: Person): Promise<void> => {
    mailHost('refuse');
    await assert.rejects(person.engine.fetchMail({ accountId: person.account.id }));
    await seen(person, async () => ((await person.engine.listAccounts())[0]?.state === 'offline' ? true : undefined));
  };
  const pageOf = async (person: Person, chatId: string): Promise<readonly ChatMessage[]> =>
    (await person.engine.getChatMessages({ chatId, limit: 100 })).messages;
  const standing = async (person: Person, chatId: string): Promise<string[]> =>
    (await pageOf(person, chatId)).map(({ notice, text, state }) => `${notice?.kind ?? text}: ${state}`);
  const comesBack = async (person: Person): Promise<void> => {
    mailHost('accept');
    await person.engine.nudge({ reason: 'network' });
  };

  it('wait in their order, survive a restart, and go out when it is back', async () => {
    const accountId = alice.account.id;
    const old = await alice.engine.startChat({ accountId, members: [bob.email, carol.email], name: 'Old' });
    const oldAtBob = await chatOf(bob, 'Old');
    await goesAway(alice);
    const begun = await alice.engine.startChat({ accountId, members: [bob.email, carol.email], name: 'Begun offline' });
    assert.deepEqual([begun.name, begun.minimumLevel, begun.members.length], ['Begun offline', 'L2', 3]);
    const said = await alice.engine.sendChatMessage({ chatId: begun.id, text: 'first words' });
    assert.equal(said.state, 'queued');
    const picture = { name: 'p.png', mimeType: 'image/png', content: Buffer.from('\x89PNG\r\n\x1a\nsmall', 'latin1') };
    await alice.engine.changeChat({ chatId: begun.id, change: { kind: 'picture', picture } });
    await alice.engine.changeChat({ chatId: begun.id, change: { kind: 'rename', name: 'Renamed offline' } });
    await alice.engine.leaveChat({ chatId: old.id });
    const waiting = ['created: queued', 'first words: queued', 'picture: queued', 'renamed: queued'];
    assert.deepEqual(await standing(alice, begun.id), waiting);
    assert.equal((await alice.engine.getChat({ chatId: begun.id })).name, 'Begun offline', 'a change counts once it is sealed');
    assert.equal((await pageOf(alice, old.id)).at(-1)?.state, 'queued');
    assert.equal((await pageOf(alice, begun.id))[0]?.failure?.code.split('.')[0], 'net');

    await alice.engine[Symbol.asyncDispose]();
    await alice.open();
    assert.deepEqual(await standing(alice, begun.id), waiting);
    await comesBack(alice);
    for (const person of [bob, carol]) {
      const there = await chatOf(person, 'Renamed offline');
      await lineOf(person, there.id, 'first words');
      const notices = (await pageOf(person, there.id)).map(({ notice, text }) => notice?.kind ?? text);
      assert.deepEqual(notices, ['created', 'first words', 'picture', 'renamed']);
      assert.equal((await person.engine.getChatPicture({ chatId: there.id }))?.content.byteLength, picture.content.byteLength);
    }
    await seen(bob, async () => (await pageOf(bob, oldAtBob.id)).find(({ notice }) => notice?.kind === 'left'));
    await seen(alice, async () => ((await standing(alice, begun.id)).every((line) => line.endsWith(': sent')) ? true : undefined));
    assert.equal((await alice.engine.getChat({ chatId: begun.id })).name, 'Renamed offline');
    assert.equal((await alice.engine.getChat({ chatId: old.id })).member, false);
  });

  it('fail by name where the group has changed meanwhile, and leave it as it is', async () => {
    const accountId = alice.account.id;
    const chat = await alice.engine.startChat({ accountId, members: [bob.email, carol.email], name: 'Contested' });
    await alice.engine.changeChat({ chatId: chat.id, change: { kind: 'grant', address: bob.email } });
    const atBob = await chatOf(bob, 'Contested');
    await seen(bob, async () => (await bob.engine.getChat({ chatId: atBob.id })).members.find(({ self, admin }) => self && admin));
    await goesAway(alice);
    await alice.engine.changeChat({ chatId: chat.id, change: { kind: 'remove', address: carol.email } });
    const said = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'said after it' });
    await alice.engine[Symbol.asyncDispose]();
    mailHost('accept');
    await bob.engine.nudge({ reason: 'network' });
    await bob.engine.changeChat({ chatId: atBob.id, change: { kind: 'revoke', address: alice.email } });
    await onServer(async () => ((await foldersOnServer(world, alice)).get('INBOX')?.unseen ?? 0) > 0);
    await alice.open();
    const failed = await seen(alice, async () => (await pageOf(alice, chat.id)).find(({ notice, state }) => notice && state === 'failed'));
    assert.deepEqual([failed.notice?.kind, failed.failure?.code], ['removed', 'chat.not-admin']);
    // What was said behind it goes all the same, to everybody who is still a member.
    for (const person of [bob, carol]) await lineOf(person, (await chatOf(person, 'Contested')).id, 'said after it');
    for (const person of [alice, bob, carol]) {
      const { members } = await chatOf(person, 'Contested');
      assert.deepEqual(members.map(({ address }) => address).sort(), [alice.email, bob.email, carol.email].sort());
    }
    await assert.rejects(alice.engine.retryChatMessage({ chatId: chat.id, messageId: failed.id }), { code: 'chat.not-admin' });
    await alice.engine.deleteChatMessage({ chatId: chat.id, messageId: failed.id });
    assert.ok(!(await pageOf(alice, chat.id)).some(({ state }) => state === 'failed'));
    assert.equal((await pageOf(alice, chat.id)).find(({ id }) => id === said.id)?.text, 'said after it');
  });

  it('can be thought better of: a group that nobody heard of goes as a whole', async () => {
    const accountId = alice.account.id;
    await goesAway(alice);
    const chat = await alice.engine.startChat({ accountId, members: [bob.email, carol.email], name: 'Never mind' });
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'or this' });
    const begun = (await pageOf(alice, chat.id)).find(({ notice }) => notice?.kind === 'created')!;
    await alice.engine.deleteChatMessage({ chatId: chat.id, messageId: begun.id });
    assert.ok(!(await alice.engine.listChats({})).some(({ name }) => name === 'Never mind'));
    await comesBack(alice);
    const after = await alice.engine.startChat({ accountId, members: [bob.email, carol.email], name: 'Afterwards' });
    await alice.engine.sendChatMessage({ chatId: after.id, text: 'last' });
    await lineOf(bob, (await chatOf(bob, 'Afterwards')).id, 'last');
    assert.ok(!(await bob.engine.listChats({})).some(({ name }) => name === 'Never mind'));
  });

  it('are refused at once where no waiting helps', async () => {
    await goesAway(carol);
    const contested = await chatOf(carol, 'Contested');
    const change = { kind: 'remove' as const, address: bob.email };
    await assert.rejects(carol.engine.changeChat({ chatId: contested.id, change }), { code: 'chat.not-admin' });
    const accountId = carol.account.id;
    await assert.rejects(carol.engine.startChat({ accountId, members: ['nobody@other.test'], name: 'x' }), { code: 'chat.unreachable' });
    assert.ok(!(await carol.engine.listChats({})).some(({ name }) => name === 'x'));
    assert.ok((await pageOf(carol, contested.id)).every(({ state }) => state !== 'queued'));
  });
});
