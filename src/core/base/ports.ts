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
