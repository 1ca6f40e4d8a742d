import { ImapFlow } from 'imapflow';
import type { ServerAddress } from '../../src/core/api.ts';
import { FLAGS, type Flag } from './historySteps.ts';

const ON_WIRE: Readonly<Record<Flag, string>> = { seen: '\\Seen', flagged: '\\Flagged', answered: '\\Answered' };

/** A message as the server has it. */
export interface ServerMessage {
  readonly uid: number;
  readonly rfcMessageId: string;
  readonly size: number;
  readonly flags: readonly Flag[];
}

const TRIES = 10;
const PAUSE_MS = 50;

/** Another program of the same person: one IMAP connection that reaches the server whatever happens to the engine's. */
export class HistoryServer {
  readonly #connect: () => ImapFlow;
  #imap: ImapFlow;

  constructor(at: ServerAddress, user: { email: string; password: string }, caPem: string) {
    this.#connect = () => {
      const imap = new ImapFlow({
        host: at.host,
        port: at.port,
        secure: true,
        auth: { user: user.email, pass: user.password },
        tls: { ca: caPem },
        logger: false,
        disableAutoIdle: true,
      });
      imap.on('error', () => {});
      return imap;
    };
    this.#imap = this.#connect();
  }

  async open(): Promise<this> {
    await this.#imap.connect();
    return this;
  }

  async close(): Promise<void> {
    await this.#imap.logout().catch(() => {});
  }

  /** Paths of all that can be selected. */
  async folders(): Promise<string[]> {
    return (await (await this.#usable()).list()).filter(({ flags }) => !flags.has('\\Noselect')).map(({ path }) => path);
  }

  /** Selects another folder than this, which is about to go or to mean something else: a server ends sessions that look into such a one. */
  async leave(path: string): Promise<void> {
    if (this.#imap.mailbox !== false && this.#imap.mailbox.path === path) await this.#imap.mailboxOpen('INBOX');
  }

  async create(path: string): Promise<void> {
    await (await this.#usable()).mailboxCreate(path);
  }

  async delete(path: string): Promise<void> {
    await this.leave(path);
    await (await this.#usable()).mailboxDelete(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.leave(from);
    await (await this.#usable()).mailboxRename(from, to);
  }

  async append(path: string, raw: string): Promise<void> {
    // Nothing was filed where it is asked again.
    await this.#again((imap) => imap.append(path, raw));
  }

  /** What lies in a folder now. */
  async list(path: string): Promise<ServerMessage[]> {
    return this.#in(path, async () => {
      if (this.#imap.mailbox === false || this.#imap.mailbox.exists === 0) return [];
      const found = await this.#imap.fetchAll('1:*', { uid: true, flags: true, size: true, envelope: true });
      return found.map(({ uid, flags, size, envelope }) => ({
        uid,
        size: size ?? 0,
        rfcMessageId: envelope?.messageId ?? '',
        flags: FLAGS.filter((flag) => flags?.has(ON_WIRE[flag])),
      }));
    });
  }

  async uidValidity(path: string): Promise<number> {
    const status = await (await this.#usable()).status(path, { uidValidity: true });
    return status ? Number(status.uidValidity) : 0;
  }

  async flag(path: string, uid: number, flag: Flag, to: 'set' | 'clear'): Promise<void> {
    await this.#in(path, async () => {
      const of = [ON_WIRE[flag]];
      if (to === 'set') await this.#imap.messageFlagsAdd(String(uid), of, { uid: true });
      else await this.#imap.messageFlagsRemove(String(uid), of, { uid: true });
    });
  }

  async expunge(path: string, uid: number): Promise<void> {
    await this.#in(path, () => this.#imap.messageDelete(String(uid), { uid: true }));
  }

  async move(path: string, uid: number, to: string): Promise<void> {
    await this.#in(path, () => this.#imap.messageMove(String(uid), to, { uid: true }));
  }

  /** A server ends a session whose folder means something else meanwhile; what it was asked before was done. */
  async #usable(): Promise<ImapFlow> {
    if (this.#imap.usable) return this.#imap;
    this.#imap = this.#connect();
    await this.#imap.connect();
    return this.#imap;
  }

  async #in<T>(path: string, work: () => Promise<T>): Promise<T> {
    const lock = await this.#again((imap) => imap.getMailboxLock(path));
    try {
      // The view of a session is as old as its last answer.
      await this.#imap.noop();
      return await work();
    } finally {
      lock.release();
    }
  }

  /** Once more, in a session of its own, where the server said no: Dovecot does, in several ways and for a while, to a folder that another session made anew. */
  async #again<T>(ask: (imap: ImapFlow) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const imap = await this.#usable();
      try {
        return await ask(imap);
      } catch (error) {
        if ((error as { responseStatus?: string }).responseStatus !== 'NO' || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
        await imap.logout().catch(() => {});
      }
    }
  }
}
