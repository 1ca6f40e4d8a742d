import { wipe } from '../base/bytes.ts';
import { inParallel } from '../base/inParallel.ts';
import { QuMailError } from '../base/errors.ts';
import type { CipherManager } from '../crypto/cipherManager.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import { wipeKeys } from '../keys/undelivered.ts';
import { planKeying, type EnvelopePlan, type KeyingEntry, type KeyingPeer } from './keyingPlan.ts';
import { sharersOf, type KeySource } from './keySource.ts';

/** Questions to key managers at the same time: as many as a client has sockets. */
const AT_ONCE = 4;

/** One `keys` entry with its key bytes in hand. Whoever holds it wipes `bytes`. */
export interface GatheredEntry {
  readonly keyIds: readonly string[];
  readonly bytes: Buffer;
  /** Positions in the envelope's `to`; absent where the entry serves everyone. */
  readonly to?: readonly number[];
  readonly how: 'direct' | 'wrapped';
}

/** A recipient, and where the keys shared with it come from. */
export interface GatherPeer extends KeyingPeer {
  readonly source: KeySource;
}

export interface GatheredEnvelope {
  readonly peers: readonly GatherPeer[];
  readonly entries: readonly GatheredEntry[];
}

export interface GatherDeps {
  readonly ledger: KeyLedger;
  readonly cipher: CipherManager;
}

export interface GatherRequest {
  readonly accountId: string;
  readonly level: 'L1' | 'L2';
  readonly recipients: readonly { address: string; source: KeySource }[];
  /** Octets of the inner message before padding. */
  readonly plaintextLength: number;
  readonly signal?: AbortSignal;
}

/**
 * Takes the keys that one message to `recipients` needs from their sources, each RESERVED in the ledger before it is returned. What was
 * reserved when a later key could not be had is abandoned: keys are never carried over.
 *
 * @throws QuMailError `kme.*` as the key manager answered, `pad.*`; `key.reused` when a key was delivered again
 */
export async function gatherKeys(request: GatherRequest, deps: GatherDeps): Promise<readonly GatheredEnvelope[]> {
  const peers = await inParallel(request.recipients, AT_ONCE, async ({ address, source }): Promise<GatherPeer> => {
    return { address, source, peerId: source.peerId, maxSaeIdCount: await sharersOf(source, request.signal) };
  });
  const gather = new Gathering(request, deps);
  try {
    return await gather.all(planKeying(request.level, peers, 'where-offered'));
  } catch (error) {
    gather.abandon();
    const multicastRefused = peers.length > 1 && QuMailError.is(error, 'kme.bad-request');
    if (!multicastRefused) throw error;
  }
  // A key manager that announces multicast and refuses it still serves pairs.
  const pairwise = new Gathering(request, deps);
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
  readonly #reserved: GatheredEntry[] = [];

  constructor(request: GatherRequest, deps: GatherDeps) {
    this.#request = request;
    this.#deps = deps;
  }

  async all(plans: readonly EnvelopePlan<GatherPeer>[]): Promise<readonly GatheredEnvelope[]> {
    const envelopes: GatheredEnvelope[] = [];
    for (const plan of plans) {
      // All that had begun is over when one has failed, so that everything reserved is known and can be abandoned.
      const entries = await inParallel(plan.entries, AT_ONCE, (entry) => this.#entry(plan, entry));
      envelopes.push({ peers: plan.peers, entries });
    }
    return envelopes;
  }

  abandon(): void {
    abandonKeys(this.#request.accountId, this.#reserved, this.#deps.ledger);
  }

  async #entry(plan: EnvelopePlan<GatherPeer>, entry: KeyingEntry): Promise<GatheredEntry> {
    const { level, plaintextLength, signal } = this.#request;
    const { bits } = this.#deps.cipher.needOf(level, entry.how, plaintextLength);
    const [first, ...others] = entry.members.map((index) => plan.peers[index]!);
    const keys = await first!.source.take({ bits, others: others.map(({ peerId }) => peerId), signal });
    try {
      const serves = entry.members.length === plan.peers.length && entry.how === 'direct' ? {} : { to: entry.members };
      const gathered = {
        keyIds: keys.map((key) => key.keyId),
        bytes: Buffer.concat(keys.map((key) => key.bytes)),
        how: entry.how,
        ...serves,
      };
      this.#reserved.push(gathered);
      return gathered;
    } finally {
      wipeKeys(keys);
    }
  }
}
