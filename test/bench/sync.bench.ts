import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import type { BenchRow } from './benchRow.ts';
import { EngineProgram, type ChildResult } from './engine.ts';
import { generateMailbox } from './mailbox.ts';
import { Isync, type Mailbox } from './references.ts';

const MIB = 1024 * 1024;
/** Each short measurement is the median of this many. */
const ROUNDS = 5;

/** Full offline sync, first screen, a look that finds nothing, memory: DESIGN 7, rows 1 to 4 and the last. `QUMAIL_BENCH_MESSAGES` lists sizes. */
export async function rows(): Promise<BenchRow[]> {
  const sizes = (process.env['QUMAIL_BENCH_MESSAGES'] ?? '20000,100000').split(',').map(Number);
  using program = await EngineProgram.bundle();
  const all: BenchRow[] = [];
  for (const count of sizes) all.push(...(await measure(program, count)));
  return all;
}

async function measure(program: EngineProgram, count: number): Promise<BenchRow[]> {
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
    // Once unmeasured: Dovecot makes its own index of the new folder.
    await program.run('flow-raw', config(0));
    const raw = await median(ROUNDS, async () => (await program.run('flow-raw', config(0))).ms);
    const envelopes = await median(ROUNDS, async () => (await program.run('flow-envelopes', config(0))).ms);
    const isync = new Isync(mailbox);
    const fetched = isync.sync();
    const indexed = isync.index();
    const nothing = await median(ROUNDS, async () => isync.sync());
    const full: ChildResult[] = [];
    for (let round = 0; round < 3; round++) {
      mkdirSync(config(round).storageDir);
      full.push(await program.run('full', config(round)));
      if (full[round]!.stored !== count) throw new Error(`stored ${full[round]!.stored} of ${count}`);
    }
    const ours = middle(full.map(({ ms }) => ms));
    const again = await median(ROUNDS, async () => (await program.run('again', config(2))).ms);
    const screen = await median(ROUNDS, async () => (await program.run('screen', config(1))).ms);
    const label = `${(count / 1000).toLocaleString('en')},000 messages`;
    const row = (name: string, bar: number, unit: string, reference: BenchRow['reference'], value: number): BenchRow => ({
      name: `${name}, ${label}`,
      bar,
      unit,
      reference,
      ours: value,
      ratio: value / reference.value,
    });
    return [
      row('full offline sync + search index', 0.12, 'ms', { name: 'mbsync + notmuch new', value: fetched + indexed }, ours),
      row('full offline sync + search index', 6, 'ms', { name: 'ImapFlow, raw sources alone', value: raw }, ours),
      row('first 50 messages on screen', 1.5, 'ms', { name: 'ImapFlow connect + 50 envelopes', value: envelopes }, screen),
      row('re-sync with nothing new', 1, 'ms', { name: 'mbsync', value: nothing }, again),
      row('memory of the engine process', 1, 'MiB', { name: 'limit', value: 200 }, Math.max(...full.map(({ rss }) => rss)) / MIB),
      row('longest wait of a request while syncing', 1, 'ms', { name: 'limit', value: 50 }, middle(full.map(({ worst = 0 }) => worst))),
    ];
  } finally {
    await world.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function median(rounds: number, run: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) values.push(await run());
  return middle(values);
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
