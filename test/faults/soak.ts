import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MessageSummary } from '../../src/core/api.ts';
import type { Person } from '../world/peopleWorld.ts';
import { FaultWorld, messageIdOf, type Letter } from './faultWorld.ts';
import { Dice } from './seeded.ts';
import { drawFault } from './soakFaults.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Between two faults. */
const TICK = 5 * MINUTE;
/** Time passes in pieces that no timer of the engine takes for sleep. */
const PIECE = 15_000;
/** The lid is closed from eleven to seven. */
const NIGHT = 8 * HOUR;
const DAY_AWAKE = 16 * HOUR;

const EVERY = Number.POSITIVE_INFINITY;

export interface SoakOptions {
  readonly seed: number;
  readonly messages: number;
  readonly simulatedMs: number;
}

/** What the process holds when nothing is under way. */
export interface Footprint {
  readonly atHour: number;
  readonly handles: number;
  readonly heapMb: number;
}

export interface SoakReport {
  readonly messages: number;
  readonly faults: number;
  readonly simulatedHours: number;
  readonly signIns: number;
  readonly unsure: number;
  /** Written, and not in the reader's mailbox. */
  readonly lost: readonly string[];
  /** More than once there, by subject as read or by Message-ID as stored. */
  readonly duplicated: readonly string[];
  /** In one mailbox and not in the other's Sent, or the other way round. */
  readonly unmatched: readonly string[];
  readonly footprints: readonly Footprint[];
  readonly drawn: Readonly<Record<string, number>>;
}

/** Alice and Bob write to each other for so long, a fault every five minutes of their time; the days are hers, Bob does not sleep. */
export async function soak(o: SoakOptions, say: (line: string) => void): Promise<SoakReport> {
  const dice = new Dice(o.seed);
  const world = await FaultWorld.start();
  try {
    const drawn: Record<string, number> = {};
    const footprints: Footprint[] = [];
    const all: Letter[] = [];
    let unsure = 0;
    // It begins at seven in the evening, so that a short soak has a night as well.
    let awake = DAY_AWAKE - 4 * HOUR;
    let due = 0;
    const writeDue = async (passed: number, writer?: Person): Promise<void> => {
      due += (o.messages * passed) / o.simulatedMs;
      for (; due >= 1; due -= 1) {
        const from = writer ?? dice.pick([world.alice, world.bob]);
        const outcome = await world.write(from, from === world.alice ? world.bob : world.alice, {
          level: dice.pick(['L2', 'L4', 'L4']),
          bytes: 400,
        });
        if (outcome === 'smtp.acceptance-unknown') unsure += 1;
        all.push(world.letters.at(-1)!);
      }
    };
    let lastPrint = 0;
    for (let passed = 0; passed < o.simulatedMs;) {
      if (passed - lastPrint >= o.simulatedMs / 4) {
        lastPrint = passed;
        all.push(...(await atRest(world)));
        footprints.push(footprint(world, passed));
        say(
          `  hour ${Math.round(passed / HOUR)}: ${all.length} messages, ${footprints.at(-1)!.handles} handles, ${footprints.at(-1)!.heapMb} MB`,
        );
      }
      if (awake >= DAY_AWAKE) {
        awake = 0;
        const connections = dice.pick(['stall', 'reset'] as const);
        for (const proxy of [world.imap, world.smtp]) proxy.faultNow({ how: connections });
        world.gate.kill(world.accessToken);
        await writeDue(NIGHT, world.bob);
        await world.pass(NIGHT);
        passed += NIGHT;
      } else {
        const fault = drawFault(dice);
        drawn[fault.name] = (drawn[fault.name] ?? 0) + 1;
        await fault.strike(world, dice);
        await writeDue(TICK);
        for (let step = 0; step < TICK; step += PIECE) {
          await world.pass(PIECE);
          await new Promise((resolve) => setTimeout(resolve, 3));
        }
        passed += TICK;
        awake += TICK;
      }
      await world.calm();
      await world.attend();
    }
    while (all.length < o.messages) {
      await world.write(world.alice, world.bob);
      all.push(world.letters.at(-1)!);
    }
    all.push(...(await atRest(world)));
    footprints.push(footprint(world, o.simulatedMs));
    const verdict = await compare(world, all);
    const faults = Object.values(drawn).reduce((sum, count) => sum + count, 0);
    return {
      messages: all.length,
      faults,
      simulatedHours: Math.round(o.simulatedMs / HOUR),
      signIns: world.signIns,
      unsure,
      ...verdict,
      footprints,
      drawn,
    };
  } finally {
    await world.dispose();
  }
}

/** Everything sent, both online, every copy filed: what the process holds then, it holds for good. Resolves to the two letters that showed it. */
async function atRest(world: FaultWorld): Promise<readonly Letter[]> {
  await world.settle();
  await world.write(world.alice, world.bob);
  await world.write(world.bob, world.alice);
  const last = world.letters.slice(-2);
  await world.settle();
  await world.eventually('the last letters and their copies are there', async () => {
    for (const { from, to, subject } of last) {
      if (!(await subjects(to, 'INBOX', 5)).includes(subject)) return false;
      await from.engine.fetchMail({ accountId: from.account.id, folder: 'Sent' });
      if (!(await subjects(from, 'Sent', 5)).includes(subject)) return false;
    }
    return true;
  });
  await world.untilHostIsQuiet();
  // Connections that are kept for a while close.
  for (let step = 0; step < 4; step += 1) {
    await world.pass(PIECE);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return last;
}

/** Sockets, timers and the heap after a collection, without what the tests themselves pile up. */
function footprint(world: FaultWorld, passed: number): Footprint {
  for (const person of [world.alice, world.bob]) person.log.length = 0;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return {
    atHour: Math.round(passed / HOUR),
    handles: process.getActiveResourcesInfo().length,
    heapMb: Math.round((process.memoryUsage().heapUsed / 1_048_576) * 10) / 10,
  };
}

/** Each letter in its reader's list once; and in the stored mailboxes the Message-IDs of one's Sent are those of the other's inbox. */
async function compare(world: FaultWorld, letters: readonly Letter[]): Promise<Pick<SoakReport, 'lost' | 'duplicated' | 'unmatched'>> {
  // What was sealed is opened as its keys come; whatever is not there by then is reported below.
  const all = async (): Promise<boolean> => {
    const seen = new Set([...(await subjects(world.alice, 'INBOX', EVERY)), ...(await subjects(world.bob, 'INBOX', EVERY))]);
    return letters.every(({ subject }) => seen.has(subject));
  };
  await world.eventually('every letter is read', all).catch(() => {});
  const lost: string[] = [];
  const duplicated: string[] = [];
  const unmatched: string[] = [];
  for (const [reader, writer] of [
    [world.alice, world.bob],
    [world.bob, world.alice],
  ] as const) {
    const seen = await subjects(reader, 'INBOX', EVERY);
    for (const { subject } of letters.filter(({ to }) => to === reader)) {
      const times = seen.filter((each) => each === subject).length;
      if (times === 0) lost.push(`${subject}; unopened: ${(await unopened(reader)).join()}`);
      if (times > 1) duplicated.push(subject);
    }
    const [received, sent] = [await messageIds(world, reader, 'INBOX'), await messageIds(world, writer, 'Sent')];
    for (const ids of [received, sent]) duplicated.push(...ids.filter((id, index) => ids.indexOf(id) !== index));
    unmatched.push(...received.filter((id) => !sent.includes(id)), ...sent.filter((id) => !received.includes(id)));
  }
  return { lost, duplicated, unmatched };
}

/** What lies in the inbox and could not be read, and why. */
async function unopened(person: Person): Promise<string[]> {
  const { messages } = await person.engine.getEmailList({ accountId: person.account.id, folder: 'INBOX', limit: 500 });
  return messages.filter(({ seal }) => seal === 'unopened' || seal === 'failed').map(({ seal, failure }) => `${seal} ${failure?.code}`);
}

async function messageIds(world: FaultWorld, person: Person, folder: string): Promise<string[]> {
  return (await world.mail.storedMessages(person.email, folder)).map(messageIdOf);
}

/** Subjects as the reader sees them, newest first, page by page. */
async function subjects(person: Person, folder: string, most: number): Promise<string[]> {
  const found: MessageSummary[] = [];
  let before: number | undefined;
  do {
    const limit = Math.min(most, 500);
    const page = await person.engine.getEmailList({ accountId: person.account.id, folder, limit, ...(before !== undefined && { before }) });
    found.push(...page.messages);
    before = page.next;
  } while (before !== undefined && found.length < most);
  return found.map(({ subject }) => subject);
}
