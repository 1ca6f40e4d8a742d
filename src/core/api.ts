/**
 * The one door between the engine and everything that shows it: requests, events, plain data, error codes.
 * Data in, data out, structured-cloneable throughout; the same interface works across the worker boundary and headless.
 */
import { createBirpc } from 'birpc';
import type { EngineSettings } from './base/engineSettings.ts';
import type { AccountHealth } from './base/health.ts';
import { QuMailError, type ErrorCode, type ErrorDetails } from './base/errors.ts';
import { Emitter, type Disposable, type Listener } from './base/lifetime.ts';
import type { LogEntry, LogSink } from './base/log.ts';
import type {
  Failure,
  Account,
  AddAccountRequest,
  AccessToken,
  Folder,
  MessagePage,
  Attachment,
  Message,
  DraftSource,
  Draft,
  DraftCheck,
  Contact,
  ConnectKeyManagerRequest,
  DiscoveredServers,
  KeyManager,
  KeyManagerStatus,
  QuMailEvent,
} from './base/model.ts';
import type { OutboxEntry, SendResult } from './base/outgoing.ts';
import type { HostToken, HostTokenRequest, HostTokenSource, OpenBrowser, Secrets } from './base/ports.ts';
import type { Address, MailFlag, ProviderId, SecurityLevel, ServerAddress, SpecialUse } from './base/types.ts';

export { ERROR_CODES, QuMailError } from './base/errors.ts';
export { DEFAULT_SETTINGS } from './base/engineSettings.ts';
export { SECURITY_LEVELS } from './base/types.ts';
export type * from './base/model.ts';
export type * from './base/health.ts';
export type * from './base/outgoing.ts';
export type {
  Address,
  Disposable,
  EngineSettings,
  ErrorCode,
  ErrorDetails,
  HostToken,
  HostTokenRequest,
  HostTokenSource,
  Listener,
  LogSink,
  MailFlag,
  OpenBrowser,
  ProviderId,
  Secrets,
  SecurityLevel,
  ServerAddress,
  SpecialUse,
};

// ---- the interface --------------------------------------------------------------------------------------------

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Every request may reject with a QuMailError and with nothing else. */
export interface QuMailRequests {
  configure(settings: EngineSettings): Promise<void>;

  listAccounts(): Promise<readonly Account[]>;
  /** Tokens, connections, last sync, outbox and last errors of every account, as they are now. Asks nobody. */
  getAccountHealth(): Promise<readonly AccountHealth[]>;
  /** Servers of an address, best first, to be shown before use; empty when nothing was found, offline too. At most ten seconds. */
  discoverServers(request: { email: string }, options?: CallOptions): Promise<readonly DiscoveredServers[]>;
  /** Checks connections and tokens now, after sleep or a change of network, and looks for mail; resolves once connections are checked. */
  nudge(request: { reason: 'wake' | 'network' }): Promise<void>;
  /** Signs in (password, or OAuth2 through the browser), checks IMAP and SMTP, stores the account, starts syncing it. */
  addAccount(request: AddAccountRequest, options?: CallOptions): Promise<Account>;
  /** Signs an existing account in again: `password` for qumail_native, the browser or the editor's question otherwise. Mail and keys stay. */
  signInAgain(request: { accountId: string; password?: string }, options?: CallOptions): Promise<Account>;
  /** Revokes tokens where the provider can, erases the account's credentials, mail, contacts, keys. */
  signOut(request: { accountId: string }): Promise<void>;
  /** A token valid for at least five minutes, for VS Code's Accounts menu; google, yahoo and oidc only. */
  getAccessToken(request: { accountId: string }): Promise<AccessToken>;
  /** Hands the URI that VS Code's URI handler received to the sign-in that waits for it. */
  deliverRedirect(request: { uri: string }): Promise<void>;
  /** Stores an OAuth client secret in the secret store; an empty one deletes it. */
  setClientSecret(request: { provider: ProviderId; issuer?: string; secret: string }): Promise<void>;

  listFolders(request: { accountId: string }): Promise<readonly Folder[]>;
  getEmailList(request: { accountId: string; folder: string; limit: number; before?: number }): Promise<MessagePage>;
  /** Looks for new mail now: one account or all, one folder or those shown. Resolves when the store is up to date. */
  fetchMail(request: { accountId?: string; folder?: string }, options?: CallOptions): Promise<{ added: number }>;
  /** The message with its body, fetched and opened if need be. Does not change any flag. */
  openMessage(request: { messageId: number }, options?: CallOptions): Promise<Message>;
  getAttachment(
    request: { messageId: number; index: number },
    options?: CallOptions,
  ): Promise<{ attachment: Attachment; content: Uint8Array }>;
  /** RFC 5322 source as the server holds it. */
  getSource(request: { messageId: number }, options?: CallOptions): Promise<Uint8Array>;
  setFlags(request: { messageIds: readonly number[]; add: readonly MailFlag[]; remove: readonly MailFlag[] }): Promise<void>;
  moveMessages(request: { messageIds: readonly number[]; folder: string }): Promise<void>;
  /** Moves to Trash; from Trash, expunges. */
  deleteMessages(request: { messageIds: readonly number[] }): Promise<void>;

  createDraft(request: { accountId: string; source: DraftSource }): Promise<Draft>;
  loadDraft(request: { draftId: string }): Promise<Draft>;
  saveDraft(request: { draftId: string; text: string }): Promise<void>;
  listDrafts(): Promise<readonly Draft[]>;
  deleteDraft(request: { draftId: string }): Promise<void>;
  /** What is wrong with the text as it stands, without touching network or keys. */
  checkDraft(request: { draftId: string; text: string }): Promise<DraftCheck>;
  /**
   * Seals at exactly the level the draft names and sends. Resolves as `sent` only after SMTP 250; the draft is deleted then, and only then.
   * With `sendAt` (milliseconds since the epoch, at most a year ahead) or the undo-send delay it is sealed now, resolves as `scheduled` or
   * `held`, and goes later. After a transient failure it rejects, the draft stays, and the engine goes on trying by itself until the draft's
   * text is changed or it is taken back. Changing the text takes back whatever is not on its way.
   */
  sendDraft(request: { draftId: string; text: string; sendAt?: number }, options?: CallOptions): Promise<SendResult>;
  listOutbox(): Promise<readonly OutboxEntry[]>;
  /** Sends the identical bytes again. */
  retryOutbox(request: { outboxId: number }, options?: CallOptions): Promise<SendResult>;
  discardOutbox(request: { outboxId: number }): Promise<void>;
  /** Takes back what is held, scheduled or waiting: nothing is sent, and the draft is as it was. */
  undoSend(request: { outboxId: number }): Promise<Draft>;
  /** What the person says about an entry that is `acceptance-unknown`: it was sent, or the identical bytes are to go again. */
  settleOutbox(request: { outboxId: number; as: 'sent' | 'resend' }, options?: CallOptions): Promise<void>;

  listContacts(request: { accountId: string }): Promise<readonly Contact[]>;
  saveContact(request: { accountId: string; address: string; name: string; saeId?: string; minimumLevel: SecurityLevel }): Promise<Contact>;
  deleteContact(request: { accountId: string; address: string }): Promise<void>;

  listKeyManagers(): Promise<readonly KeyManager[]>;
  /** Checks address, certificates and KME ID before anything is stored. */
  connectKeyManager(request: ConnectKeyManagerRequest, options?: CallOptions): Promise<KeyManager>;
  disconnectKeyManager(request: { accountId: string }): Promise<void>;
  getKeyManagerStatus(request: { accountId: string }, options?: CallOptions): Promise<KeyManagerStatus>;
}

export interface QuMailApi extends QuMailRequests, AsyncDisposable {
  onEvent(listener: Listener<QuMailEvent>): Disposable;
}

/** What an engine is opened with. `real` and `lab` worlds never meet: each refuses the other's key managers. */
export interface EngineOptions {
  /** A folder of its own, created with mode 0700. */
  readonly storageDir: string;
  readonly secrets: Secrets;
  readonly openBrowser: OpenBrowser;
  /** Tokens of accounts that the editor signs in to itself (Outlook); absent = it has none. */
  readonly hostToken?: HostTokenSource;
  readonly log: LogSink;
  readonly world?: 'real' | 'lab';
  readonly settings?: Partial<EngineSettings>;
}

// ---- the way to an engine in another thread -------------------------------------------------------------------

/** One end of a message channel: a worker, a MessagePort, or what a test puts in their place. */
export interface LinkEndpoint {
  postMessage(value: unknown): void;
  onMessage(listener: (value: unknown) => void): Disposable;
}

/** What the engine's thread offers. Failures travel as data, because structured cloning drops an error's code. */
export interface EngineFunctions {
  request(call: { id: number; method: keyof QuMailRequests; request: unknown }): Promise<Outcome>;
  cancel(id: number): void;
  close(): Promise<void>;
}

export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly failure: Failure };

/** What the engine's thread asks of its host. */
export interface HostFunctions {
  getSecret(key: string): Promise<string | undefined>;
  setSecret(key: string, value: string): Promise<void>;
  deleteSecret(key: string): Promise<void>;
  openBrowser(url: string): Promise<boolean>;
  hostToken(request: HostTokenRequest): Promise<HostToken | undefined>;
  log(entry: LogEntry): void;
  event(event: QuMailEvent): void;
}

/** The names of all requests; the engine's thread answers these and nothing else. */
export const REQUEST_NAMES: readonly (keyof QuMailRequests)[] = Object.keys({
  configure: 1,
  listAccounts: 1,
  getAccountHealth: 1,
  discoverServers: 1,
  nudge: 1,
  addAccount: 1,
  signInAgain: 1,
  signOut: 1,
  getAccessToken: 1,
  deliverRedirect: 1,
  setClientSecret: 1,
  listFolders: 1,
  getEmailList: 1,
  fetchMail: 1,
  openMessage: 1,
  getAttachment: 1,
  getSource: 1,
  setFlags: 1,
  moveMessages: 1,
  deleteMessages: 1,
  createDraft: 1,
  loadDraft: 1,
  saveDraft: 1,
  listDrafts: 1,
  deleteDraft: 1,
  checkDraft: 1,
  sendDraft: 1,
  listOutbox: 1,
  retryOutbox: 1,
  discardOutbox: 1,
  undoSend: 1,
  settleOutbox: 1,
  listContacts: 1,
  saveContact: 1,
  deleteContact: 1,
  listKeyManagers: 1,
  connectKeyManager: 1,
  disconnectKeyManager: 1,
  getKeyManagerStatus: 1,
} satisfies Record<keyof QuMailRequests, 1>) as (keyof QuMailRequests)[];

/**
 * The engine at the other end of `endpoint` as a QuMailApi. Requests made before the engine is ready wait for it.
 * When the channel is closed by the disposal of the result, what is under way rejects with `engine.stopped`.
 */
export function connectEngine(
  endpoint: LinkEndpoint,
  host: { secrets: Secrets; openBrowser: OpenBrowser; hostToken?: HostTokenSource | undefined; log: LogSink },
): QuMailApi {
  const events = new Emitter<QuMailEvent>();
  let subscription: Disposable | undefined;
  const functions: HostFunctions = {
    getSecret: (key) => host.secrets.get(key),
    setSecret: (key, value) => host.secrets.set(key, value),
    deleteSecret: (key) => host.secrets.delete(key),
    openBrowser: (url) => host.openBrowser(url),
    hostToken: async (request) => host.hostToken?.(request),
    log: (entry) => host.log(entry),
    event: (event) => events.fire(event),
  };
  const engine = createBirpc<EngineFunctions, HostFunctions>(functions, {
    post: (message: unknown) => endpoint.postMessage(message),
    on: (listener) => {
      subscription = endpoint.onMessage(listener);
    },
    off: () => subscription?.dispose(),
    // Signing in waits for a person; time limits belong to the requests themselves.
    timeout: -1,
  });
  let lastId = 0;
  const request = async (method: keyof QuMailRequests, body: unknown, options?: CallOptions): Promise<unknown> => {
    const signal = options?.signal;
    if (signal?.aborted) throw new QuMailError('engine.cancelled');
    const id = ++lastId;
    const onAbort = (): void => void engine.cancel.asEvent(id).catch(() => {});
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const outcome = await engine.request({ id, method, request: body }).catch((error: unknown) => {
        throw new QuMailError('engine.stopped', {}, { cause: error });
      });
      if (outcome.ok) return outcome.value;
      throw new QuMailError(outcome.failure.code, outcome.failure.details);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  };
  const requests = Object.fromEntries(
    REQUEST_NAMES.map((name) => [name, (body: unknown, options?: CallOptions) => request(name, body, options)]),
  ) as unknown as QuMailRequests;
  return {
    ...requests,
    onEvent: events.event,
    async [Symbol.asyncDispose]() {
      await engine.close().catch(() => {});
      engine.$close();
      events.dispose();
    },
  };
}
