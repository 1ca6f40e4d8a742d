import assert from 'node:assert/strict';
import type { Chat } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { chatOf, foldersOnServer, lineOf, onServer, seen } from './chatWorld.ts';

/** From the key manager's return until everything is open, milliseconds, on a busy machine. It is asked every 1.5 s, and was given up for 15. */
const SOON = 5000;

describe('mail that waited for a key manager', function () {
  this.timeout(90_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let chat: Chat;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({
      kme: {
        kmes: ['KME-A', 'KME-B'],
        saes: [
          { saeId: 'SAE-ALICE', kmeId: 'KME-A' },
          { saeId: 'SAE-BOB', kmeId: 'KME-B' },
        ],
      },
    });
    [alice, bob] = (await world.circle('alice', 'bob')) as [Person, Person];
    chat = await alice.engine.startChat({ accountId: alice.account.id, members: [bob.email] });
    await bob.engine.setChatReceipts({ chatId: (await chatOf(bob)).id, receipts: 'off' });
  });
  after(() => world?.dispose());

  it('is opened as soon as that answers again, chats and letters alike, and no key is asked for twice', async () => {
    const atBob = await chatOf(bob);
    const textsAtBob = async (): Promise<string[]> =>
      (await bob.engine.getChatMessages({ chatId: atBob.id, limit: 50 })).messages.filter(({ notice }) => !notice).map(({ text }) => text);
    const letters = async () => (await bob.engine.getEmailList({ accountId: bob.account.id, folder: 'INBOX', limit: 50 })).messages;
    const gaveUp = (): boolean => bob.log.some(({ event, facts }) => event.endsWith('not-opened') && facts['code'] === 'kme.unreachable');

    // Sealed while both key managers were well, and fetched when Bob's is not.
    await bob.engine[Symbol.asyncDispose]();
    for (const text of ['one', 'two', 'three']) await alice.engine.sendChatMessage({ chatId: chat.id, text });
    await alice.send({ To: bob.email, Subject: 'A letter', Security: 'L2' }, 'Sealed.');
    await onServer(async () => (await foldersOnServer(world, bob)).get('INBOX')?.unseen === 4);
    await world.kme.pair.stop('KME-B');
    await bob.open();
    await seen(bob, async () => (gaveUp() ? true : undefined));
    // Six failures in a row, and the key manager is given up for 15 s.
    for (let look = 0; look < 3; look += 1) await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.deepEqual(await textsAtBob(), []);

    await world.kme.pair.start('KME-B');
    const began = performance.now();
    await seen(bob, async () => {
      const opened = (await letters()).some(({ subject, seal }) => subject === 'A letter' && seal === 'opened');
      return opened && (await textsAtBob()).length === 3 ? true : undefined;
    });
    const took = performance.now() - began;
    console.log(`    open ${Math.round(took)} ms after the key manager's return`);
    assert.ok(took < SOON, `${took} ms`);
    assert.deepEqual(await textsAtBob(), ['one', 'two', 'three']);
    const asked = world.kme.pair.deliveries.map(({ saeId, keyId, verb }) => `${verb} ${saeId} ${keyId}`);
    assert.equal(new Set(asked).size, asked.length);
  });

  it('goes out as soon as that answers again, too', async () => {
    await world.kme.pair.stop('KME-A');
    for (let line = 0; line < 4; line += 1) {
      const { state, failure } = await alice.engine.sendChatMessage({ chatId: chat.id, text: `later ${line}` });
      assert.deepEqual([state, line === 0 ? failure?.code : 'kme.unreachable'], ['queued', 'kme.unreachable']);
    }
    await world.kme.pair.start('KME-A');
    const began = performance.now();
    await seen(alice, async () => {
      const { messages } = await alice.engine.getChatMessages({ chatId: chat.id, limit: 50 });
      return messages.filter(({ state, text }) => state === 'sent' && text.startsWith('later')).length === 4 ? true : undefined;
    });
    const took = performance.now() - began;
    console.log(`    sent ${Math.round(took)} ms after the key manager's return`);
    assert.ok(took < SOON + 1500, `${took} ms`);
  });

  it('is told of to its author after a restart, where it could not be told before', async () => {
    const atBob = await chatOf(bob);
    await bob.engine.setChatReceipts({ chatId: atBob.id, receipts: 'on' });
    const { id } = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'is it there?' });
    await lineOf(bob, atBob.id, 'is it there?');
    // Receipts are collected for two seconds, and then there is nobody to seal them with.
    await world.kme.pair.stop('KME-B');
    await bob.engine.markChatRead({ chatId: atBob.id, upTo: id });
    await onServer(async () => bob.log.some(({ event }) => event.endsWith('chat-not-told')));
    await bob.engine[Symbol.asyncDispose]();
    await world.kme.pair.start('KME-B');
    await bob.open();
    await seen(alice, async () => {
      const { messages } = await alice.engine.getChatMessages({ chatId: chat.id, limit: 50 });
      return messages.find((message) => message.id === id && message.read.includes(bob.email));
    });
  });
});
