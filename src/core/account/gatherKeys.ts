import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { CipherManager } from '../crypto/cipherManager.ts';
import type { Etsi014Status } from '../keys/etsi014.ts';
import { planKeys } from '../keys/keyBudget.ts';
import type { DeliveredKey, KmeClient } from '../keys/kmeClient.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import type { KeyLinks } from './keyLinks.ts';
import { planKeying, type EnvelopePlan, type KeyingEntry, type KeyingPeer } from './keyingPlan.ts';

/** One `keys` entry with its key bytes in hand. Whoever holds it wipes `bytes`. */
export interface GatheredEntry {
  readonly keyIds: readonly string[];
  readonly bytes: Buffer;
  /** Positions in the envelope's `to`; absent where the entry serves everyone. */
  readonly to?: readonly number[];
  readonly how: 'direct' | 'wrapped';
}

export interface GatheredEnvelope {
  readonly peers: readonly KeyingPeer[];
  readonly entries: readonly GatheredEntry[];
}

export interface GatherDeps {
  readonly links: KeyLinks;
  readonly ledger: KeyLedger;
  readonly cipher: CipherManager;
}

export interface GatherRequest {
  readonly accountId: string;
  readonly level: 'L1' | 'L2';
  readonly recipients: readonly { address: string; saeId: string }[];
  /** Octets of the inner message before padding. */
  readonly plaintextLength: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks the account's key manager for the keys that one message to `recipients` needs and reserves each in the ledger
 * before it is returned. What was reserved when a later key could not be had is abandoned: keys are never carried over.
 *
 * @throws QuMailError `kme.*` as the key manager answered; `key.reused` when it delivered a key again
 */
export async function gatherKeys(request: GatherRequest, deps: GatherDeps): Promise<readonly GatheredEnvelope[]> {
  const statuses = new Map<string, Etsi014Status>();
  const peers: KeyingPeer[] = [];
  for (const recipient of request.recipients) {
    const status = await deps.links.exchange(request.accountId, (client) => client.getStatus(recipient.saeId, request.signal));
    statuses.set(recipient.saeId, status);
    peers.push({ ...recipient, maxSaeIdCount: status.maxSaeIdCount ?? 0 });
  }
  const gather = new Gathering(request, deps, statuses);
  try {
    return await gather.all(planKeying(request.level, peers, 'where-offered'));
  } catch (error) {
    gather.abandon();
    const multicastRefused = peers.length > 1 && QuMailError.is(error, 'kme.bad-request');
    if (!multicastRefused) throw error;
  }
  // A key manager that announces multicast and refuses it still serves pairs.
  const pairwise = new Gathering(request, deps, statuses);
  try {
    return await pairwise.all(planKeying(request.level, peers, 'never'));
  } catch (error) {
    pairwise.abandon();
    throw error;
  }
}

/**
 * Gives up keys that were reserved and will not be used. Their bytes are gone at once, whatever the database says; where it says nothing
 * any more (the engine was closed meanwhile), the ledger abandons what is stale at the next start.
 */
export function abandonKeys(accountId: string, entries: readonly Pick<GatheredEntry, 'keyIds' | 'bytes'>[], ledger: KeyLedger): void {
  wipe(...entries.map(({ bytes }) => bytes));
  try {
    ledger.abandon({ accountId, keyIds: entries.flatMap(({ keyIds }) => keyIds) });
  } catch {
    // Why they are given up is what the caller has to tell.
  }
}

class Gathering {
  readonly #request: GatherRequest;
  readonly #deps: GatherDeps;
  readonly #statuses: ReadonlyMap<string, Etsi014Status>;
  readonly #reserved: GatheredEntry[] = [];

  constructor(request: GatherRequest, deps: GatherDeps, statuses: ReadonlyMap<string, Etsi014Status>) {
    this.#request = request;
    this.#deps = deps;
    this.#statuses = statuses;
  }

  async all(plans: readonly EnvelopePlan[]): Promise<readonly GatheredEnvelope[]> {
    const envelopes: GatheredEnvelope[] = [];
    for (const plan of plans) {
      const entries: GatheredEntry[] = [];
      for (const entry of plan.entries) entries.push(await this.#entry(plan, entry));
      envelopes.push({ peers: plan.peers, entries });
    }
    return envelopes;
  }

  abandon(): void {
    abandonKeys(this.#request.accountId, this.#reserved, this.#deps.ledger);
  }

  async #entry(plan: EnvelopePlan, entry: KeyingEntry): Promise<GatheredEntry> {
    const { accountId, level, plaintextLength, signal } = this.#request;
    const { bits } = this.#deps.cipher.needOf(level, entry.how, plaintextLength);
    const [first, ...others] = entry.members.map((index) => plan.peers[index]!.saeId) as [string, ...string[]];
    const delivered: DeliveredKey[] = [];
    const ask = async (client: KmeClient): Promise<void> => {
      for (const { number, size } of planKeys(bits, this.#statuses.get(first) ?? {})) {
        const keys = await client.getKeys(first, { number, size, ...(others.length > 0 && { additionalSlaveSaeIds: others }) }, signal);
        delivered.push(...keys);
        // Reserved before anything is done with them, so that a crash from here on leaves a trace of every key.
        this.#deps.ledger.reserve({ accountId, peerSaeIds: [first, ...others], keys });
      }
    };
    try {
      await this.#deps.links.exchange(accountId, ask);
      const serves = entry.members.length === plan.peers.length && entry.how === 'direct' ? {} : { to: entry.members };
      const gathered = {
        keyIds: delivered.map((key) => key.keyId),
        bytes: Buffer.concat(delivered.map((key) => key.bytes)),
        how: entry.how,
        ...serves,
      };
      this.#reserved.push(gathered);
      return gathered;
    } catch (error) {
      abandonKeys(
        accountId,
        delivered.map(({ keyId, bytes }) => ({ keyIds: [keyId], bytes })),
        this.#deps.ledger,
      );
      throw error;
    } finally {
      for (const key of delivered) wipe(key.bytes);
    }
  }
}
