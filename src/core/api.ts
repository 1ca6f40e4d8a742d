/**
 * The one door between the engine and everything that shows it: requests, events, plain data, error codes.
 * Data in, data out, structured-cloneable throughout; the same interface works across the worker boundary and headless.
 */
import { createBirpc } from 'birpc';
import type { EngineSettings } from './base/engineSettings.ts';
import { QuMailError, type ErrorCode, type ErrorDetails } from './base/errors.ts';
import { Emitter, type Disposable, type Listener } from './base/lifetime.ts';
import type { LogEntry, LogSink } from './base/log.ts';
import type { QuMailEvent } from './base/events.ts';
import type { Failure } from './base/model.ts';
import type { HostToken, HostTokenRequest, HostTokenSource, OpenBrowser, Secrets } from './base/ports.ts';
import { ACCOUNT_REQUESTS, type AccountRequests } from './base/requests/accountRequests.ts';
import { ACTION_REQUESTS, type ActionRequests } from './base/requests/actionRequests.ts';
import { CHAT_REQUESTS, type ChatRequests } from './base/requests/chatRequests.ts';
import { KEY_REQUESTS, type KeyRequests } from './base/requests/keyRequests.ts';
import { MAIL_REQUESTS, type MailRequests } from './base/requests/mailRequests.ts';
import type { CallOptions } from './base/requests/requestNames.ts';
import { SEARCH_REQUESTS, type SearchRequests } from './base/requests/searchRequests.ts';
import { SYNC_REQUESTS, type SyncRequests } from './base/requests/syncRequests.ts';
import { TRUST_REQUESTS, type TrustRequests } from './base/requests/trustRequests.ts';
import { VAULT_REQUESTS, type VaultRequests } from './base/requests/vaultRequests.ts';
import { WRITING_REQUESTS, type WritingRequests } from './base/requests/writingRequests.ts';
import type { Address, MailFlag, ProviderId, SecurityLevel, ServerAddress, SpecialUse } from './base/types.ts';

export { ERROR_CODES, QuMailError } from './base/errors.ts';
export { DEFAULT_SETTINGS } from './base/engineSettings.ts';
export { SECURITY_LEVELS } from './base/types.ts';
export type * from './base/chat.ts';
export type * from './base/lab.ts';
export type * from './base/events.ts';
export type * from './base/model.ts';
export type * from './base/actions.ts';
export type * from './base/backup.ts';
export type * from './base/drafts.ts';
export type * from './base/health.ts';
export type * from './base/inspection.ts';
export type * from './base/keys.ts';
export type * from './base/outgoing.ts';
export type * from './base/search.ts';
export type * from './base/sync.ts';
export type * from './base/transfer.ts';
export type * from './base/trust.ts';
export type { LearnedCertificate } from './base/requests/trustRequests.ts';
export type * from './base/protection.ts';
export type {
  Address,
  CallOptions,
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

/** Every request may reject with a QuMailError and with nothing else. Each area keeps its own in base/requests. */
export interface QuMailRequests
  extends
    AccountRequests,
    MailRequests,
    ActionRequests,
    WritingRequests,
    KeyRequests,
    SearchRequests,
    SyncRequests,
    TrustRequests,
    VaultRequests,
    ChatRequests {}

export interface QuMailApi extends QuMailRequests, AsyncDisposable {
  onEvent(listener: Listener<QuMailEvent>): Disposable;
}

/** What an engine is opened with. `real` and `lab` worlds never meet: each refuses the other's key managers. */
export interface EngineOptions {
  /** A folder of its own, created with mode 0700. */
  readonly storageDir: string;
  readonly secrets: Secrets;
  /** False where the host's secret store forgets all when the program ends: a desktop without a keyring. Default true. */
  readonly secretsAreDurable?: boolean;
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
export const REQUEST_NAMES: readonly (keyof QuMailRequests)[] = [
  ...ACCOUNT_REQUESTS,
  ...MAIL_REQUESTS,
  ...ACTION_REQUESTS,
  ...WRITING_REQUESTS,
  ...KEY_REQUESTS,
  ...CHAT_REQUESTS,
  ...SEARCH_REQUESTS,
  ...SYNC_REQUESTS,
  ...TRUST_REQUESTS,
  ...VAULT_REQUESTS,
];

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
