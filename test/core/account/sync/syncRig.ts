import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Log, type LogEntry } from '../../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../../src/core/base/systemPorts.ts';
import type { ServerAddress } from '../../../../src/core/base/types.ts';
import { BackgroundSync } from '../../../../src/core/account/sync/backgroundSync.ts';
import { takeFolderList } from '../../../../src/core/account/sync/folderList.ts';
import { takeChanges } from '../../../../src/core/account/sync/takeChanges.ts';
import { openDatabase } from '../../../../src/core/store/database.ts';
import { MAIL_MIGRATIONS } from '../../../../src/core/store/mailSchema.ts';
import { MessageStore } from '../../../../src/core/store/messages.ts';
import { OfflineStore } from '../../../../src/core/store/offline.ts';
import { EmailHandler } from '../../../../src/core/transport/emailHandler.ts';
import type { TransportTiming } from '../../../../src/core/transport/mailAccess.ts';
import { testCaPem } from '../../../world/pki.ts';

export const ACCOUNT = 'account';

/** Everything that fills an offline copy, without what opens sealed mail: a store in a folder of its own and connections to `imap`. */
export class SyncRig {
  readonly dir: string;
  readonly log: LogEntry[] = [];
  readonly progress: ({ folder?: string; done: number; total: number } | 'ended')[] = [];
  readonly failures: string[] = [];
  budget = 2 ** 40;
  leads = true;
  /** How far the rig's clock goes ahead, milliseconds. */
  ahead = 0;
  db!: DatabaseSync;
  messages!: MessageStore;
  offline!: OfflineStore;
  handler!: EmailHandler;
  background!: BackgroundSync;
  readonly #imap: ServerAddress;
  readonly #user: { email: string; password: string };
  readonly #timing: Partial<TransportTiming>;
  readonly #caPem: string | undefined;

  constructor(
    imap: ServerAddress,
    o: { user?: { email: string; password: string }; timing?: Partial<TransportTiming>; dir?: string; caPem?: string } = {},
  ) {
    this.#imap = imap;
    this.#user = o.user ?? { email: 'alice@example.test', password: 'pw' };
    this.#timing = o.timing ?? {};
    this.#caPem = o.caPem;
    this.dir = o.dir ?? mkdtempSync(join(tmpdir(), 'qumail-sync-'));
  }

  async open(): Promise<this> {
    const ca = this.#caPem ?? (await testCaPem());
    this.db = openDatabase(join(this.dir, 'mail.db'), { durability: 'normal', migrations: MAIL_MIGRATIONS });
    this.messages = new MessageStore({ db: this.db });
    this.offline = new OfflineStore({ db: this.db });
    const log = new Log((entry) => this.log.push(entry), 'sync');
    const { email, password } = this.#user;
    this.handler = new EmailHandler(
      {
        servers: { imap: this.#imap, smtp: this.#imap },
        credentials: async () => ({ kind: 'password', user: email, password }),
        authorities: () => ca,
        filesOwnSent: false,
      },
      { clock: systemClock, random: systemRandom, log, timing: this.#timing },
    );
    const { messages, offline, handler } = this;
    this.background = new BackgroundSync({
      accountId: ACCOUNT,
      handler,
      messages,
      offline,
      clock: { ...systemClock, now: () => systemClock.now() + this.ahead },
      log,
      budget: () => this.budget,
      look: (path) => takeChanges({ accountId: ACCOUNT, handler }, path, { messages }),
      openArrivals: async () => {},
      quiet: () => handler.quiet(),
      leads: () => this.leads,
      stored: () => {},
      failed: (failure) => void this.failures.push(failure.code),
      changed: {
        messages: () => {},
        progress: (step) => this.progress.push(step),
        ended: () => this.progress.push('ended'),
        quota: () => {},
      },
    });
    return this;
  }

  /** A look at the server as the account takes it: the list, the inbox, then whatever is missing. */
  async sync(): Promise<void> {
    const listed = await this.handler.listFolders();
    await takeFolderList(ACCOUNT, listed, this.messages, this.handler, new AbortController().signal);
    if (listed.some(({ path }) => path === 'INBOX')) await takeChanges({ accountId: ACCOUNT, handler: this.handler }, 'INBOX', this);
    this.background.start(listed);
    await this.background.idle();
  }

  /** What is stored of a folder: UID, flags and source of each message, by UID. */
  stored(path: string): { uid: number; flags: string[]; raw: string | undefined }[] {
    return this.messages
      .page(ACCOUNT, path, 1_000_000)
      .map(({ id, uid, flags }) => ({ uid, flags: [...flags], raw: this.messages.getBody(id)?.toString('latin1') }))
      .toSorted((a, b) => a.uid - b.uid);
  }

  close(): void {
    this.background.dispose();
    this.handler.dispose();
    this.db.close();
  }

  dispose(): void {
    this.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
