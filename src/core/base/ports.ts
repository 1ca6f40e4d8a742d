import type { Disposable } from './lifetime.ts';

/** Time, so that a week of token life takes a second in a test. All times are milliseconds since the Unix epoch. */
export interface Clock {
  now(): number;
  /** Runs `run` once after `ms`; dispose of the result to cancel. */
  after(ms: number, run: () => void): Disposable;
  /** Resolves after `ms`; rejects with `engine.cancelled` when `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness from the system's CSPRNG; a test may hand in a seeded one. */
export interface Random {
  /** `length` random bytes in a buffer of their own, not from a pool. */
  bytes(length: number): Buffer;
  /** A random UUID, version 4. */
  uuid(): string;
  /** A number in [0, 1) for jitter; not for secrets. */
  fraction(): number;
}

/** VS Code's SecretStorage, or whatever stands in for it under plain Node. Values never touch the database or settings. */
export interface Secrets {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** https only. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Total time in milliseconds, connect included. */
  readonly timeoutMs: number;
  /** Answer cap in bytes; more is refused with `net.too-large`. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * One bounded HTTPS exchange: no redirects, no proxy from the environment, certificate always verified.
 * Rejects with `net.*` codes or `engine.cancelled`; any HTTP status resolves.
 */
export type HttpFetch = (request: HttpRequest) => Promise<HttpResponse>;

/** How a certificate authority beyond the system's is trusted for one host; PEM, or undefined for none. */
export type TrustedAuthorities = (host: string) => string | undefined;

/** Opens a web page in the person's browser. Resolves to whether it was opened. */
export type OpenBrowser = (url: string) => Promise<boolean>;

/** What a mail server is shown. `cached` hands out a valid token, `fresh` forces one refresh first. */
export type CredentialSource = (how: 'cached' | 'fresh', signal?: AbortSignal) => Promise<Credential>;

export type Credential =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly user: string; readonly accessToken: string };

/** Asks the editor for a token of an account it holds itself (Outlook: VS Code's `microsoft` sign-in). One resource per token. */
export interface HostTokenRequest {
  readonly provider: 'microsoft';
  readonly scopes: readonly string[];
  /** The label of the account to ask for; absent where the person is to choose one. */
  readonly account?: string;
  /** `cached` and `fresh` ask nobody; `fresh` because a server refused the token handed out last. `interactive` may ask the person. */
  readonly how: 'cached' | 'fresh' | 'interactive';
}

export interface HostToken {
  readonly accessToken: string;
  readonly account: { readonly id: string; readonly label: string };
}

/** Undefined where the editor has no such session, or the person declined. */
export type HostTokenSource = (request: HostTokenRequest, signal?: AbortSignal) => Promise<HostToken | undefined>;

/** Work that one window at a time may do, of all windows over the same folder (store/windowLock). */
export interface CrossWindowLock {
  /**
   * Runs `task` once no other window holds `name`. A holder that dies is noticed at once by its process, one that hangs after `ttlMs`
   * without a sign of life; the holder gives such signs by itself. @throws `store.*`, `engine.cancelled` while waiting
   */
  run<T>(name: string, ttlMs: number, task: (lease: Lease) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** What the holder of a lock may leave for the next: a short text, nothing secret. */
export interface Lease {
  readonly note: string | undefined;
  leave(note: string): void;
}

/** What sealed records are for. `keys` lives under a daily epoch key that is deleted; `mail` under one that stays. */
export type SealPurpose = 'keys' | 'mail';

/** Seals small records for the database, synchronously so that it can happen inside a transaction (SecureStorage). */
export interface RecordSealer {
  /** `type` and `id` are authenticated: a record moved to another row does not open. */
  seal(purpose: SealPurpose, type: string, id: string, plaintext: Uint8Array): Buffer;
  /** Throws `store.secret-missing` when the epoch key is gone, `store.corrupt` when the record was altered. */
  open(purpose: SealPurpose, type: string, id: string, sealed: Uint8Array): Buffer;
}

/** One numbered step of a database schema. Never edited after release: add another. */
export interface Migration {
  /** Unique and ordered within its room, e.g. `ledger/1`. */
  readonly name: string;
  readonly sql: string;
}

/** A message to be indexed; sealed mail never comes here in the clear. */
export interface IndexedMessage {
  /** The row in mail.db. */
  readonly messageId: number;
  /** The RFC 5322 source as the server holds it. */
  readonly raw: Buffer;
  /** Of a row that was added in this very transaction and says already that it is indexed: its date, milliseconds. */
  readonly newRowOf?: number;
}

/**
 * Takes in bodies for the search index (store/search). Called right when bodies are stored, inside that transaction, so that a body and its
 * entry in the index are durable together: synchronous, and quick. One message's fault must not throw; it is left out of the index.
 */
export interface BodyIndexer {
  /** Indexes the sources of these messages, in the caller's transaction. */
  index(batch: readonly IndexedMessage[]): void;
  /** Messages that are gone, or whose bodies must no longer be found. */
  forget(messageIds: readonly number[]): void;
  /** A small step of upkeep while a folder is filled, in which so many messages are to come; a transaction of its own. */
  keepUp?(toCome: number): void;
}
