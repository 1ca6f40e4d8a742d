import { QuMailError } from '../base/errors.ts';
import type { KeyBudgetLink, KeyQuota, MessageBudget } from '../base/keys.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Clock } from '../base/ports.ts';
import type { KeyUse } from '../keys/keyUse.ts';
import type { KeyManagerStore } from '../store/keyManagers.ts';
import { budgetFor, forecast, type StockSample } from './keyForecast.ts';

export interface KeyBudgetBookDeps {
  readonly use: KeyUse;
  readonly managers: KeyManagerStore;
  readonly clock: Clock;
  readonly emit: (event: QuMailEvent) => void;
}

/** Below so many bits a link is low: 64 messages at L2, or one text of 2 KB at L1. */
export const LOW_WATER_BITS = 16_384;

const DAY = 86_400_000;
const MAX_SAMPLES = 32;
/** Samples closer together than this say nothing new of a rate. */
const APART = 1_000;

interface Peer {
  readonly accountId: string;
  readonly address: string;
  readonly peerId: string;
}

/** What is known of every stock: how it moved, what was used, whose share it is, and whether it is low. */
export class KeyBudgetBook {
  readonly #deps: KeyBudgetBookDeps;
  readonly #samples = new Map<string, StockSample[]>();
  readonly #low = new Set<string>();

  constructor(deps: KeyBudgetBookDeps) {
    this.#deps = deps;
  }

  /** A source told its stock. Says once that it is low, until it has risen to twice the mark. */
  told(peer: Peer, stockBits: number): void {
    const id = idOf(peer);
    const at = this.#deps.clock.now();
    // A clock that was set back makes what was noted before it useless.
    const samples = (this.#samples.get(id) ?? []).filter((sample) => sample.at <= at && sample.at > at - DAY);
    const last = samples.at(-1);
    if (samples.length > 1 && last !== undefined && at - last.at < APART) samples.pop();
    samples.push({ at, bits: stockBits });
    // The oldest and the newest decide a rate; of those between, every second one will do.
    this.#samples.set(id, samples.length > MAX_SAMPLES ? samples.filter((_, i) => i % 2 === 0 || i === samples.length - 1) : samples);
    if (stockBits >= 2 * LOW_WATER_BITS) this.#low.delete(id);
    else if (stockBits < LOW_WATER_BITS && !this.#low.has(id)) {
      this.#low.add(id);
      this.#deps.emit({ kind: 'key-budget', accountId: peer.accountId, address: peer.address });
    }
  }

  /** @throws QuMailError `key.quota-exceeded` where taking `bits` would go beyond the contact's share */
  admit(peer: Peer, bits: number): void {
    const quota = this.quotaOf(peer);
    if (quota === undefined || quota.usedBits + bits <= quota.bits) return;
    const now = this.#deps.clock.now();
    const oldest = this.#deps.use.since(peer.accountId, peer.peerId, now - quota.seconds * 1000, 'sent')[0];
    throw new QuMailError('key.quota-exceeded', {
      address: peer.address,
      wantedBits: bits,
      leftBits: Math.max(0, quota.bits - quota.usedBits),
      ...(oldest && bits <= quota.bits && { retryInMs: Math.max(0, oldest.at + quota.seconds * 1000 - now) }),
    });
  }

  quotaOf({ accountId, address, peerId }: Peer): KeyQuota | undefined {
    const quota = this.#deps.managers.quota(accountId, address);
    if (quota === undefined) return undefined;
    const used = this.#deps.use.since(accountId, peerId, this.#deps.clock.now() - quota.seconds * 1000, 'sent');
    return { ...quota, usedBits: used.reduce((total, { bits }) => total + bits, 0) };
  }

  /** Stock, rates and share of one link; for a pad, whose stock is always known, hand it in with `told` first. */
  linkOf(kind: 'kme' | 'pad', peer: Peer): KeyBudgetLink {
    const now = this.#deps.clock.now();
    const samples = this.#samples.get(idOf(peer)) ?? [];
    // A pad is used in one direction only: what was read came out of the other half.
    const used = this.#deps.use.since(peer.accountId, peer.peerId, now - DAY, kind === 'pad' ? 'sent' : 'all');
    const { spentPerSecond, madePerSecond, emptyInSeconds } = forecast(used, kind === 'pad' ? samples.slice(-1) : samples, now);
    const last = samples.at(-1);
    const quota = this.quotaOf(peer);
    return {
      kind,
      address: peer.address,
      peerId: peer.peerId,
      ...(last && { stockBits: last.bits, seenAt: last.at }),
      spentPerSecond,
      ...(madePerSecond !== undefined && { madePerSecond }),
      ...(emptyInSeconds !== undefined && { emptyInSeconds }),
      ...(quota && { quota }),
      low: last !== undefined && last.bits < LOW_WATER_BITS ? 'yes' : 'no',
    };
  }

  /** What a message of `costBits` to this contact comes to, by what was told last. Asks nobody. */
  budgetOf(peer: Peer, costBits: number): MessageBudget {
    const samples = this.#samples.get(idOf(peer)) ?? [];
    const now = this.#deps.clock.now();
    const { madePerSecond } = forecast(this.#deps.use.since(peer.accountId, peer.peerId, now - DAY, 'all'), samples, now);
    const last = samples.at(-1);
    return budgetFor(costBits, { ...(last && { bits: last.bits }), madePerSecond });
  }
}

function idOf({ accountId, peerId }: Peer): string {
  return JSON.stringify([accountId, peerId]);
}
