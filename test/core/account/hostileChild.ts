/**
 * An engine in a process of its own, so that its memory can be measured: `node hostileChild.ts CONFIG`. Takes a mailbox in, opens and looks for
 * every message of it, and prints one line of JSON.
 */
import { QuMailCore } from '../../../src/core/qumailCore.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';

export interface HostileRun {
  readonly storageDir: string;
  readonly email: string;
  readonly password: string;
  readonly caPem: string;
  readonly servers: object;
  readonly words: readonly string[];
}

export interface HostileOutcome {
  /** The slowest first, at most ten. */
  readonly slowest: readonly { readonly subject: string; readonly ms: number }[];
  readonly listed: number;
  readonly shown: number;
  /** Subjects and codes of what could not be shown. */
  readonly damaged: readonly string[];
  readonly notFound: readonly string[];
  readonly folderState: { readonly known: number; readonly stored: number };
  readonly syncMs: number;
  /** How long a request had to wait at worst while the mailbox was taken in. */
  readonly lateMs: number;
  readonly slowestSearchMs: number;
  /** Highest resident memory, octets. */
  readonly rss: number;
}

const run = JSON.parse(process.argv[2] ?? '{}') as HostileRun;
const secrets = new Map<string, string>();
await using engine = await QuMailCore.open({
  storageDir: run.storageDir,
  secrets: { get: async (key) => secrets.get(key), set: async (key, value) => void secrets.set(key, value), delete: async () => {} },
  openBrowser: async () => false,
  log: ({ level, event }) => level === 'error' && console.error(event),
  settings: { certificateAuthorities: { '127.0.0.1': run.caPem }, fetchInterval: 3600 },
});

let late = 0;
let due = performance.now() + 5;
const watch = setInterval(() => {
  late = Math.max(late, performance.now() - due);
  due = performance.now() + 5;
}, 5);
const began = performance.now();
const filled = Promise.withResolvers<void>();
engine.onEvent((event) => event.kind === 'sync-progress' && event.done === event.total && filled.resolve());
const { email, password } = run;
const servers = run.servers as never;
const account = await engine.addAccount({ provider: 'qumail_native', email, displayName: 'Alice', password, servers });
await filled.promise;
// The whole of it is done when the engine says so; it tells nobody of the moment.
while ((await engine.getSyncState({ accountId: account.id })).active) await new Promise((go) => setTimeout(go, 20));
const syncMs = performance.now() - began;
clearInterval(watch);

const { messages } = await engine.getEmailList({ accountId: account.id, folder: 'INBOX', limit: 500 });
const took: { subject: string; ms: number }[] = [];
const damaged: string[] = [];
let shown = 0;
for (const { id, subject } of messages) {
  const at = performance.now();
  try {
    const message = await engine.openMessage({ messageId: id });
    const { failure } = message.security;
    if (failure) damaged.push(`${subject.slice(0, 40)}: ${failure.code}`);
    else shown += 1;
  } catch (error) {
    // Whatever is no QuMailError fails the run.
    if (!QuMailError.is(error)) throw error;
    damaged.push(`${subject.slice(0, 40)}: ${error.code}`);
  }
  took.push({ subject: subject.slice(0, 40), ms: performance.now() - at });
}
const notFound: string[] = [];
let slowestSearchMs = 0;
for (const query of run.words) {
  const at = performance.now();
  const found = await engine.search({ query, limit: 5 });
  slowestSearchMs = Math.max(slowestSearchMs, performance.now() - at);
  if (found.messages.length === 0) notFound.push(query);
}
const { folders } = await engine.getSyncState({ accountId: account.id });
const { known = 0, stored = 0 } = folders.find(({ path }) => path === 'INBOX') ?? {};
const outcome: HostileOutcome = {
  slowest: took.toSorted((a, b) => b.ms - a.ms).slice(0, 10),
  ...{ listed: messages.length, shown, damaged, notFound, syncMs, slowestSearchMs },
  folderState: { known, stored },
  lateMs: late,
  rss: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(outcome));
