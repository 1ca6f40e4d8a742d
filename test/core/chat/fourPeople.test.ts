import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatMessage } from '../../../src/core/api.ts';
import type { Clock } from '../../../src/core/base/ports.ts';
import { systemClock } from '../../../src/core/base/systemPorts.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { chatOf, seen } from './chatWorld.ts';

const GOLDEN = join(import.meta.dirname, '../../data/chat-transcript.txt');
const DAY = 86_400_000;

/** The system's clock, and days that pass at once. */
function clockWithDays(): Clock & { passDay(): void } {
  let ahead = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    passDay: () => void (ahead += DAY),
  };
}

describe('a conversation of four people with four key managers', function () {
  this.timeout(240_000);
  const clock = clockWithDays();
  let world: PeopleWorld;
  let people: Record<'alice' | 'bob' | 'carol' | 'dave', Person>;
  let said = 0;
  /** Lines that were said while somebody was a member. */
  const due = new Map<Person, number>();
  let members: readonly Person[] = [];

  before(async function () {
    needMailWorld(this);
    const kmes = ['KME-A', 'KME-B', 'KME-C', 'KME-D'];
    const saes = ['ALICE', 'BOB', 'CAROL', 'DAVE'].map((name, index) => ({ saeId: `SAE-${name}`, kmeId: kmes[index]! }));
    world = await startPeopleWorld({ kme: { kmes, saes }, ports: { clock } });
    const [alice, bob, carol, dave] = (await world.circle('alice', 'bob', 'carol', 'dave')) as [Person, Person, Person, Person];
    people = { alice, bob, carol, dave };
  });
  after(() => world?.dispose());

  const chatIdOf = async (person: Person): Promise<string> => (await person.engine.listChats({}))[0]!.id;
  const say = async (person: Person): Promise<void> => {
    said += 1;
    for (const member of members) due.set(member, (due.get(member) ?? 0) + 1);
    await person.engine.sendChatMessage({ chatId: await chatIdOf(person), text: `Line ${said} by ${person.name}` });
  };
  const talk = async (lines: number, ...who: readonly Person[]): Promise<void> => {
    for (let line = 0; line < lines; line += 1) await say(who[line % who.length]!);
  };
  const pageOf = async (person: Person): Promise<readonly ChatMessage[]> =>
    (await person.engine.getChatMessages({ chatId: await chatIdOf(person), limit: 500 })).messages;
  /** Everybody has the last line, or the last change. */
  const heard = async (text: string, ...who: readonly Person[]): Promise<void> => {
    await Promise.all(
      who.map((person) => seen(person, async () => (await pageOf(person)).find((each) => lineOf(each).endsWith(text)), 60_000)),
    );
  };
  const settled = async (...who: readonly Person[]): Promise<void> => {
    const hasAll = async (person: Person): Promise<true | undefined> => {
      const lines = (await pageOf(person)).filter(({ notice }) => !notice);
      return lines.length === due.get(person) && lines.every(({ state }) => state === 'sent' || state === 'received') ? true : undefined;
    };
    await Promise.all(who.map((person) => seen(person, () => hasAll(person), 60_000)));
  };

  it('reads the same for everybody, whatever happened on the way', async () => {
    const { alice, bob, carol, dave } = people;
    const accountId = alice.account.id;
    const { id: chatId } = await alice.engine.startChat({ accountId, members: [bob.email, carol.email], name: 'Four' });
    for (const person of [bob, carol]) await chatOf(person, 'Four');
    for (const person of [alice, bob, carol]) await person.engine.setChatReceipts({ chatId: await chatIdOf(person), receipts: 'off' });
    members = [alice, bob, carol];
    await talk(19, bob, carol, alice);
    await talk(1, alice);
    await settled(alice, bob, carol);

    await alice.engine.changeChat({ chatId, change: { kind: 'add', address: dave.email } });
    await dave.engine.setChatReceipts({ chatId: (await chatOf(dave, 'Four')).id, receipts: 'off' });
    await heard('added Dave', alice, bob, carol, dave);
    members = [alice, bob, carol, dave];
    await talk(20, dave, bob, carol, alice);
    await settled(alice, bob, carol, dave);

    await bob.engine.changeChat({ chatId: await chatIdOf(bob), change: { kind: 'rename', name: 'The four of us' } });
    await heard('renamed it to The four of us', alice, bob, carol, dave);
    await talk(16, bob, carol, dave, alice);
    await settled(alice, bob, carol, dave);

    // Carol's key manager is away: nobody reaches her, so everything waits, and comes in the order it was said.
    await world.kme.pair.stop('KME-C');
    await talk(8, carol, dave, bob, alice);
    assert.ok((await pageOf(alice)).some(({ state, failure }) => state === 'queued' && failure?.code.startsWith('kme.')));
    await world.kme.pair.start('KME-C');
    for (const person of [alice, bob, carol, dave]) await person.connectKeyManager();
    await settled(alice, bob, carol, dave);

    // Bob is away for a day.
    await bob.engine[Symbol.asyncDispose]();
    await talk(8, carol, dave, alice, alice);
    clock.passDay();
    await talk(8, dave, carol, dave, alice);
    await bob.open();
    await settled(alice, bob, carol, dave);

    await dave.engine.leaveChat({ chatId: await chatIdOf(dave) });
    await heard('left', alice, bob, carol);
    members = [alice, bob, carol];
    await talk(8, carol, alice, bob, alice);
    await settled(alice, bob, carol);
    await alice.engine.changeChat({ chatId, change: { kind: 'remove', address: carol.email } });
    await heard('removed Carol', alice, bob, carol);
    members = [alice, bob];
    await talk(12, bob, bob, alice);
    await settled(alice, bob);
    assert.equal(said, 100);

    const golden = (await pageOf(alice)).map(lineOf);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, `${golden.join('\n')}\n`);
    assert.deepEqual(golden, readFileSync(GOLDEN, 'utf8').trimEnd().split('\n'));
    assert.deepEqual((await pageOf(bob)).map(lineOf), golden);
    const until = golden.findIndex((line) => line.endsWith('removed Carol'));
    assert.deepEqual((await pageOf(carol)).map(lineOf), golden.slice(0, until + 1));
    const [joined, left] = [golden.findIndex((line) => line.endsWith('added Dave')), golden.findIndex((line) => line.endsWith('left'))];
    const isLine = (line: string): boolean => line.includes(': ');
    assert.deepEqual((await pageOf(dave)).map(lineOf).filter(isLine), golden.slice(joined, left).filter(isLine));
  });

  it('took one key from the key managers for all members of a line, and asked for none twice', () => {
    const { deliveries } = world.kme.pair;
    const asked = deliveries.map(({ saeId, keyId, verb }) => `${verb} ${saeId} ${keyId}`);
    assert.equal(new Set(asked).size, asked.length);
    const served = deliveries.filter(({ verb }) => verb === 'enc_keys');
    for (const members of [1, 2, 3])
      assert.ok(
        served.some(({ peerSaeIds }) => peerSaeIds.length === members),
        `${members} others`,
      );
    // One key per line and change, and some for lines that could not be sent in the end.
    assert.ok(served.length >= 100 && served.length < 180, `${served.length} keys`);
  });
});

function lineOf({ author, text, notice }: ChatMessage): string {
  if (!notice) return `${author.name}: ${text}`;
  switch (notice.kind) {
    case 'added':
    case 'removed':
      return `* ${notice.by} ${notice.kind} ${notice.member}`;
    case 'renamed':
      return `* ${notice.by} renamed it to ${notice.name}`;
    default:
      return `* ${notice.by} ${notice.kind}`;
  }
}
