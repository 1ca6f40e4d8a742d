/**
 * An engine, or the library underneath it, in a fresh process, as the benchmark measures them: `node engineChild.ts PHASE CONFIG`. Prints one line
 * of JSON. Both start cold, so that neither has its code compiled by an earlier round.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { ImapFlow } from 'imapflow';
import { QuMailCore } from '../../src/core/qumailCore.ts';
import { DEFAULT_SETTINGS, type QuMailApi } from '../../src/core/api.ts';
import { LatenessWatch } from '../world/lateness.ts';

export interface ChildConfig {
  readonly storageDir: string;
  readonly email: string;
  readonly password: string;
  readonly caPem: string;
  readonly servers: { readonly imap: { readonly port: number }; readonly smtp: object };
}

const [phase, json] = process.argv.slice(2) as [string, string];
const config = JSON.parse(json) as ChildConfig;
const secretsFile = `${config.storageDir}.secrets.json`;
const secrets = new Map<string, string>(
  existsSync(secretsFile) ? (JSON.parse(readFileSync(secretsFile, 'utf8')) as [string, string][]) : [],
);

async function open(): Promise<QuMailApi> {
  return QuMailCore.open({
    storageDir: config.storageDir,
    secrets: {
      get: async (key) => secrets.get(key),
      set: async (key, value) => {
        secrets.set(key, value);
        writeFileSync(secretsFile, JSON.stringify([...secrets]));
      },
      delete: async (key) => void secrets.delete(key),
    },
    openBrowser: async () => false,
    log: (entry) => {
      if (process.env['BENCH_LOG'] || entry.level === 'error') console.error(JSON.stringify(entry));
    },
    settings: { certificateAuthorities: { '127.0.0.1': config.caPem }, fetchInterval: 3600 },
  });
}

/** Resolves once the account's offline copy is as full as it gets. */
async function untilFilled(engine: QuMailApi, accountId: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let progress = 0;
  const heard = engine.onEvent((event) => {
    if (event.kind === 'sync-progress' && event.done === event.total) {
      progress = event.total;
      resolve();
    }
  });
  await promise;
  heard.dispose();
  while ((await engine.getSyncState({ accountId })).active) await new Promise((go) => setTimeout(go, 5));
  if (progress === 0) throw new Error('nothing was filled');
}

/** The most that was resident of this process, in octets. `maxRSS` begins with what the process had that started it; the kernel's VmHWM does not. */
function residentPeak(): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

/** The library doing the least that could be done. */
async function imapFlow(work: 'raw' | 'envelopes'): Promise<object> {
  const auth = { user: config.email, pass: config.password };
  const { port } = config.servers.imap;
  const began = performance.now();
  // Trusting what the engine trusts: the system's authorities and the account's own.
  const ca = [...getCACertificates('default'), ...getCACertificates('system'), config.caPem];
  const client = new ImapFlow({ host: '127.0.0.1', port, secure: true, auth, tls: { ca }, logger: false });
  await client.connect();
  const lock = await client.getMailboxLock('INBOX');
  const exists = client.mailbox === false ? 0 : (client.mailbox.exists ?? 0);
  let messages = 0;
  if (work === 'raw')
    for await (const { source } of client.fetch('1:*', { uid: true, source: true })) messages += Number(source !== undefined);
  else messages = (await client.fetchAll(`${Math.max(1, exists - 49)}:*`, { uid: true, flags: true, envelope: true })).length;
  const ms = performance.now() - began;
  lock.release();
  await client.logout();
  return { ms, messages, rss: residentPeak() };
}

async function run(): Promise<object> {
  if (phase === 'flow-raw') return imapFlow('raw');
  if (phase === 'flow-envelopes') return imapFlow('envelopes');
  if (phase === 'full') {
    await using engine = await open();
    const began = performance.now();
    const account = await engine.addAccount({
      provider: 'qumail_native',
      email: config.email,
      displayName: 'Bench',
      password: config.password,
      servers: config.servers as never,
    });
    using lateness = new LatenessWatch();
    await untilFilled(engine, account.id);
    const ms = performance.now() - began;
    const { busy: worst, late: worstOfAll } = lateness.worst();
    const { folders, disk } = await engine.getSyncState({ accountId: account.id });
    const inbox = folders.find(({ path }) => path === 'INBOX');
    return { ms, worst, worstOfAll, stored: inbox?.stored, disk: disk.used, rss: residentPeak() };
  }
  if (phase === 'screen')
    for (const file of ['mail.db', 'mail.db-wal', 'mail.db-shm']) rmSync(join(config.storageDir, file), { force: true });
  await using engine = await open();
  // The engine is there; from here on it connects.
  let began = performance.now();
  const [account] = await engine.listAccounts();
  const accountId = account!.id;
  if (phase === 'screen') {
    const { messages } = await engine.getEmailList({ accountId, folder: 'INBOX', limit: 50 });
    return { ms: performance.now() - began, messages: messages.length };
  }
  const settled = async (): Promise<void> => {
    while ((await engine.listAccounts())[0]?.state !== 'online' || (await engine.getSyncState({ accountId })).active)
      await new Promise((go) => setTimeout(go, 1));
  };
  await settled();
  // Since the process began.
  if (phase === 'again-cold') return { ms: performance.now() };
  // New settings make it connect anew, as mbsync connects each time.
  began = performance.now();
  await engine.configure({ ...DEFAULT_SETTINGS, fetchInterval: 3600, certificateAuthorities: { '127.0.0.1': config.caPem, other: '' } });
  await settled();
  return { ms: performance.now() - began, rss: residentPeak() };
}

void run().then((result) => console.log(JSON.stringify(result)));
