import { toDisposable, type Disposable } from '../base/lifetime.ts';
import type { MailFlag } from '../base/types.ts';
import type { ConnectionFacts } from './connectionFacts.ts';
import { readAllUids, readFacts, streamSources } from './imapBulk.ts';
import { inFolder, inFolderAs, listFolders, readQuota, subscribeFolder, type SelectedMailbox } from './imapFolders.ts';
import type { ImapClient } from './imapClient.ts';
import { ImapActions } from './imapActions.ts';
import { ImapMailbox } from './imapMailbox.ts';
import { readChanges, readSource, type ChangesAsked } from './imapReading.ts';
import { readBefore, readNewest, readUids } from './imapSummaries.ts';
import { ImapWatch } from './imapWatch.ts';
import { findByMessageId, searchMail, type ServerSearch } from './imapSearch.ts';
import { appendMessage, changeFlags, ensureFolder, moveMessages, removeMessages } from './imapWriting.ts';
import { DEFAULT_TIMING, type MailAccess, type TransportDeps, type TransportTiming } from './mailAccess.ts';
import type {
  FolderChanges,
  FolderCursor,
  RemoteFacts,
  RemoteFolder,
  RemoteMessage,
  RemoteQuota,
  RemoteSource,
  SendOutcome,
  SendRequest,
} from './remoteMail.ts';
import { ServerPause } from './serverPause.ts';
import { SmtpOutbox } from './smtpOutbox.ts';

/** From this size on a message is fetched over the second connection. */
const BULK_OCTETS = 1024 * 1024;
/** Work in the background on no more messages and octets than this waits for the first connection instead of opening the second. */
const LIGHT_MESSAGES = 200;
const LIGHT_OCTETS = 256 * 1024;
/** How long the second connection stays open after its last use, in milliseconds. */
const BULK_IDLE_MS = 60_000;

/**
 * One account's mail on its servers. At most four connections: IMAP for work, for large messages, and for watching, and SMTP; each opened
 * when first needed, with a valid token, over verified TLS. Every method rejects with a QuMailError: `auth.wrong-password`, `auth.token-refused` (sign in
 * again), `net.*`, `imap.*`, `smtp.*`, `engine.cancelled`, `engine.stopped`. What can be repeated without harm is done again once after
 * a cut connection before `net.cut` is reported.
 */
export class EmailHandler implements Disposable {
  /** The tools of journaled actions. */
  readonly actions: ImapActions;
  readonly #access: MailAccess;
  readonly #deps: TransportDeps;
  readonly #timing: TransportTiming;
  readonly #mailbox: ImapMailbox;
  readonly #bulk: ImapMailbox;
  readonly #pause: ServerPause;
  readonly #outbox: SmtpOutbox;
  readonly #watches = new Set<{ folder: string; watch: ImapWatch; listeners: Set<() => void> }>();

  constructor(access: MailAccess, deps: TransportDeps) {
    this.#access = access;
    this.#deps = deps;
    this.#timing = { ...DEFAULT_TIMING, ...deps.timing };
    const { clock, log } = deps;
    this.#pause = new ServerPause(clock);
    const imap = { clock, log: log.scoped('imap'), timing: this.#timing, pause: this.#pause };
    this.#mailbox = new ImapMailbox(access, imap);
    this.actions = new ImapActions(this.#mailbox);
    this.#bulk = new ImapMailbox(access, {
      ...imap,
      timing: { ...this.#timing, imapIdleMs: Math.min(this.#timing.imapIdleMs, BULK_IDLE_MS) },
    });
    this.#outbox = new SmtpOutbox(access, { clock, log: log.scoped('smtp'), timing: this.#timing });
  }

  /** True where the provider files sent mail by itself, so that appending to Sent would double it. */
  get filesOwnSent(): boolean {
    return this.#access.filesOwnSent;
  }

  /** Logs in to IMAP, then to SMTP. `details.protocol` of an error says which of the two refused. */
  async verify(signal?: AbortSignal): Promise<void> {
    await this.#mailbox.run('repeatable', signal, (client) => client.noop());
    await this.#outbox.verify(signal);
  }

  listFolders(signal?: AbortSignal): Promise<RemoteFolder[]> {
    return this.#mailbox.run('repeatable', signal, listFolders);
  }

  /** The newest `limit` messages of a folder, newest first, without bodies. */
  getEmailList(folder: string, limit: number, signal?: AbortSignal): Promise<RemoteMessage[]> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolder(client, folder, 'reselect', async (mailbox) => (await readNewest(client, mailbox, limit)).messages),
    );
  }

  /** The `limit` messages that stand before `beforeUid`, newest first: the next page of a list. */
  getOlderEmails(folder: string, uidValidity: number, beforeUid: number, limit: number, signal?: AbortSignal): Promise<RemoteMessage[]> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolderAs(client, folder, uidValidity, 'reselect', (mailbox) => readBefore(client, mailbox, beforeUid, limit)),
    );
  }

  /**
   * What changed in a folder since a cursor: new messages, flags and disappearance of `knownUids`. Pass the whole cursor of the last
   * answer, `highestModseq` included: without it every known message is asked for its flags. `arrived` is told of new messages as soon as
   * they are known, before the rest is asked for; after a cut it may be told of them again.
   */
  fetchChanges(folder: string, since: FolderCursor | undefined, o: ChangesAsked, signal?: AbortSignal): Promise<FolderChanges> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolder(client, folder, 'reselect', (mailbox) => readChanges(client, mailbox, since, o)),
    );
  }

  /**
   * The source of a message as the server holds it, at most 100 MiB (`net.too-large`). Sets no flag. One that is known to be large
   * (`size` in octets) comes over a connection of its own, so that nothing waits for it.
   */
  fetchSource(folder: string, uidValidity: number, uid: number, signal?: AbortSignal, size = 0): Promise<Buffer> {
    const mailbox = size >= BULK_OCTETS ? this.#bulk : this.#mailbox;
    return mailbox.run('repeatable', signal, (client) =>
      inFolderAs(client, folder, uidValidity, [uid], () => readSource(client, folder, uid)),
    );
  }

  /** Resolves once the work on the first connection that was asked for by now has ended: what fills the offline copy waits for that. */
  quiet(): Promise<void> {
    return this.#mailbox.idle;
  }

  /**
   * All UIDs of a folder, ascending, which are below `uidNext`. This and what follows comes over the second connection, so that nothing a person
   * waits for is behind it, unless it is little and that connection is not open.
   */
  listUids(folder: string, uidValidity: number, signal?: AbortSignal, uidNext = Infinity): Promise<number[]> {
    return this.#inBackground(folder, uidValidity, signal, uidNext, 'reselect', readAllUids);
  }

  /** Sizes, flags and arrival of these messages; those that are gone do not answer. */
  fetchFacts(folder: string, uidValidity: number, uids: readonly number[], signal?: AbortSignal): Promise<RemoteFacts[]> {
    return this.#inBackground(folder, uidValidity, signal, uids.length, uids, (client) => readFacts(client, uids));
  }

  /** What a list shows of these messages, newest first. */
  fetchSummaries(folder: string, uidValidity: number, uids: readonly number[], signal?: AbortSignal): Promise<RemoteMessage[]> {
    return this.#inBackground(folder, uidValidity, signal, uids.length, uids, (client) => readUids(client, uids));
  }

  /**
   * Streams the sources of these messages to `each`, one at a time, which slows the server down as needed. After a cut everything may come
   * again, once. A message above 100 MiB ends it with `net.too-large`. `octets` is what they come to, where that is known.
   */
  fetchSources(
    folder: string,
    uidValidity: number,
    uids: readonly number[],
    each: (message: RemoteSource) => Promise<void> | void,
    signal?: AbortSignal,
    octets = Infinity,
  ): Promise<void> {
    const light = octets <= LIGHT_OCTETS ? uids.length : Infinity;
    return this.#inBackground(folder, uidValidity, signal, light, uids, (client) => streamSources(client, uids, each));
  }

  /** Storage used and allowed; undefined where the server tells nothing. */
  readQuota(signal?: AbortSignal): Promise<RemoteQuota | undefined> {
    return this.#mailbox.run('repeatable', signal, readQuota);
  }

  subscribeFolder(folder: string, to: 'subscribed' | 'unsubscribed', signal?: AbortSignal): Promise<void> {
    return this.#mailbox.run('repeatable', signal, (client) => subscribeFolder(client, folder, to));
  }

  setFlags(
    folder: string,
    uidValidity: number,
    uids: readonly number[],
    change: { readonly add: readonly MailFlag[]; readonly remove: readonly MailFlag[] },
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#change('repeatable', folder, uidValidity, uids, signal, (client) => changeFlags(client, uids, change));
  }

  /** Moves to another folder. Messages that are gone are passed over. */
  move(folder: string, uidValidity: number, uids: readonly number[], target: string, signal?: AbortSignal): Promise<void> {
    return this.#change('once', folder, uidValidity, uids, signal, async (client) => void (await moveMessages(client, uids, target)));
  }

  /** Removes exactly these messages for good. */
  delete(folder: string, uidValidity: number, uids: readonly number[], signal?: AbortSignal): Promise<void> {
    return this.#change('repeatable', folder, uidValidity, uids, signal, (client) => removeMessages(client, uids));
  }

  /** Files a message, e.g. in Sent; resolves with its UID where the server tells. After `net.cut` it may have been filed. */
  append(folder: string, raw: Buffer, flags: readonly MailFlag[], signal?: AbortSignal): Promise<number | undefined> {
    return this.#mailbox.run('once', signal, (client) => appendMessage(client, folder, raw, flags));
  }

  /** UIDs of the messages in a folder that carry this Message-ID (angle brackets included). */
  findByMessageId(folder: string, messageId: string, signal?: AbortSignal): Promise<number[]> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolder(client, folder, 'reselect', () => findByMessageId(client, messageId)),
    );
  }

  /** UIDs of what a query finds in a folder, the newest first, with the UIDVALIDITY they belong to. */
  search(folder: string, query: ServerSearch, signal?: AbortSignal): Promise<{ uidValidity: number; uids: number[] }> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolder(client, folder, 'reselect', async (mailbox) => ({
        uidValidity: Number(mailbox.uidValidity),
        uids: await searchMail(client, query),
      })),
    );
  }

  /** Makes a folder among the person's own unless it exists; resolves to its path. */
  ensureFolder(name: string, signal?: AbortSignal): Promise<string> {
    return this.#mailbox.run('repeatable', signal, (client) => ensureFolder(client, name));
  }

  /** Resolves only after the server's 250; see SmtpOutbox.send for what each rejection means. */
  send(request: SendRequest, signal?: AbortSignal): Promise<SendOutcome> {
    return this.#outbox.send(request, signal);
  }

  /** The connections open now, for the account's health. */
  connections(): readonly ConnectionFacts[] {
    const watches = [...this.#watches].map(({ watch }) => watch.connection);
    return [this.#mailbox.connection, this.#bulk.connection, ...watches, this.#outbox.connection].filter((each) => each !== undefined);
  }

  /**
   * Finds out which connections are dead, after sleep or a change of network, drops those, and has the watch come back at once. Resolves
   * within `wakeMs`; never rejects.
   */
  async check(): Promise<void> {
    this.#outbox.check();
    await Promise.all([this.#mailbox.check(), this.#bulk.check(), ...[...this.#watches].map(({ watch }) => watch.check())]);
  }

  /**
   * Calls `onChange` when the folder may have changed, and once when watching begins; never with what changed. The first folder watched
   * is pushed over a connection of its own, further ones are polled.
   */
  watch(folder: string, onChange: () => void): Disposable {
    const known = [...this.#watches].find((entry) => entry.folder === folder);
    const entry = known ?? this.#startWatch(folder);
    const listener = (): void => onChange();
    entry.listeners.add(listener);
    return toDisposable(() => {
      entry.listeners.delete(listener);
      if (entry.listeners.size > 0) return;
      entry.watch.dispose();
      this.#watches.delete(entry);
    });
  }

  dispose(): void {
    for (const { watch } of this.#watches) watch.dispose();
    this.#watches.clear();
    this.#outbox.dispose();
    this.#bulk.dispose();
    this.#mailbox.dispose();
  }

  #startWatch(folder: string): { folder: string; watch: ImapWatch; listeners: Set<() => void> } {
    const listeners = new Set<() => void>();
    const { clock, random, log } = this.#deps;
    const watch = new ImapWatch(
      this.#access,
      { clock, random, log: log.scoped('imap'), timing: this.#timing, pause: this.#pause },
      { folder, mode: this.#watches.size === 0 ? 'push' : 'poll', onChange: () => listeners.forEach((listener) => listener()) },
    );
    const entry = { folder, watch, listeners };
    this.#watches.add(entry);
    return entry;
  }

  #inBackground<T>(
    folder: string,
    uidValidity: number,
    signal: AbortSignal | undefined,
    messages: number,
    view: 'reselect' | readonly number[],
    work: (client: ImapClient, mailbox: SelectedMailbox) => Promise<T>,
  ): Promise<T> {
    const light = messages <= LIGHT_MESSAGES && this.#bulk.connection === undefined;
    return (light ? this.#mailbox : this.#bulk).run('repeatable', signal, (client) =>
      inFolderAs(client, folder, uidValidity, view, (mailbox) => work(client, mailbox)),
    );
  }

  async #change(
    repetition: 'repeatable' | 'once',
    folder: string,
    uidValidity: number,
    uids: readonly number[],
    signal: AbortSignal | undefined,
    work: (client: Parameters<typeof changeFlags>[0]) => Promise<void>,
  ): Promise<void> {
    if (uids.length === 0) return;
    await this.#mailbox.run(repetition, signal, (client) => inFolderAs(client, folder, uidValidity, uids, () => work(client)));
  }
}
