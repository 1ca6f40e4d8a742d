import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChatMessage } from '../../../src/core/api.ts';
import type { Clock } from '../../../src/core/base/ports.ts';
import { systemClock } from '../../../src/core/base/systemPorts.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { folderSecrets } from '../store/vaultFixture.ts';
import { chatOf, lineOf, onServer, seen } from './chatWorld.ts';

describe('chats at every level, and in groups that mix them', function () {
  this.timeout(90_000);
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({ ports: { clock } });
    [alice, bob] = (await world.circle('alice', 'bob')) as [Person, Person];
    // Carol has no key manager: she is reached by her certificate alone.
    carol = await world.person('carol');
    await carol.signInWithPassword();
    for (const [from, to] of [
      [alice, carol],
      [bob, carol],
      [carol, alice],
      [carol, bob],
    ] as const) {
      const { file: content } = await from.engine.exportCard({ accountId: from.account.id });
      await to.engine.importCard({ accountId: to.account.id, content, name: from.name });
    }
  });
  after(() => world?.dispose());

  const start = async (person: Person, members: readonly Person[], more: object) =>
    person.engine.startChat({ accountId: person.account.id, members: members.map(({ email }) => email), ...more });
  const pageOf = async (person: Person, chatId: string): Promise<readonly ChatMessage[]> =>
    (await person.engine.getChatMessages({ chatId, limit: 100 })).messages;
  const keysServedTo = (person: Person): number => world.kme.pair.deliveries.filter(({ saeId }) => saeId === person.saeId).length;

  const keysMadeFor = (person: Person): number =>
    world.kme.pair.deliveries.filter(({ verb, peerSaeIds }) => verb === 'enc_keys' && peerSaeIds.includes(person.saeId)).length;

  it('seal with the one-time pad at L1, with the post-quantum share at L2, with certificates at L3', async () => {
    const cases = [
      { minimumLevel: 'L1', level: 'L1', suite: 'QM1-OTP' },
      { minimumLevel: 'L2', level: 'L2', suite: 'QM1-CB256+PQ' },
      { minimumLevel: 'L3', level: 'L3', suite: 'QM1-PGP9980' },
    ] as const;
    for (const { minimumLevel, level, suite } of cases) {
      const chat = await start(alice, [bob], { name: minimumLevel, minimumLevel });
      await alice.engine.sendChatMessage({ chatId: chat.id, text: `sealed at ${level}`, level });
      const atBob = await chatOf(bob, minimumLevel);
      const line = await lineOf(bob, atBob.id, `sealed at ${level}`);
      assert.deepEqual([line.level, line.suite?.startsWith(suite)], [level, true], line.suite);
    }
  });

  it('reach each member as well as can be, and say how, and why not', async () => {
    const accountId = alice.account.id;
    const members = [bob.email, carol.email, 'nobody@other.test'];
    const reach = await alice.engine.checkChat({ accountId, members, level: 'L3' });
    assert.deepEqual(
      reach.map(({ reachable, keyed, failure }) => keyed ?? (reachable ? 'reachable' : failure?.code)),
      ['post-quantum', 'post-quantum', 'seal.no-certificate'],
    );
    const strict = await alice.engine.checkChat({ accountId, members, level: 'L2' });
    assert.deepEqual(
      strict.map(({ address, failure }) => [address, failure?.code]),
      [
        [bob.email, undefined],
        [carol.email, 'seal.no-link'],
        ['nobody@other.test', 'seal.no-link'],
      ],
    );
    await assert.rejects(start(alice, [bob, carol], { name: 'No', minimumLevel: 'L2' }), { code: 'chat.unreachable' });

    const mixed = await start(alice, [bob, carol], { name: 'Mixed' });
    assert.equal(mixed.minimumLevel, 'L3');
    const before = keysServedTo(carol);
    await alice.engine.sendChatMessage({ chatId: mixed.id, text: 'to both' });
    const [atBob, atCarol] = [await chatOf(bob, 'Mixed'), await chatOf(carol, 'Mixed')];
    assert.equal((await lineOf(bob, atBob.id, 'to both')).level, 'L2');
    assert.equal((await lineOf(carol, atCarol.id, 'to both')).level, 'L3');
    assert.equal(keysServedTo(carol), before);
    const own = await world.mail.storedMessages(alice.email, 'QuMail Chat');
    assert.ok(own.length > 0);
  });

  it('say nothing to who was removed, and nothing of before to who joined', async () => {
    const chat = await start(alice, [bob], { name: 'Joining', minimumLevel: 'L3' });
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'before Carol' });
    const atBob = await chatOf(bob, 'Joining');
    await lineOf(bob, atBob.id, 'before Carol');
    await alice.engine.changeChat({ chatId: chat.id, change: { kind: 'add', address: carol.email } });
    const atCarol = await chatOf(carol, 'Joining');
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'with Carol' });
    await lineOf(carol, atCarol.id, 'with Carol');
    await alice.engine.changeChat({ chatId: chat.id, change: { kind: 'remove', address: bob.email } });
    await seen(bob, async () => (await bob.engine.listChats({})).find(({ name, member }) => name === 'Joining' && !member));
    const keysBefore = keysMadeFor(bob);
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'after Bob' });
    await lineOf(carol, atCarol.id, 'after Bob');
    await bob.list();
    const texts = async (person: Person, chatId: string): Promise<string[]> =>
      (await pageOf(person, chatId)).filter(({ notice }) => !notice).map(({ text }) => text);
    assert.deepEqual(await texts(bob, atBob.id), ['before Carol', 'with Carol']);
    assert.deepEqual(await texts(carol, atCarol.id), ['with Carol', 'after Bob']);
    // Nothing was even sealed to him: no key, no copy.
    assert.equal(keysMadeFor(bob), keysBefore);
    const lastId = (await pageOf(alice, chat.id)).find(({ text }) => text === 'after Bob')!.id;
    for (const folder of ['INBOX', 'QuMail Chat']) {
      const stored = await world.mail.storedMessages(bob.email, folder);
      assert.ok(!stored.some((mime) => mime.includes(lastId)));
    }
  });

  it('let messages disappear, here and from the server, once their time has come', async () => {
    const chat = await start(alice, [bob], {});
    await alice.engine.changeChat({ chatId: chat.id, change: { kind: 'timer', seconds: 3600 } });
    const atBob = await chatOf(bob, 'Alice');
    await seen(bob, async () => ((await bob.engine.getChat({ chatId: atBob.id })).timer === 3600 ? true : undefined));
    const { id } = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'for an hour' });
    const line = await lineOf(bob, atBob.id, 'for an hour');
    await bob.engine.markChatRead({ chatId: atBob.id, upTo: line.id });
    const copies = async (): Promise<number> => {
      const all = await Promise.all([alice, bob].map(({ email }) => world.mail.storedMessages(email, 'QuMail Chat')));
      return all.flat().filter((mime) => mime.includes(`Message-ID: ${id}`)).length;
    };
    await onServer(async () => (await copies()) === 2);
    ahead += 3_600_001;
    // Whatever is sent has the timers looked at; the clock alone would after a while.
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'later' });
    await bob.engine.sendChatMessage({ chatId: atBob.id, text: 'later, too' });
    for (const [person, chatId] of [
      [alice, chat.id],
      [bob, atBob.id],
    ] as const) {
      await seen(person, async () => ((await pageOf(person, chatId)).some(({ text }) => text === 'for an hour') ? undefined : true));
    }
    await onServer(async () => (await copies()) === 0);
  });

  it('tell nobody what was read where receipts are off', async () => {
    const atBob = await chatOf(bob, 'Alice');
    await bob.engine.setChatReceipts({ chatId: atBob.id, receipts: 'off' });
    const chat = await chatOf(alice, 'Bob');
    const { id } = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'Did you read this?' });
    await bob.engine.markChatRead({ chatId: atBob.id, upTo: (await lineOf(bob, atBob.id, 'Did you read this?')).id });
    await bob.engine.setChatReceipts({ chatId: atBob.id, receipts: 'on' });
    const next = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'And this?' });
    await lineOf(bob, atBob.id, 'And this?');
    // The receipt of the second line comes; by then one of the first would have come, too.
    await seen(alice, async () => (await pageOf(alice, chat.id)).find((message) => message.id === next.id && message.delivered.length > 0));
    assert.deepEqual((await pageOf(alice, chat.id)).find((message) => message.id === id)?.delivered, []);
  });

  it('send all of a message or nothing, also when the process dies between its halves', async () => {
    const mixed = await chatOf(alice, 'Mixed');
    const secretsDir = mkdtempSync(join(tmpdir(), 'qumail-chat-'));
    const secrets = folderSecrets(secretsDir);
    await alice.engine[Symbol.asyncDispose]();
    for (const [key, value] of alice.secrets) await secrets.set(key, value);
    const settings = JSON.stringify({ certificateAuthorities: { '127.0.0.1': world.kme.pair.caPem }, fetchInterval: 3600 });
    const file = fileURLToPath(import.meta.resolve('./chatChild.ts'));
    const child = fork(file, [alice.storageDir, secretsDir, settings, mixed.id, 'cut in two'], { stdio: 'ignore' });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL');
    for (const key of secrets.names()) alice.secrets.set(key, (await secrets.get(key))!);
    rmSync(secretsDir, { recursive: true });
    await alice.open();
    for (const person of [bob, carol]) {
      const { id } = await chatOf(person, 'Mixed');
      await lineOf(person, id, 'cut in two');
      assert.equal((await pageOf(person, id)).filter(({ text }) => text === 'cut in two').length, 1);
    }
    await seen(alice, async () => ((await alice.engine.listOutbox()).length === 0 ? true : undefined));
  });
});
