import { createHash } from 'node:crypto';
import type { Chat } from '../../src/core/api.ts';
import { systemRandom } from '../../src/core/base/systemPorts.ts';
import { encodeCard, encodeSignedCard, signedOctets } from '../../src/core/crypto/contactCard.ts';
import { OpenPgpEngine } from '../../src/core/crypto/openPgpEngine.ts';
import { startPeopleWorld, type Person } from '../world/peopleWorld.ts';
import type { BenchRow } from './benchRow.ts';

/** Members of the large group, its author included. */
const LARGE = 50;
const LATENCY = 50;
const LINES = 40;

/** Chats over Dovecot, Postfix and simulated key managers: the bars are those that people feel, so the reference is the bar itself. */
export async function rows(): Promise<BenchRow[]> {
  return [
    await largeGroup('multicast', 1000),
    await largeGroup('pairwise wraps', 3000),
    against('one line, window to window, p95', 800, await windowToWindow()),
  ];
}

function against(name: string, ms: number, ours: number): BenchRow {
  return { name, bar: 1, unit: 'ms', reference: { name: 'what a person waits', value: ms }, ours, ratio: ours / ms };
}

/** From the call until Postfix has taken the line for all others, with the second line: the first meets links nobody asked before. */
async function largeGroup(keying: 'multicast' | 'pairwise wraps', bar: number): Promise<BenchRow> {
  const saes = Array.from({ length: LARGE }, (_, index) => ({
    saeId: index === 0 ? 'SAE-ALICE' : `SAE-M${index}`,
    kmeId: index === 0 ? 'KME-A' : 'KME-B',
  }));
  const maxSaeIdCount = keying === 'multicast' ? LARGE : 0;
  const members = Array.from({ length: LARGE - 1 }, (_, index) => `m${index + 1}@example.test`);
  await using world = await startPeopleWorld({
    kme: { kmes: ['KME-A', 'KME-B'], saes, maxSaeIdCount },
    moreUsers: members.map((email) => ({ email, password: 'not-used' })),
  });
  const alice = await world.person('alice');
  await alice.signInWithPassword();
  await alice.connectKeyManager();
  const pgp = new OpenPgpEngine({ random: systemRandom });
  for (const [index, addr] of members.entries()) {
    const content = await cardOf(pgp, addr, `SAE-M${index + 1}`);
    await alice.engine.importCard({ accountId: alice.account.id, content, name: `Member ${index + 1}` });
  }
  const chat = await alice.engine.startChat({ accountId: alice.account.id, members, name: 'Many', minimumLevel: 'L2' });
  world.kme.pair.faults('KME-A').delayMs = LATENCY;
  await timeOf(alice, chat, 'The first line');
  const times: number[] = [];
  for (let line = 0; line < 5; line += 1) times.push(await timeOf(alice, chat, `Line ${line}`));
  return against(`a line to a group of ${LARGE}, ${keying}, key managers at ${LATENCY} ms`, bar, times.toSorted((a, b) => a - b)[2]!);
}

async function timeOf({ engine }: Person, chat: Chat, text: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const began = performance.now();
  const look = async (): Promise<void> => {
    const { messages } = await engine.getChatMessages({ chatId: chat.id, limit: 5 });
    const line = messages.find((message) => message.text === text);
    if (line?.state === 'sent') resolve();
    if (line?.failure) reject(new Error(line.failure.code));
  };
  const listening = engine.onEvent((event) => {
    if (event.kind === 'chat-messages') look().catch(reject);
  });
  await engine.sendChatMessage({ chatId: chat.id, text });
  await look();
  await promise;
  listening.dispose();
  return performance.now() - began;
}

async function cardOf(pgp: OpenPgpEngine, addr: string, saeId: string): Promise<Buffer> {
  const now = Date.now();
  const { certificate, secretKey, fingerprint } = await pgp.generate({ addresses: [addr], name: '', now });
  const octets = encodeCard({
    addr,
    saeId,
    fingerprint,
    minimumLevel: 'L4',
    suites: ['QM1-CB256', 'QM1-CB256+PQ', 'QM1-PGP9980'],
    issuedAt: now,
  });
  const signature = await pgp.sign({ data: signedOctets(octets), secretKey, now, detached: true });
  return encodeSignedCard({ octets, signature, certificate });
}

/** p95 from the call in one engine to the line in the other's chat. */
async function windowToWindow(): Promise<number> {
  await using world = await startPeopleWorld();
  const [alice, bob] = (await world.circle('alice', 'bob')) as [Person, Person];
  const chat = await alice.engine.startChat({ accountId: alice.account.id, members: [bob.email] });
  const arrived = new Map<string, (at: number) => void>();
  bob.engine.onEvent((event) => {
    if (event.kind !== 'chat-messages') return;
    const at = performance.now();
    void bob.engine.getChatMessages({ chatId: event.chatId, limit: 3 }).then(({ messages }) => {
      for (const { text } of messages) arrived.get(text)?.(at);
    });
  });
  const times: number[] = [];
  for (let line = 0; line <= LINES; line += 1) {
    const text = createHash('sha256').update(`${line}`).digest('hex');
    const { promise, resolve } = Promise.withResolvers<number>();
    arrived.set(text, resolve);
    const began = performance.now();
    await alice.engine.sendChatMessage({ chatId: chat.id, text });
    const took = (await promise) - began;
    // The first opens connections that stay open.
    if (line > 0) times.push(took);
  }
  const sorted = times.toSorted((a, b) => a - b);
  console.log(`  one line: median ${sorted[LINES >> 1]?.toFixed(0)} ms, slowest ${sorted.at(-1)?.toFixed(0)} ms`);
  return sorted[Math.ceil(LINES * 0.95) - 1]!;
}
