import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dice } from '../faults/seeded.ts';
import { folderSecrets } from '../core/store/vaultFixture.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../world/peopleWorld.ts';
import { watchMime } from './points.ts';
import { settle, type Settled } from './settling.ts';
import { Victim, type VictimFolders } from './victim.ts';

export interface KillPlan {
  readonly seed: number;
  readonly kills: number;
}

export interface KillReport extends Settled {
  readonly kills: number;
  /** Kills at a numbered point, by what the process was doing. */
  readonly atPoints: Readonly<Record<string, number>>;
  readonly atRandomTimes: number;
  readonly messages: number;
}

/** Points that sending or receiving one message passes, at least: a window measured while the other one received tells less. */
const USUAL_POINTS = 120;
/** A window that has not reached its point by then is killed where it is, in milliseconds. */
const PATIENCE = 2500;
/** What may follow once the work itself is done, in milliseconds: delivery, filing, opening. */
const AFTERWARDS = 800;
/** Random times, in milliseconds after the work began. */
const RANDOM = 450;

/**
 * Two people, each with two windows over one folder; one of the windows is killed while it sends or receives, another takes its place, and on it
 * goes. What became of messages and keys is compared at the end.
 */
export async function killRun({ seed, kills }: KillPlan, say: (line: string) => void): Promise<KillReport> {
  const dice = new Dice(seed);
  const base = mkdtempSync(join(tmpdir(), 'qumail-kills-'));
  const produced = join(base, 'produced');
  mkdirSync(produced);
  const stopWatching = watchMime((mime) => writeFileSync(join(produced, `${createHash('sha256').update(mime).digest('hex')}.eml`), mime));
  const world = await startPeopleWorld();
  const sides: Side[] = [];
  try {
    const [alice, bob] = await world.pair('alice', 'bob');
    // Alice writes here what a window of hers is to send; Bob has no other windows than those that die.
    await bob.engine[Symbol.asyncDispose]();
    const [senders, receivers] = await Promise.all([alice, bob].map((person) => Side.start(person, world, base, produced)));
    if (!senders || !receivers) throw new Error('no windows');
    sides.push(senders, receivers);

    const subjects: string[] = [];
    const write = async (what: string): Promise<{ draftId: string; text: string }> => {
      const subject = `${what} ${subjects.length}`;
      subjects.push(subject);
      const level = dice.pick(['L1', 'L2'] as const);
      const draft = await alice.draft({ To: bob.email, Subject: subject, Security: level }, `the text of ${subject}\n`);
      await alice.engine.saveDraft(draft);
      return draft;
    };
    const spans = {
      send: await senders.measure(async (victim) => void (await victim.send(await write('measured')))),
      receive: USUAL_POINTS,
    };
    spans.receive = await receivers.measure(async () => {
      await alice.engine.sendDraft(await write('measured'));
      await pause(1200);
    });
    say(`  ${spans.send} points in sending one message, ${spans.receive} in receiving one`);

    let atRandomTimes = 0;
    for (let n = 0; n < kills; n++) {
      const what = n % 2 === 0 ? 'send' : 'receive';
      const side = what === 'send' ? senders : receivers;
      const random = n % 3 === 2;
      const draft = await write(what);
      // Every number comes up in a long run, in an order of the dice's.
      const at = random ? undefined : 1 + dice.below(spans[what]);
      if (random) atRandomTimes += 1;
      await side.sacrifice(at, random ? dice.below(RANDOM) : PATIENCE, async (victim) => {
        if (what === 'send') await victim.send(draft);
        else await alice.engine.sendDraft(draft).catch(() => {});
      });
      if ((n + 1) % 20 === 0) say(`  ${n + 1} kills`);
    }
    for (const each of sides) await each.end();
    const settled = await settle({ world, alice, bob, subjects, produced });
    return { ...settled, kills, atPoints: countLines(join(produced, 'points.log')), atRandomTimes, messages: subjects.length };
  } finally {
    stopWatching();
    await Promise.all(sides.map((side) => side.end()));
    await world.dispose();
    rmSync(base, { recursive: true, force: true });
  }
}

/** One person's windows: always two alive when work begins, of which the older one dies. */
class Side {
  readonly #person: Person;
  readonly #folders: VictimFolders;
  readonly #settings: object;
  #windows: [Victim, Victim];

  private constructor(person: Person, folders: VictimFolders, settings: object) {
    this.#person = person;
    this.#folders = folders;
    this.#settings = settings;
    this.#windows = [this.#open(), this.#open()];
  }

  static async start(person: Person, world: PeopleWorld, base: string, produced: string): Promise<Side> {
    const secretsDir = join(base, `secrets-${person.name}`);
    const secrets = folderSecrets(secretsDir);
    for (const [name, value] of person.secrets) await secrets.set(name, value);
    const folders = { storageDir: person.storageDir, secretsDir, produced, compileCache: join(base, 'compiled') };
    const side = new Side(person, folders, { certificateAuthorities: { '127.0.0.1': world.kme.pair.caPem }, fetchInterval: 3600 });
    await Promise.all(side.#windows.map((window) => window.ready()));
    return side;
  }

  /** How many points a window passes while `work` goes on. */
  async measure(work: (victim: Victim) => Promise<void>): Promise<number> {
    const [victim] = this.#windows;
    await victim.arm();
    await work(victim);
    return Math.max(await victim.points(), USUAL_POINTS);
  }

  /** Lets `work` begin in the older window, which dies at its `at`-th point or after `patienceMs`; opens another. */
  async sacrifice(at: number | undefined, patienceMs: number, work: (victim: Victim) => Promise<void>): Promise<void> {
    const [victim, survivor] = this.#windows;
    await survivor.ready();
    await victim.arm(at);
    const done = work(victim);
    const late = Promise.race([pause(patienceMs), done.then(() => pause(AFTERWARDS))]);
    const ended = await Promise.race([victim.gone.then(() => 'dead'), late.then(() => 'late')]);
    if (ended === 'late') await victim.kill();
    await done;
    this.#windows = [survivor, this.#open()];
  }

  async end(): Promise<void> {
    await Promise.all(this.#windows.map((window) => window.kill()));
    const secrets = folderSecrets(this.#folders.secretsDir);
    for (const name of secrets.names()) this.#person.secrets.set(name, (await secrets.get(name)) ?? '');
  }

  #open(): Victim {
    return new Victim(this.#folders, this.#settings);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function countLines(file: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
}
