import { QuMailError } from '../base/errors.ts';
import type { Clock, CrossWindowLock, Random } from '../base/ports.ts';
import { GrantLock, type HeldGrant } from './grantLock.ts';
import { nameOf, type AccountKey, type GrantVault, type StoredGrant } from './grantVault.ts';
import { Serial } from './serial.ts';
import { endByOurClock, Skews } from './serverTime.ts';
import type { TokenAnswer } from './tokenAnswer.ts';
import {
  hasLife,
  LAST_USE_MS,
  planToken,
  REFRESH_AHEAD_MS,
  START,
  type GrantFacts,
  type TokenAct,
  type TokenEvent,
  type TokenState,
} from './tokenPlan.ts';

export interface TokenKeeperDeps {
  readonly vault: GrantVault;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly lock: CrossWindowLock;
  /** Ends waiting for other windows. */
  readonly signal: AbortSignal;
  /** Asks the token endpoint; `auth.sign-in-again` says that the grant is gone. */
  readonly refresh: (key: AccountKey, grant: StoredGrant, refreshToken: string) => Promise<TokenAnswer>;
  /** Told once per refusal. */
  readonly onSignInAgain: (key: AccountKey) => void;
}

/** What this window knows about an account's token. */
interface Entry {
  readonly key: AccountKey;
  state: TokenState;
  flight: Promise<StoredGrant> | undefined;
  /** The access token handed out last. */
  handedOut: string | undefined;
}

/**
 * Does what `planToken` says: one refresh in flight per account here and in all windows, the vault read again before it and written before
 * anybody gets the new token. Sign-in and sign-out wait for their turn, so that no late answer brings back the tokens of before.
 */
export class TokenKeeper {
  readonly #deps: TokenKeeperDeps;
  readonly #locks: GrantLock;
  readonly #turns = new Serial();
  readonly #entries = new Map<string, Entry>();
  readonly #skews = new Skews();

  constructor(deps: TokenKeeperDeps) {
    this.#deps = deps;
    this.#locks = new GrantLock(deps);
  }

  /** A grant whose access token lives for five more minutes, and is not the present one when `forced`. `expiresAt` is by our clock. */
  async validGrant(key: AccountKey, how: 'if-needed' | 'forced'): Promise<StoredGrant> {
    const { vault, clock } = this.#deps;
    const entry = this.#entry(key);
    const seen = await vault.read(key);
    const act = this.#step(entry, {
      kind: 'asked',
      how,
      now: clock.now(),
      grant: seen && { ...this.#facts(key, seen), here: this.#novelty(entry, seen) },
    });
    if (act.kind === 'hand-out' && seen) return this.#handOut(entry, seen);
    if (act.kind === 'fail') throw new QuMailError(act.failure.code, act.failure.details);
    if (act.kind === 'ask-person') throw new QuMailError('auth.sign-in-again', { reason: act.reason });
    try {
      entry.flight ??= this.#fly(entry, seen?.accessToken);
      return this.#handOut(entry, await entry.flight);
    } catch (error) {
      const usable = seen && how === 'if-needed' && hasLife(this.#facts(key, seen), clock.now(), LAST_USE_MS);
      if (usable && !QuMailError.is(error, 'auth.sign-in-again')) return this.#handOut(entry, seen);
      throw error;
    }
  }

  async replace(key: AccountKey, grant: StoredGrant): Promise<void> {
    await this.#turns.run(nameOf(key), () => this.#locks.run(key, (held) => held.write(grant)));
    this.#step(this.#entry(key), { kind: 'replaced' });
  }

  /** Erases the grant and returns what it was. */
  async erase(key: AccountKey): Promise<StoredGrant | undefined> {
    const before = await this.#turns.run(nameOf(key), () =>
      this.#locks.run(key, async (held) => {
        const stored = await held.read().catch(() => undefined);
        await held.erase();
        return stored;
      }),
    );
    this.#entries.delete(nameOf(key));
    return before;
  }

  /** Tries now what failed before, and looks at every token asked for so far: those that have run out are refreshed. Never rejects. */
  async nudge(): Promise<void> {
    const due = [...this.#entries.values()].filter(({ state }) => state.kind !== 'needs-sign-in');
    for (const entry of due) this.#step(entry, { kind: 'nudged' });
    await Promise.allSettled(due.map(({ key }) => this.validGrant(key, 'if-needed')));
  }

  /** Where the account's token stands in this window, and the grant as stored. */
  async standing(key: AccountKey): Promise<{ state: TokenState; grant: StoredGrant | undefined }> {
    const grant = await this.#deps.vault.read(key);
    return { state: this.#entries.get(nameOf(key))?.state ?? START, grant: grant && this.#dated(key, grant) };
  }

  /** Resolves once no refresh is under way. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }

  async #fly(entry: Entry, seen: string | undefined): Promise<StoredGrant> {
    const { clock, random } = this.#deps;
    const { key } = entry;
    const asked: { refreshToken?: string } = {};
    try {
      const grant = await this.#turns.run(nameOf(key), () => this.#locks.run(key, (held) => this.#refresh(key, held, seen, asked)));
      this.#land(entry, { kind: 'granted' });
      return grant;
    } catch (error) {
      const failure = QuMailError.from(error);
      if (failure.code === 'auth.sign-in-again') {
        this.#land(entry, { kind: 'refused', reason: String(failure.details.reason), refreshToken: asked.refreshToken });
        this.#deps.onSignInAgain(key);
      } else this.#land(entry, { kind: 'failed', failure, now: clock.now(), fraction: random.fraction() });
      throw failure;
    }
  }

  async #refresh(key: AccountKey, held: HeldGrant, seen: string | undefined, asked: { refreshToken?: string }): Promise<StoredGrant> {
    const { clock, refresh } = this.#deps;
    let grant = await held.read();
    for (let refused: QuMailError | undefined; ;) {
      // Another window was faster, or the person has just signed in.
      if (grant && grant.accessToken !== seen && hasLife(this.#facts(key, grant), clock.now(), REFRESH_AHEAD_MS)) return grant;
      if (grant?.refreshToken === undefined)
        throw new QuMailError('auth.sign-in-again', { reason: grant ? 'no-refresh-token' : 'no-grant' });
      if (refused && grant.refreshToken === asked.refreshToken) throw refused;
      asked.refreshToken = grant.refreshToken;
      const askedAt = clock.now();
      try {
        const next = mergeGrant(grant, await refresh(key, grant, grant.refreshToken), askedAt);
        await held.write(next);
        return next;
      } catch (error) {
        // Refused because a window without this lock used the token first? Then the vault holds its successor, which is tried once.
        if (!QuMailError.is(error, 'auth.sign-in-again') || refused) throw error;
        refused = error;
        seen = grant.accessToken;
        grant = await held.read();
      }
    }
  }

  /** The flight is over in the same moment as the state says so: nobody can join one that has landed. */
  #land(entry: Entry, event: TokenEvent): void {
    entry.flight = undefined;
    this.#step(entry, event);
  }

  #step(entry: Entry, event: TokenEvent): TokenAct {
    const { state, act } = planToken(entry.state, event);
    entry.state = state;
    return act;
  }

  #entry(key: AccountKey): Entry {
    const name = nameOf(key);
    const entry = this.#entries.get(name) ?? { key, state: START, flight: undefined, handedOut: undefined };
    this.#entries.set(name, entry);
    return entry;
  }

  #facts(key: AccountKey, grant: StoredGrant): GrantFacts {
    return {
      expiresAt: endByOurClock(grant, this.#skews.latest(grant.issuer ?? key.provider, nameOf(key), grant)),
      refreshToken: grant.refreshToken,
    };
  }

  #novelty(entry: Entry, grant: StoredGrant): 'news' | 'known' {
    return entry.handedOut !== undefined && entry.handedOut !== grant.accessToken ? 'news' : 'known';
  }

  #handOut(entry: Entry, grant: StoredGrant): StoredGrant {
    entry.handedOut = grant.accessToken;
    return this.#dated(entry.key, grant);
  }

  #dated(key: AccountKey, grant: StoredGrant): StoredGrant {
    return { ...grant, expiresAt: this.#facts(key, grant).expiresAt };
  }
}

/** What is stored after an answer: a refresh token that was not replaced stays good (RFC 6749 section 6), scopes likewise. */
export function mergeGrant(
  before: Pick<StoredGrant, 'clientId' | 'issuer' | 'refreshToken' | 'scopes'>,
  answer: TokenAnswer,
  askedAt: number,
): StoredGrant {
  const refreshToken = answer.refreshToken ?? before.refreshToken;
  return {
    version: 1,
    clientId: before.clientId,
    ...(before.issuer === undefined ? {} : { issuer: before.issuer }),
    accessToken: answer.accessToken,
    expiresAt: askedAt + answer.expiresIn * 1000,
    obtainedAt: askedAt,
    ...(answer.skew === undefined ? {} : { skew: answer.skew }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    scopes: [...(answer.scopes ?? before.scopes)],
  };
}
