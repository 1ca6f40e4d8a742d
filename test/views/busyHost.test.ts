import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DEFAULT_SETTINGS } from '../../src/core/api.ts';
import { EngineClient } from '../../src/views/engineClient.ts';
import { memorySecrets } from '../../src/views/hostPorts.ts';
import { messageItem, type RowSetting, threadItem } from '../../src/views/messages/messageItems.ts';
import { rowReader } from '../../src/views/messages/listRows.ts';
import { MessagePages } from '../../src/views/messages/messagePages.ts';
import { generateMailbox } from '../bench/mailbox.ts';
import { needMailWorld, startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { HostWatch } from './hostWatch.ts';

declare const __dirname: string;

/** `npm run bench` syncs more of them. */
const MESSAGES = Number(process.env['QUMAIL_HOST_MESSAGES'] ?? 2000);
/** DESIGN 7: never longer while mail is taken in. */
const BAR_MS = 20;
const LIMIT_MS = 300_000;
const ALICE = { email: 'alice@example.test', password: 'alice-password-91' };

describe('views/the extension host while mail is taken in', function () {
  this.timeout(LIMIT_MS);
  let folder: string;
  let mail: MailWorld;
  let engine: EngineClient;
  let caPem: string;

  before(async function () {
    needMailWorld(this);
    folder = mkdtempSync(join(tmpdir(), 'qumail-host-'));
    caPem = await testCaPem();
    mail = await startMailWorld({ users: [ALICE], tls: { ...(await issueServer()), caPem } });
    mail.fill(ALICE.email, generateMailbox(MESSAGES));
  });

  after(async () => {
    await engine?.close();
    await mail?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it(`is never busy for more than ${BAR_MS} ms at a time, its lists following`, async () => {
    engine = new EngineClient({
      world: 'real',
      script: join(__dirname, '../../dist/engine.cjs'),
      storageDir: join(folder, 'engine'),
      secrets: memorySecrets(),
      openBrowser: async () => false,
      log: () => {},
      settings: () => ({ ...DEFAULT_SETTINGS, certificateAuthorities: { '127.0.0.1': caPem } }),
    });
    await engine.api.listAccounts();
    const lists = followLists(engine);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const watch = new HostWatch();
    delay.enable();
    const account = await engine.api.addAccount({
      provider: 'qumail_native',
      ...ALICE,
      displayName: 'Alice',
      servers: { imap: mail.imap, smtp: mail.smtp },
    });
    await untilStored(engine, account.id, MESSAGES);
    const busy = watch.stop();
    delay.disable();
    lists.dispose();
    const raw = `timers late by ${(delay.percentile(99) / 1e6 - 5).toFixed(1)} ms in 99 of 100 cases, ${(delay.max / 1e6 - 5).toFixed(0)} ms at worst`;
    console.log(
      `        ${MESSAGES} messages taken in, lists drawn ${lists.drawn} times: busy for ${busy.worstMs.toFixed(1)} ms at a time at worst; ${raw}`,
    );
    const result = process.env['QUMAIL_HOST_RESULT'];
    if (result !== undefined) writeFileSync(result, JSON.stringify(busy));
    assert.ok(lists.drawn > 0, 'no list followed');
    assert.ok(busy.samples > 20, 'nothing was measured');
    assert.ok(busy.worstMs <= BAR_MS, `busy for ${busy.worstMs} ms at a time`);
  });
});

/** What the Messages view does while its folder fills: reads its rows anew, soon and once for a swarm of events, and makes items of them. */
function followLists(engine: EngineClient): { readonly drawn: number; dispose(): void } {
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  let pages: MessagePages | undefined;
  const setting: RowSetting = { own: 'received', junk: false, now: Date.now(), server: () => 'told' };
  const draw = async (accountId: string): Promise<void> => {
    pages ??= new MessagePages(rowReader({ kind: 'folder', accountId, path: 'INBOX' }, 'threads', () => engine.api));
    await pages.reload();
    for (const row of pages.rows) {
      if (row.kind === 'thread') threadItem(row.thread, setting);
      else messageItem(row, setting);
    }
    drawn += 1;
  };
  const heard = engine.onEvent((event) => {
    if (event.kind === 'folders') void engine.api.listFolders({ accountId: event.accountId }).catch(() => {});
    if (event.kind !== 'messages' || event.folder !== 'INBOX') return;
    timer ??= setTimeout(() => {
      timer = undefined;
      // An account that is just being added may not be listed yet; the next event comes.
      void draw(event.accountId).catch(() => {});
    }, 100);
  });
  return {
    get drawn() {
      return drawn;
    },
    dispose() {
      clearTimeout(timer);
      heard.dispose();
    },
  };
}

/** Resolves once so many messages are here with their text. */
async function untilStored(engine: EngineClient, accountId: string, wanted: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    const { folders } = await engine.api.getSyncState({ accountId });
    if ((folders.find(({ path }) => path === 'INBOX')?.stored ?? 0) >= wanted) resolve();
  };
  const heard = engine.onEvent((event) => {
    if (event.kind === 'sync-progress' || event.kind === 'messages') look().catch(reject);
  });
  const timer = setTimeout(() => reject(new Error(`${wanted} messages were not taken in within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  try {
    await look();
    await promise;
  } finally {
    clearTimeout(timer);
    heard.dispose();
  }
}
