import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { attempt, growth, type BenchRow } from './benchRow.ts';
import { EngineProgram, type ChildResult } from './engine.ts';
import { generateMailbox, longMessages } from './mailbox.ts';
import { Isync, type Mailbox } from './references.ts';

const MIB = 1024 * 1024;
/** Ours and theirs take turns this often, and the best of each counts; the long ones less often. Of a large mailbox mbsync and notmuch, which take minutes, once. */
const ROUNDS = 7;
const FULL_ROUNDS = 3;
const LARGE = 50_000;
const LONG_MESSAGES = 40;

type Took = Readonly<Record<'full' | 'screen' | 'again', Map<number, number>>>;

/** Full offline sync, first screen, a look that finds nothing, memory: DESIGN 7, rows 1 to 4 and the last. `QUMAIL_BENCH_MESSAGES` lists sizes. */
export async function rows(): Promise<BenchRow[]> {
  const sizes = (process.env['QUMAIL_BENCH_MESSAGES'] ?? '20000,100000').split(',').map(Number);
  using program = await EngineProgram.bundle();
  const all: BenchRow[] = [];
  const took = { full: new Map<number, number>(), screen: new Map<number, number>(), again: new Map<number, number>() };
  for (const count of sizes) all.push(...(await attempt(`sync of ${count}`, () => measure(program, count, took))));
  all.push(...(await attempt('sync of long messages', () => measureLong(program))));
  return [
    ...all,
    // The quickest of each, for information: growth.bench.ts sets like against like.
    ...growth('the quickest full sync', took.full, Number.POSITIVE_INFINITY),
    ...growth('the first 50 messages on screen', took.screen),
    ...growth('a re-sync with nothing new', took.again),
  ];
}

/** A mailbox of letters with photographs and films: what such a one holds up, and takes. */
async function measureLong(program: EngineProgram): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'qumail-bench-'));
  const user = { email: 'alice@example.test', password: 'alice-password-91' };
  const caPem = await testCaPem();
  const world = await startMailWorld({ users: [user], tls: { ...(await issueServer()), caPem } });
  try {
    world.fill(user.email, longMessages(LONG_MESSAGES));
    const results: ChildResult[] = [];
    for (let round = 0; round < FULL_ROUNDS; round++) {
      const storageDir = join(dir, `engine${round}`);
      mkdirSync(storageDir);
      results.push(await program.run('full', { storageDir, ...user, caPem, servers: { imap: world.imap, smtp: world.smtp } }));
      if (results[round]!.stored !== LONG_MESSAGES) throw new Error(`stored ${results[round]!.stored} of ${LONG_MESSAGES}`);
    }
    const worst = Math.min(...results.map(({ worst: each = 0 }) => each));
    const rss = Math.max(...results.map((each) => each.rss)) / MIB;
    const row = (name: string, bar: number, unit: string, limit: number, ours: number): BenchRow => ({
      name: `${name}, ${LONG_MESSAGES} messages of 1 to 24 MiB`,
      bar,
      unit,
      reference: { name: 'limit', value: limit },
      ours,
      ratio: ours / limit,
    });
    return [
      row('longest wait of a request while syncing', 1, 'ms', 50, worst),
      // Two such messages are in memory twice each, as ImapFlow's pieces and whole, until they are collected.
      row('memory of the engine process', Number.POSITIVE_INFINITY, 'MiB', 200, rss),
    ];
  } finally {
    await world.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(program: EngineProgram, count: number, took: Took): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'qumail-bench-'));
  const user = { email: 'alice@example.test', password: 'alice-password-91' };
  const caPem = await testCaPem();
  const world = await startMailWorld({ users: [user], tls: { ...(await issueServer()), caPem } });
  try {
    world.fill(user.email, generateMailbox(count));
    const config = (round: number) => ({
      storageDir: join(dir, `engine${round}`),
      ...user,
      caPem,
      servers: { imap: world.imap, smtp: world.smtp },
    });
    const mailbox: Mailbox = { world, user, caPem, dir };
    const fetched = new Best();
    let isync = new Isync(mailbox);
    fetched.add(isync.sync() + isync.index());
    // Once unmeasured: Dovecot makes its own index of the new folder, and keeps what was asked for.
    await program.run('flow-raw', config(0));
    await program.run('flow-envelopes', config(0));
    const raw = new Best();
    const full: ChildResult[] = [];
    for (let round = 0; round < FULL_ROUNDS; round++) {
      if (round > 0 && count <= LARGE) {
        isync = new Isync(mailbox);
        fetched.add(isync.sync() + isync.index());
      }
      raw.add((await program.run('flow-raw', config(0))).ms);
      mkdirSync(config(round).storageDir);
      full.push(await program.run('full', config(round)));
      if (full[round]!.stored !== count) throw new Error(`stored ${full[round]!.stored} of ${count}`);
    }
    const [envelopes, screen, nothing, again, cold] = [new Best(), new Best(), new Best(), new Best(), new Best()];
    for (let round = 0; round < ROUNDS; round++) {
      nothing.add(isync.sync());
      again.add((await program.run('again', config(1))).ms);
      cold.add((await program.run('again-cold', config(1))).ms);
      envelopes.add((await program.run('flow-envelopes', config(0))).ms);
      screen.add((await program.run('screen', config(0))).ms);
    }
    const ours = Math.min(...full.map(({ ms }) => ms));
    took.full.set(count, ours);
    took.screen.set(count, screen.value);
    took.again.set(count, again.value);
    const worst = Math.min(...full.map(({ worst: each = 0 }) => each));
    const worstOfAll = Math.min(...full.map(({ worstOfAll: each = 0 }) => each));
    const label = `${(count / 1000).toLocaleString('en')},000 messages`;
    const row = (name: string, bar: number, unit: string, reference: BenchRow['reference'], value: number): BenchRow => ({
      name: `${name}, ${label}`,
      bar,
      unit,
      reference,
      ours: value,
      ratio: value / reference.value,
    });
    const nothingNew = { name: 'mbsync, a process', value: nothing.value };
    return [
      row('full offline sync + search index', 0.12, 'ms', { name: 'mbsync + notmuch new', value: fetched.value }, ours),
      row('full offline sync + search index', 6, 'ms', { name: 'ImapFlow, raw sources alone', value: raw.value }, ours),
      row('first 50 messages on screen', 1.5, 'ms', { name: 'ImapFlow connect + 50 envelopes', value: envelopes.value }, screen.value),
      row('re-sync with nothing new, engine running', 1, 'ms', nothingNew, again.value),
      row('re-sync with nothing new, start of the process included', Number.POSITIVE_INFINITY, 'ms', nothingNew, cold.value),
      row('memory of the engine process', 1, 'MiB', { name: 'limit', value: 200 }, Math.max(...full.map(({ rss }) => rss)) / MIB),
      row('longest wait of a request while syncing', 1, 'ms', { name: 'limit', value: 50 }, worst),
      row('the same, waiting for a processor included', Number.POSITIVE_INFINITY, 'ms', { name: 'limit', value: 50 }, worstOfAll),
    ];
  } finally {
    await world.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The least of what was measured: other work on the machine only ever adds. */
class Best {
  #values: number[] = [];

  add(value: number): void {
    this.#values.push(value);
  }

  get value(): number {
    return Math.min(...this.#values);
  }
}
