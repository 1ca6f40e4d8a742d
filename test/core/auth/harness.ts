import { inspect } from 'node:util';
import { createHttpsFetch } from '../../../src/core/base/httpsFetch.ts';
import { toDisposable, type Disposable } from '../../../src/core/base/lifetime.ts';
import { Log, type LogEntry } from '../../../src/core/base/log.ts';
import type { Clock, HttpFetch, OpenBrowser, Secrets } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OAuth2Manager, type AccessToken, type Grant, type OAuth2ManagerDeps } from '../../../src/core/auth/oauth2Manager.ts';
import { OAUTH_PROVIDERS, type OAuthProvider, type ProviderTable } from '../../../src/core/auth/providers.ts';
import { CLIENT_ID, CONFIDENTIAL_CLIENT_ID, type OidcWorld } from '../../world/oidcWorld.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** The wall clock plus what `advance` added; timers fire when `advance` passes them. */
export class MovableClock implements Clock {
  #offset = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return Date.now() + this.#offset;
  }

  after(ms: number, run: () => void): Disposable {
    const timer = { at: this.now() + ms, run };
    this.#timers.add(timer);
    return toDisposable(() => this.#timers.delete(timer));
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }

  advance(ms: number): void {
    this.#offset += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.now()) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

/** A secret store in memory that can refuse and tells what was done to it. */
export class MemorySecrets implements Secrets {
  readonly values = new Map<string, string>();
  readonly history: string[] = [];
  refusing = false;

  async get(key: string): Promise<string | undefined> {
    this.#refuse();
    return this.values.get(key);
  }
  async set(key: string, value: string): Promise<void> {
    this.#refuse();
    this.history.push(`set ${key}`);
    this.values.set(key, value);
  }
  async delete(key: string): Promise<void> {
    this.#refuse();
    this.history.push(`delete ${key}`);
    this.values.delete(key);
  }
  /** The grant stored for this person at the `oidc` provider. */
  grantOf(email: string): Record<string, unknown> | undefined {
    const text = this.values.get(`oauth.grant.oidc.${email}`);
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  }
  #refuse(): void {
    if (this.refusing) throw new Error('the keyring is locked');
  }
}

/** The world's endpoints behind the `google` key: a provider with a fixed table entry and a required secret. */
function tableOver(world: OidcWorld): ProviderTable {
  const google: OAuthProvider = {
    ...OAUTH_PROVIDERS.google,
    issuer: world.issuer,
    authorizationEndpoint: `${world.issuer}/auth`,
    tokenEndpoint: `${world.issuer}/token`,
    revocationEndpoint: `${world.issuer}/token/revocation`,
    userinfoEndpoint: `${world.issuer}/me`,
    scopes: ['openid', 'email', 'offline_access', 'mail'],
  };
  return { ...OAUTH_PROVIDERS, google };
}

/** Everything ever logged by any bench of this process, and every secret that passed: a test greps one for the other. */
export const logged: LogEntry[] = [];
export const passedSecrets = new Set<string>();

export interface Bench {
  readonly manager: OAuth2Manager;
  readonly secrets: MemorySecrets;
  readonly clock: MovableClock;
  readonly fetch: HttpFetch;
  readonly log: Log;
  /** Signs in at the `oidc` provider and stores the grant. */
  signedIn(email: string): Promise<{ grant: Grant }>;
  token(email: string, how?: 'if-needed' | 'forced', signal?: AbortSignal): Promise<AccessToken>;
}

export interface BenchOptions extends Partial<Pick<OAuth2ManagerDeps, 'settings' | 'providers' | 'lock'>> {
  readonly openBrowser?: OpenBrowser;
  readonly secrets?: MemorySecrets;
  readonly clock?: MovableClock;
  readonly wrapFetch?: (fetch: HttpFetch) => HttpFetch;
}

export const SETTINGS = { googleClientId: CONFIDENTIAL_CLIENT_ID, yahooClientId: '', signInRedirect: 'loopback', uriRedirect: '' } as const;

/** One window's OAuth2Manager over the world, with real TLS. */
export function openBench(world: OidcWorld, options: BenchOptions = {}): Bench {
  const secrets = options.secrets ?? new MemorySecrets();
  const clock = options.clock ?? new MovableClock();
  const plain = createHttpsFetch({ authorities: () => world.caPem });
  const watched: HttpFetch = async (request) => {
    noteSecrets(request.body);
    const answer = await plain(request);
    noteSecrets(answer.body.toString());
    return answer;
  };
  const fetch = options.wrapFetch ? options.wrapFetch(watched) : watched;
  const log = new Log((entry) => logged.push(entry), 'test');
  let browser: OpenBrowser = options.openBrowser ?? (() => Promise.reject(new Error('no browser here')));
  const manager = new OAuth2Manager({
    secrets,
    clock,
    random: systemRandom,
    fetch,
    openBrowser: (url) => {
      noteSecrets(new URL(url).search.slice(1));
      return browser(url);
    },
    log,
    settings: options.settings ?? (() => SETTINGS),
    providers: options.providers ?? tableOver(world),
    ...(options.lock && { lock: options.lock }),
  });
  return {
    manager,
    secrets,
    clock,
    fetch,
    log,
    async signedIn(email) {
      const person = world.browser.person(email);
      browser = person.openBrowser;
      const { grant } = await manager.signIn(oidc(world));
      await person.landing();
      await manager.storeGrant({ provider: 'oidc', email }, grant);
      return { grant };
    },
    token: (email, how, signal) => manager.refreshTokenIfNeeded('oidc', email, how, signal),
  };
}

/** The windows of one suite, closed together after each test. */
export class Benches {
  readonly #open: Bench[] = [];

  open(world: OidcWorld, options?: BenchOptions): Bench {
    const bench = openBench(world, options);
    this.#open.push(bench);
    return bench;
  }

  /** Closes them; `check` looks at each afterwards. */
  close(check?: (bench: Bench) => void): void {
    for (const bench of this.#open.splice(0)) {
      bench.manager.dispose();
      check?.(bench);
    }
  }
}

/** Token requests that reach the world while `run` runs. */
export async function tokenRequestsDuring(world: OidcWorld, run: () => Promise<unknown>): Promise<number> {
  const before = world.counters.tokenRequests;
  await run();
  return world.counters.tokenRequests - before;
}

export function oidc(world: OidcWorld): { provider: 'oidc'; issuer: string; clientId: string } {
  return { provider: 'oidc', issuer: world.issuer, clientId: CLIENT_ID };
}

/** Values of 20 characters or more under a name that holds a secret, in a form or a JSON answer. */
function noteSecrets(text: string | undefined): void {
  for (const [, , value] of text?.matchAll(
    /"?\b(access_token|refresh_token|id_token|code|code_verifier|client_secret|state|nonce)"?[=:]\s*"?([\w.~-]{20,})/g,
  ) ?? []) {
    passedSecrets.add(value!);
  }
}

/** The secrets that show in what was logged or thrown. */
export function leakedIn(...things: readonly unknown[]): string[] {
  const text = things
    .map((thing) => (typeof thing === 'string' ? thing : inspect(thing, { depth: 12, showHidden: true, getters: false })))
    .join('\n');
  return [...passedSecrets].filter((secret) => text.includes(secret));
}
