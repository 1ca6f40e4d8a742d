import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineOptions } from '../../src/core/api.ts';
import { DisposableStore } from '../../src/core/base/lifetime.ts';
import { systemClock, systemRandom } from '../../src/core/base/systemPorts.ts';
import { openStores } from '../../src/core/coreStores.ts';
import { summaryOfSource } from '../../src/core/mail/sourceSummary.ts';
import type { SourcedMessage } from '../../src/core/store/offline.ts';
import { ThreadStore } from '../../src/core/store/threads.ts';
import { QuMailCore } from '../../src/core/qumailCore.ts';
import { attempt, growth, type BenchRow } from './benchRow.ts';
import { timed } from './engine.ts';
import { generateMailbox } from './mailbox.ts';

/** What is searched for: ours, and as notmuch writes it. Common and rare words, phrases, prefixes, fields, negation, dates. */
const QUERIES: readonly (readonly [string, string])[] = [
  ...['the', 'people', 'said', 'hot', 'have', 'deb', 'fac', 'bed'].map(same),
  ...['from:person7', 'from:person120', 'subject:word', 'subject:each', 'to:alice'].map(same),
  ...['"of to"', '"was for"', '"what there"', '"some what we"'].map(same),
  ...['pers*', 'wor*', 'ea*', 'subject:wo*'].map(same),
  ['each said', 'each said'],
  ['word -she', 'word and not tag:none and not she'],
  ['(hot OR word) from:person7', '(hot or word) from:person7'],
  ['after:2020-03-01 before:2020-04-01 use', 'date:2020-03-01..2020-03-31 use'],
  ['has:attachment word', 'attachment:data word'],
  ['filename:data', 'attachment:data'],
];
const LIMIT = 50;
/** Each query is asked this often; all answers count for the 95th percentile. */
const ROUNDS = 8;
/** Messages in one transaction. */
const BATCH = 100;

/** Search at 20,000 messages against notmuch as a process, and the making of either index: DESIGN 7, row 5. `QUMAIL_BENCH_MESSAGES` lists sizes. */
export async function rows(): Promise<BenchRow[]> {
  const sizes = (process.env['QUMAIL_BENCH_MESSAGES'] ?? '20000,100000').split(',').map(Number);
  const all: BenchRow[] = [];
  const took = new Map<number, number>();
  for (const count of sizes) all.push(...(await attempt(`search in ${count}`, () => measure(count, took))));
  return [...all, ...growth('a search with snippets, p95', took)];
}

async function measure(count: number, took: Map<number, number>): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'qumail-search-bench-'));
  try {
    const notmuch = fillMaildir(dir, count);
    const theirIndex = timed('notmuch', ['new', '--quiet'], notmuch);
    const options = engineOptions(join(dir, 'engine'));
    const ourIndex = await fillEngine(options, count);
    const engine = await QuMailCore.open(options);
    const ours: number[] = [];
    const theirs: number[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        for (const [query, inNotmuch] of QUERIES) {
          const started = performance.now();
          await engine.search({ query, limit: LIMIT });
          ours.push(performance.now() - started);
          theirs.push(timed('notmuch', ['search', `--limit=${LIMIT}`, inNotmuch], notmuch));
        }
      }
    } finally {
      await engine[Symbol.asyncDispose]();
    }
    took.set(count, p95(ours));
    const label = `${(count / 1000).toLocaleString('en')},000 messages`;
    return [
      row(`search with snippets, p95, ${label}`, 0.5, 'notmuch search as a process, p95', p95(theirs), p95(ours)),
      row(`search index alone, ${label}`, 0.12, 'notmuch new', theirIndex, ourIndex),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function fillMaildir(dir: string, count: number): Record<string, string> {
  const maildir = join(dir, 'mail');
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, 'INBOX', part), { recursive: true });
  let n = 0;
  for (const raw of generateMailbox(count))
    writeFileSync(join(maildir, 'INBOX', 'cur', `${++n}.bench:2,`), raw.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
  const config = join(dir, 'notmuch-config');
  writeFileSync(config, ['[database]', `path=${maildir}`, '[user]', 'name=Bench', 'primary_email=alice@example.test', ''].join('\n'));
  return { NOTMUCH_CONFIG: config };
}

/** Fills the engine's store as a sync does; returns the milliseconds that went into the index. */
async function fillEngine(options: EngineOptions, count: number): Promise<number> {
  const owned = new DisposableStore();
  try {
    const { cache, messages, offline, search } = await openStores(options, { clock: systemClock, random: systemRandom }, owned);
    messages.upsertFolder({ accountId: 'bench', path: 'INBOX', name: 'INBOX', delimiter: '/', selectable: true, unread: 0, total: count });
    messages.setCursor('bench', 'INBOX', { uidValidity: 1, uidNext: count + 1 });
    let spent = 0;
    const index = search.index.bind(search);
    search.index = (batch) => {
      const started = performance.now();
      index(batch);
      spent += performance.now() - started;
    };
    let batch: SourcedMessage[] = [];
    let uid = 0;
    for (const raw of generateMailbox(count)) {
      const { date = 0, hasPayload: _, ...summary } = summaryOfSource(raw);
      batch.push({ ...summary, uid: ++uid, date, size: raw.length, flags: [], preview: '', seal: 'plain', level: 'L4', raw });
      if (batch.length < BATCH && uid < count) continue;
      offline.storeSources('bench', 'INBOX', 1, batch);
      batch = [];
    }
    // In quiet times the engine joins what the commits left, and so does notmuch before it ends.
    const started = performance.now();
    while (search.tidy() === 'more');
    spent += performance.now() - started;
    const threads = new ThreadStore({ db: cache });
    while (threads.assign(BATCH) > 0);
    return spent;
  } finally {
    owned.dispose();
  }
}

function engineOptions(storageDir: string): EngineOptions {
  const secrets = new Map<string, string>();
  return {
    storageDir,
    secrets: {
      get: async (key) => secrets.get(key),
      set: async (key, value) => void secrets.set(key, value),
      delete: async (key) => void secrets.delete(key),
    },
    openBrowser: async () => false,
    log: () => {},
  };
}

function same(query: string): readonly [string, string] {
  return [query, query];
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)]!;
}

function row(name: string, bar: number, reference: string, theirs: number, ours: number): BenchRow {
  return { name, bar, unit: 'ms', reference: { name: reference, value: theirs }, ours, ratio: ours / theirs };
}
