/**
 * The one door between the engine and everything that shows it: requests, events, plain data, error codes.
 * Data in, data out, structured-cloneable throughout; the same interface works across the worker boundary and headless.
 */
import { createBirpc } from 'birpc';
import { QuMailError, type ErrorCode, type ErrorDetails } from './base/errors.ts';
import { Emitter, type Disposable, type Listener } from './base/lifetime.ts';
import type { LogEntry, LogSink } from './base/log.ts';
import type { OpenBrowser, Secrets } from './base/ports.ts';
import type { Address, MailFlag, ProviderId, SecurityLevel, ServerAddress, SpecialUse } from './base/types.ts';

export { ERROR_CODES, QuMailError } from './base/errors.ts';
export { SECURITY_LEVELS } from './base/types.ts';
export type {
  Address,
  Disposable,
  ErrorCode,
  ErrorDetails,
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

/** A named failure as data, where it is part of a result rather than thrown. */
export interface Failure {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
}

// ---- accounts -------------------------------------------------------------------------------------------------

export type AccountState = 'connecting' | 'online' | 'offline' | 'needs-sign-in';

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly provider: ProviderId;
  readonly userId: string;
  /** The own SAE ID, once a key manager is connected. */
  readonly saeId?: string;
  readonly createdAt: number;
  readonly lastLogin: number;
  readonly state: AccountState;
  /** Why the account is not online. */
  readonly failure?: Failure;
  /** True for lab accounts: everything about them is SIMULATED. */
  readonly simulated: boolean;
}

export interface MailServers {
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress;
  /** Log-in name where it is not the address. */
  readonly userName?: string;
}

export type AddAccountRequest =
  | {
      readonly provider: 'qumail_native';
      readonly email: string;
      readonly displayName: string;
      readonly password: string;
      readonly servers: MailServers;
    }
  | { readonly provider: 'google' | 'yahoo' }
  | { readonly provider: 'oidc'; readonly issuer: string; readonly clientId: string; readonly servers: MailServers };

export interface AccessToken {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

// ---- folders and messages -------------------------------------------------------------------------------------

export interface Folder {
  readonly accountId: string;
  /** The full IMAP path; with `accountId` the identity of a folder. */
  readonly path: string;
  readonly name: string;
  readonly specialUse?: SpecialUse;
  readonly unread: number;
  readonly total: number;
  /** False for a \Noselect node. */
  readonly selectable: boolean;
}

/** How a message is protected, told from its container alone: `sealed` says one was found, not that it was verified. */
export type SealState = 'plain' | 'opened' | 'unopened' | 'failed';

export interface MessageSummary {
  readonly id: number;
  readonly accountId: string;
  readonly folder: string;
  readonly from: Address;
  readonly to: readonly Address[];
  readonly subject: string;
  /** Milliseconds since the epoch, from the inner header where the message was opened. */
  readonly date: number;
  /** Octets on the server. */
  readonly size: number;
  readonly flags: readonly MailFlag[];
  readonly hasAttachments: boolean;
  readonly preview: string;
  readonly level: SecurityLevel;
  readonly seal: SealState;
  readonly failure?: Failure;
}

export interface MessagePage {
  readonly messages: readonly MessageSummary[];
  /** Pass as `before` to get the next page; undefined when this is the last one. */
  readonly next?: number;
}

export interface Attachment {
  /** Position in the message, stable. */
  readonly index: number;
  readonly name: string;
  readonly mimeType: string;
  /** Octets after decoding. */
  readonly size: number;
}

/** What the banner says: facts, no sentences. */
export interface SecurityReport {
  readonly level: SecurityLevel;
  readonly seal: SealState;
  readonly suite?: string;
  readonly senderSaeId?: string;
  readonly keyManager?: string;
  /** Key IDs used, never keys. */
  readonly keyIds: readonly string[];
  readonly sealedAt?: string;
  /** Why it was not opened or verified. */
  readonly failure?: Failure;
  readonly simulated: boolean;
}

export interface Message {
  readonly summary: MessageSummary;
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  /** RFC 5322 Message-ID with angle brackets, '' where the message has none. */
  readonly rfcMessageId: string;
  readonly text: string;
  /** Unsanitised HTML as it came: show it only through DOMPurify in a sandboxed frame. */
  readonly html?: string;
  readonly attachments: readonly Attachment[];
  readonly security: SecurityReport;
}

// ---- writing --------------------------------------------------------------------------------------------------

export type DraftSource =
  | {
      readonly kind: 'new';
      readonly to?: readonly string[];
      readonly subject?: string;
      readonly body?: string;
      readonly attach?: readonly string[];
    }
  | { readonly kind: 'reply' | 'reply-all' | 'forward'; readonly messageId: number };

export interface Draft {
  readonly id: string;
  readonly accountId: string;
  /** The whole document: header lines, a blank line, the Markdown body. */
  readonly text: string;
  readonly updatedAt: number;
  readonly subject: string;
}

export interface DraftProblem {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly severity: 'error' | 'warning' | 'info';
  /** Zero-based line and UTF-16 columns, end exclusive. */
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

export interface DraftCheck {
  readonly problems: readonly DraftProblem[];
  readonly level: SecurityLevel;
  /** Levels that every recipient named so far can receive. */
  readonly possible: readonly SecurityLevel[];
  /** Octets of key the message needs as written; 0 where it needs none. */
  readonly keyCost: number;
}

export interface SendResult {
  readonly rfcMessageId: string;
  readonly level: SecurityLevel;
  /** SMTP replies, one per message handed over (Bcc and L1 travel apart). */
  readonly replies: readonly string[];
  readonly keyIds: readonly string[];
  /** A failure after acceptance that lost nothing that was sent, e.g. no copy in Sent. */
  readonly warning?: Failure;
}

export interface OutboxEntry {
  readonly id: number;
  readonly accountId: string;
  readonly subject: string;
  readonly to: readonly string[];
  readonly level: SecurityLevel;
  readonly state: 'queued' | 'sending' | 'waiting' | 'rejected' | 'acceptance-unknown';
  readonly failure?: Failure;
  readonly updatedAt: number;
}

// ---- contacts and keys ----------------------------------------------------------------------------------------

export interface Contact {
  readonly accountId: string;
  readonly address: string;
  readonly name: string;
  /** The contact's SAE ID; with a connected key manager this is what makes a QKD link. */
  readonly saeId?: string;
  readonly minimumLevel: SecurityLevel;
  /** Best level a new message to this contact starts at. */
  readonly startLevel: SecurityLevel;
}

export interface ConnectKeyManagerRequest {
  readonly accountId: string;
  /** https://host:port, without the /api/v1 path. */
  readonly url: string;
  /** The KME ID that the server's certificate must carry. */
  readonly kmeId: string;
  /** The own SAE ID. */
  readonly saeId: string;
  /** PEM of the CA that signed the key manager's certificate. */
  readonly caPem: string;
  readonly client:
    | { readonly kind: 'pem'; readonly certPem: string; readonly keyPem: string; readonly passphrase?: string }
    | { readonly kind: 'pkcs12'; readonly pfxBase64: string; readonly passphrase: string };
}

export interface KeyManager {
  readonly accountId: string;
  readonly url: string;
  readonly kmeId: string;
  readonly saeId: string;
  readonly state: 'unknown' | 'connected' | 'failed';
  readonly failure?: Failure;
  readonly simulated: boolean;
}

/** ETSI GS QKD 014 status of one link, sizes in bits; counts are advisory. */
export interface KeyLink {
  readonly peerSaeId: string;
  readonly peerAddress: string;
  readonly keySize?: number;
  readonly storedKeyCount?: number;
  readonly maxKeyCount?: number;
  readonly maxKeySize?: number;
  readonly maxKeysPerRequest?: number;
  readonly maxSaeIdCount?: number;
  readonly failure?: Failure;
}

export interface KeyManagerStatus {
  readonly keyManager: KeyManager;
  readonly links: readonly KeyLink[];
}

// ---- settings -------------------------------------------------------------------------------------------------

/** What the person configures; machine-scoped, so no workspace can redirect mail or keys. */
export interface EngineSettings {
  readonly googleClientId: string;
  readonly yahooClientId: string;
  /** PEM bundles trusted in addition to the system's, by host name. */
  readonly certificateAuthorities: Readonly<Record<string, string>>;
  /** Seconds between looks for new mail where the server cannot push. */
  readonly fetchInterval: number;
  /** How a sign-in comes back: a loopback listener, or the editor's own URI handler at `uriRedirect`. */
  readonly signInRedirect: 'loopback' | 'uri';
  readonly uriRedirect: string;
  /** Level a new message starts at, 'best' for the best that all recipients support. */
  readonly startLevel: 'best' | SecurityLevel;
}

export const DEFAULT_SETTINGS: EngineSettings = {
  googleClientId: '',
  yahooClientId: '',
  certificateAuthorities: {},
  fetchInterval: 60,
  signInRedirect: 'loopback',
  uriRedirect: '',
  startLevel: 'best',
};

// ---- the interface --------------------------------------------------------------------------------------------

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Every request may reject with a QuMailError and with nothing else. */
export interface QuMailRequests {
  configure(settings: EngineSettings): Promise<void>;

  listAccounts(): Promise<readonly Account[]>;
  /** Signs in (password, or OAuth2 through the browser), checks IMAP and SMTP, stores the account, starts syncing it. */
  addAccount(request: AddAccountRequest, options?: CallOptions): Promise<Account>;
  /** Signs an existing account in again: `password` for qumail_native, the browser otherwise. Mail and keys stay. */
  signInAgain(request: { accountId: string; password?: string }, options?: CallOptions): Promise<Account>;
  /** Revokes tokens where the provider can, erases the account's credentials, mail, contacts, keys. */
  signOut(request: { accountId: string }): Promise<void>;
  /** A token valid for at least five minutes, for VS Code's Accounts menu. */
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
  /** Seals at exactly the level the draft names and sends; resolves only after SMTP 250. The draft is deleted then, and only then. */
  sendDraft(request: { draftId: string; text: string }, options?: CallOptions): Promise<SendResult>;
  listOutbox(): Promise<readonly OutboxEntry[]>;
  /** Sends the identical bytes again. */
  retryOutbox(request: { outboxId: number }, options?: CallOptions): Promise<SendResult>;
  discardOutbox(request: { outboxId: number }): Promise<void>;

  listContacts(request: { accountId: string }): Promise<readonly Contact[]>;
  saveContact(request: { accountId: string; address: string; name: string; saeId?: string; minimumLevel: SecurityLevel }): Promise<Contact>;
  deleteContact(request: { accountId: string; address: string }): Promise<void>;

  listKeyManagers(): Promise<readonly KeyManager[]>;
  /** Checks address, certificates and KME ID before anything is stored. */
  connectKeyManager(request: ConnectKeyManagerRequest, options?: CallOptions): Promise<KeyManager>;
  disconnectKeyManager(request: { accountId: string }): Promise<void>;
  getKeyManagerStatus(request: { accountId: string }, options?: CallOptions): Promise<KeyManagerStatus>;
}

/** Something changed; the data itself is asked for. */
export type QuMailEvent =
  | { readonly kind: 'accounts' }
  | { readonly kind: 'folders'; readonly accountId: string }
  | { readonly kind: 'messages'; readonly accountId: string; readonly folder: string }
  | { readonly kind: 'contacts'; readonly accountId: string }
  | { readonly kind: 'key-managers' }
  | { readonly kind: 'drafts' }
  | { readonly kind: 'outbox' }
  | { readonly kind: 'activity'; readonly accountId: string; readonly busy: boolean }
  | { readonly kind: 'send-progress'; readonly draftId: string; readonly step: 'keys' | 'sealing' | 'sending' | 'filing' };

export interface QuMailApi extends QuMailRequests, AsyncDisposable {
  onEvent(listener: Listener<QuMailEvent>): Disposable;
}

/** What an engine is opened with. `real` and `lab` worlds never meet: each refuses the other's key managers. */
export interface EngineOptions {
  /** A folder of its own, created with mode 0700. */
  readonly storageDir: string;
  readonly secrets: Secrets;
  readonly openBrowser: OpenBrowser;
  readonly log: LogSink;
  readonly world?: 'real' | 'lab';
  readonly settings?: Partial<EngineSettings>;
}

/** What the lab tells about itself once it runs (dist/lab.cjs); everything in it is SIMULATED. */
export interface LabWorld {
  readonly servers: MailServers;
  /** The lab's own CA, for mail servers and key managers alike. */
  readonly caPem: string;
  readonly users: readonly LabUser[];
}

export interface LabUser {
  readonly email: string;
  readonly displayName: string;
  readonly password: string;
  readonly saeId: string;
  readonly kmeId: string;
  readonly kmeUrl: string;
  readonly clientCertPem: string;
  readonly clientKeyPem: string;
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
  log(entry: LogEntry): void;
  event(event: QuMailEvent): void;
}

/** The names of all requests; the engine's thread answers these and nothing else. */
export const REQUEST_NAMES: readonly (keyof QuMailRequests)[] = Object.keys({
  configure: 1,
  listAccounts: 1,
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
export function connectEngine(endpoint: LinkEndpoint, host: { secrets: Secrets; openBrowser: OpenBrowser; log: LogSink }): QuMailApi {
  const events = new Emitter<QuMailEvent>();
  let subscription: Disposable | undefined;
  const functions: HostFunctions = {
    getSecret: (key) => host.secrets.get(key),
    setSecret: (key, value) => host.secrets.set(key, value),
    deleteSecret: (key) => host.secrets.delete(key),
    openBrowser: (url) => host.openBrowser(url),
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
