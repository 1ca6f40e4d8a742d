import { ChatMail } from './account/chatPost.ts';
import type { AccountService } from './account/accountService.ts';
import { LinkReturns } from './account/linkReturns.ts';
import type { OutboxRunner } from './account/outboxRunner.ts';
import type { OwnCopies, ToldOf } from './account/ownCopies.ts';
import { partsOf } from './account/readMessage.ts';
import type { SealDeps } from './account/sealJob.ts';
import { readReport, type SealReport } from './account/sealReport.ts';
import { readFailure, writeFailure } from './account/stored.ts';
import type { TrustBook } from './account/trustBook.ts';
import type { DisposableStore } from './base/lifetime.ts';
import type { Log } from './base/log.ts';
import type { QuMailEvent } from './base/events.ts';
import { CHAT_REQUESTS, type ChatRequests } from './base/requests/chatRequests.ts';
import { ChangeWriter, type Decided } from './chat/changeWriter.ts';
import { ChatBook } from './chat/chatBook.ts';
import { ChatChanges } from './chat/chatChanges.ts';
import { ChatHandler } from './chat/chatHandler.ts';
import { CHAT_PART, decodeChatPart } from './chat/chatPart.ts';
import type { ArrivedMail, ChatPeople, ChatSignatures } from './chat/chatPorts.ts';
import { ChatQueue } from './chat/chatQueue.ts';
import { ChatReceiver } from './chat/chatReceiver.ts';
import { ChatSender } from './chat/chatSender.ts';
import { ChatService } from './chat/chatService.ts';
import { ChatStates, type LetterState } from './chat/chatStates.ts';
import { GroupBook } from './chat/groupBook.ts';
import type { CoreStores } from './coreStores.ts';
import { groupOfMessageIds } from './mail/chatMessageId.ts';
import type { ReadMessage } from './mail/readMime.ts';
import type { OutboxRow, OutboxStore } from './store/outbox.ts';

export interface CoreChatOptions extends SealDeps {
  readonly stores: Pick<
    CoreStores,
    'accounts' | 'chats' | 'chatExtras' | 'chatWaiting' | 'chatOwed' | 'chatUnsent' | 'chatErasures' | 'managers'
  >;
  readonly book: TrustBook;
  readonly accounts: AccountService;
  readonly runner: OutboxRunner;
  readonly world: 'real' | 'lab';
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  readonly copies: OwnCopies;
  readonly eraseOnServer: (accountId: string, rfcMessageId: string) => Promise<void>;
}

/** Mail that was opened, or that came in the clear, as the account room has it. */
export interface ReadMail {
  readonly accountId: string;
  readonly parts: ReadMessage;
  readonly rfcMessageId: string;
  readonly receivedAt?: number;
  readonly opened?: { readonly envelopeId: string; readonly report: SealReport };
  readonly handedOn?: true;
}

/** Chats, and how the rest of the engine reaches them. */
export interface CoreChat {
  readonly requests: ChatRequests;
  /** Offers a message; resolves to whether it belongs to the chats and is no ordinary mail. */
  readonly arrived: (mail: ReadMail) => Promise<'chat' | 'mail'>;
  /** What another own device opened or sent, and no other may read. */
  readonly toldOf: (accountId: string, what: ToldOf) => 'noted' | 'later';
  /** True for what a Message-ID says belongs to a chat. */
  readonly isChatMail: (rfcMessageId: string) => boolean;
  readonly start: () => void;
  readonly heard: (event: QuMailEvent) => void;
}

/** Builds the chats; `owned` takes what has to be closed. */
export function buildChat(options: CoreChatOptions, owned: DisposableStore): CoreChat {
  const { stores, clock, random, world, emit, accounts, outbox, sealedMail } = options;
  const { chats: store, chatExtras: extras, chatWaiting: waiting } = stores;
  const log = options.log.scoped('chat');
  const people = peopleOf(options);
  const signatures = signaturesOf(options);
  const post = new ChatMail({ ...options, erasures: stores.chatErasures, log });
  const groups = new GroupBook({ store, signatures, people });
  const sender = new ChatSender({ groups, people, signatures, post, clock, random });
  const receiver = new ChatReceiver({ store, extras, groups, people, signatures, clock, log });
  const erase = (accountId: string, envelopeId: string): Promise<void> => post.erase(accountId, envelopeId);
  const reread = async (accountId: string, messageId: string): Promise<ArrivedMail | undefined> => {
    const stored = sealedMail.getByMessageId(accountId, messageId);
    if (!stored) return undefined;
    const report = readReport(stored.report);
    const parts = await partsOf({ plaintext: stored.plaintext, report });
    return arrivedMail({ accountId, parts, rfcMessageId: messageId, opened: { envelopeId: stored.envelopeId, report } });
  };
  const handler = owned.add(
    new ChatHandler({ store, waiting, owed: stores.chatOwed, post, groups, people, receiver, sender, clock, log, emit, reread, erase }),
  );
  const decided = (accountId: string, messageId: string): Decided | undefined => queue.decided(accountId, messageId);
  const book = new ChatBook({ store, extras, groups, people, clock, world, readFailure, decided });
  const writer = new ChangeWriter({ groups, extras, sender, clock });
  const queue: ChatQueue = owned.add(
    new ChatQueue({
      store,
      unsent: stores.chatUnsent,
      groups,
      sender,
      writer,
      post,
      clock,
      random,
      log,
      emit,
      writeFailure,
      timersChanged: () => handler.timersChanged(),
      selfOf: (accountId) => stores.accounts.get(accountId)?.email,
    }),
  );
  const service = new ChatService({ book, store, groups, post, queue, handler, clock, emit });
  const changes = new ChatChanges({ book, people, post, queue, writer });
  const stateOf = (accountId: string, messageId: string): LetterState => {
    const open = notAccepted(outbox, accountId, messageId);
    const failed = open.find(({ state }) => state === 'rejected' || state === 'acceptance-unknown');
    if (failed) return { state: 'failed', failureJson: failed.failureJson ?? '' };
    return { state: open.length > 0 ? 'waiting' : 'gone' };
  };
  const states = new ChatStates({ store, stateOf, emit });
  const look = (): void => {
    states.look(accounts.all().map(({ id }) => id));
    for (const { id } of accounts.all()) void options.copies.flush(id);
  };
  const wake = (): void => {
    queue.wake();
    handler.wake();
    void post.eraseWaiting();
    for (const { id } of accounts.all()) void options.copies.flush(id);
  };
  const lookAtLinks = (): void => {
    const { returned, links } = returns.changed();
    // A key manager answers again, or there is another source of keys, such as a pad.
    if (returned.length > 0 || links === 'same') setImmediate(wake);
  };
  const returns = owned.add(new LinkReturns(() => options.links.list(), clock, lookAtLinks));
  return {
    requests: { ...requestsOf(book), ...requestsOf(service), ...requestsOf(changes) } as ChatRequests,
    arrived: (mail) => handler.arrived(arrivedMail(mail)),
    toldOf: (accountId, what) => handler.toldOf(accountId, what),
    isChatMail: (rfcMessageId) => groupOfMessageIds(rfcMessageId) !== undefined,
    start() {
      // What a crash left between two halves of one message was never complete, and nobody knows of it.
      for (const row of outbox.list()) if (row.state === 'held' && groupOfMessageIds(row.groupId)) outbox.delete(row.id, ['held']);
      handler.start();
      look();
      wake();
    },
    heard({ kind }) {
      if (kind === 'outbox' || kind === 'sent') look();
      // An account is online; or not, and then little is asked before that shows.
      if (kind === 'accounts') setImmediate(wake);
      if (kind === 'key-managers') lookAtLinks();
    },
  };
}

/** What of a message the outbox still has, because nobody is known to have taken it. */
export function notAccepted(outbox: Pick<OutboxStore, 'list'>, accountId: string, messageId: string): readonly OutboxRow[] {
  const rows = outbox.list().filter((row) => row.accountId === accountId && row.rfcMessageId === messageId);
  return rows.filter(({ state }) => state !== 'accepted' && state !== 'filed');
}

/** True for a message that has a line of its own in a chat. */
export function isChatLine({ attachments }: ReadMessage): boolean {
  const file = attachments.find(({ name }) => name === CHAT_PART.name);
  return file !== undefined && decodeChatPart(file.content)?.act.kind === 'message';
}

function requestsOf(service: object): Partial<ChatRequests> {
  const methods = service as Record<string, unknown>;
  return Object.fromEntries(
    CHAT_REQUESTS.flatMap((name) => {
      const method = methods[name];
      return typeof method === 'function' ? [[name, method.bind(service) as unknown]] : [];
    }),
  ) as Partial<ChatRequests>;
}

function arrivedMail({ accountId, parts, rfcMessageId, receivedAt, opened, handedOn }: ReadMail): ArrivedMail {
  return {
    accountId,
    messageId: rfcMessageId,
    inReplyTo: parts.inReplyTo,
    references: parts.references,
    from: parts.from,
    to: parts.to,
    date: parts.date ?? 0,
    ...(receivedAt !== undefined && { receivedAt }),
    text: parts.text,
    files: parts.attachments.map(({ name, mimeType, content }, index) => ({ index, name, mimeType, content })),
    level: opened?.report.level ?? 'L4',
    ...(opened && { suite: opened.report.suite, sealed: { envelopeId: opened.envelopeId } }),
    ...(handedOn && { handedOn }),
  };
}

/** Who people are: certificates as the trust book has them, names and SAE IDs as the contacts do. */
function peopleOf({ stores, contacts, book, own, accounts, clock }: CoreChatOptions): ChatPeople {
  return {
    async own(accountId) {
      const self = accounts.addressOf(accountId);
      const { fingerprint } = await own.get(accountId);
      const saeId = stores.managers.get(accountId)?.saeId;
      return { address: self.address, name: self.name, fingerprint, ...(saeId !== undefined && { saeId }) };
    },
    known(accountId, address) {
      const contact = contacts.get(accountId, address);
      const trust = book.known(accountId, address)?.certificate;
      if (!contact && !trust) return undefined;
      return {
        name: contact?.name ?? '',
        // A fingerprint without its certificate cannot be held to anything yet.
        ...(trust?.facts && { fingerprint: trust.fingerprint }),
        ...(contact?.saeId !== undefined && { saeId: contact.saeId }),
        verified: trust?.mark === 'verified' || trust?.mark === 'qkd' ? trust.mark : 'no',
      };
    },
    certificate: (accountId, address) => book.certificatesOf(accountId, address)[0],
    async introduce(accountId, { address, name, fingerprint, saeId }, certificate) {
      const found = { accountId, address, fingerprint, source: 'introduction' as const, under: 'L3' as const, at: clock.now() };
      const outcome = await book.learn({ ...found, ...(certificate && { certificate }), ...(saeId !== undefined && { saeId }) });
      if (outcome === 'changed' || outcome === 'refused') return outcome;
      if (!contacts.get(accountId, address)) {
        contacts.put({ accountId, address, name, minimumLevel: 'L4', ...(saeId !== undefined && { saeId }) });
      }
      return 'known';
    },
    accounts: () => stores.accounts.list().map(({ id, email }) => ({ id, address: email })),
  };
}

function signaturesOf({ own, pgp, book, clock, stores }: CoreChatOptions): ChatSignatures {
  return {
    sign: (accountId, data) =>
      own.withSecret(accountId, async (secretKey) => {
        if (!secretKey) throw new Error('own certificate without its secret key');
        return pgp.sign({ data, secretKey, now: clock.now(), detached: true });
      }),
    async verify({ accountId, address, fingerprint, data, signature }) {
      const self = stores.accounts.get(accountId)?.email === address;
      const certificates = self ? [(await own.get(accountId)).certificate] : book.certificatesOf(accountId, address);
      const known = self ? (await own.get(accountId)).fingerprint : book.known(accountId, address)?.certificate.fingerprint;
      if (certificates.length === 0 || known !== fingerprint) return 'unknown';
      try {
        const result = await pgp.verify({ data, signature, verifyWith: certificates, now: clock.now() });
        return result.state === 'valid' && result.fingerprint === fingerprint ? 'valid' : 'invalid';
      } catch {
        return 'invalid';
      }
    },
  };
}
