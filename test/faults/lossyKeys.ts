import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { QuMailError } from '../../src/core/base/errors.ts';
import { Log } from '../../src/core/base/log.ts';
import type { KeyAudit } from '../../src/core/keys/audit.ts';
import type { KeyLedger } from '../../src/core/keys/keyLedger.ts';
import { KmeSource } from '../../src/core/account/kmeSource.ts';
import { BelievedSharers } from '../../src/core/account/believedSharers.ts';
import { KeyPools } from '../../src/core/account/keyPools.ts';
import { systemRandom } from '../../src/core/base/systemPorts.ts';
import { KmeClient } from '../../src/core/keys/kmeClient.ts';
import { ALICE, BOB, impatientClock, startKmeWorld } from '../world/kmeWorld.ts';
import { Dice } from './seeded.ts';

/** One side: a ledger and an audit log over a database of its own. */
export interface LossySide {
  readonly accountId: string;
  readonly ledger: KeyLedger;
  readonly audit: KeyAudit;
}

export interface LossyResult {
  readonly messages: number;
  readonly delivered: number;
  /** Sends that were tried again because an answer was lost. */
  readonly sentAgain: number;
  /** Messages whose keys were lost on the way to the reader: to be sealed again by the sender. */
  readonly sealedAgain: number;
  readonly keysMade: number;
  readonly keysUsed: number;
  /** Keys that left a key manager and never came, as the audit logs count them. */
  readonly unaccounted: number;
}

/**
 * `messages` messages from Alice to Bob through key managers that lose one answer in twenty after the keys are gone. Each is sealed with one
 * key, which is USED at once and CONSUMED by the reader; whatever is lost is named, and done again with other keys.
 */
export async function runLossyKeys(
  o: { messages: number; seed: number; lossRate: number },
  alice: LossySide,
  bob: LossySide,
): Promise<LossyResult> {
  const dice = new Dice(o.seed);
  const world = await startKmeWorld({ random: { fraction: () => dice.next() }, stock: 1_000_000 });
  const clock = impatientClock();
  const owner = async (side: LossySide, own: string, peer: string): Promise<KmeSource> => {
    const deps = { clock, random: systemRandom, log: new Log(() => {}, 'kme'), audit: side.audit };
    const client = new KmeClient(await world.profile(own), deps);
    const pools = new KeyPools({ ledger: side.ledger, clock, exchange: (_id, run) => run(client, own) });
    const { accountId, ledger } = side;
    return new KmeSource({
      accountId,
      peerSaeId: peer,
      ownSaeId: own,
      ledger,
      pools,
      believed: new BelievedSharers(clock),
      clock,
      prefetch: 'off',
      exchange: (run) => run(client),
    });
  };
  try {
    const [writing, reading] = [await owner(alice, ALICE, BOB), await owner(bob, BOB, ALICE)];
    for (const kme of ['KME-A', 'KME-B']) world.pair.faults(kme).lossRate = o.lossRate;
    const used = new Map<string, string>();
    let [delivered, sentAgain, sealedAgain] = [0, 0, 0];
    for (let n = 0; n < o.messages;) {
      const messageId = `<${n}.${sealedAgain}@lossy.test>`;
      const keys = await writing
        .take({ bits: 256, others: [] })
        .catch((error: unknown) => lost(error, ['kme.unreachable', 'kme.unavailable']));
      if (keys === undefined) {
        sentAgain += 1;
        continue;
      }
      const keyIds = keys.map(({ keyId }) => keyId);
      const sha256 = createHash('sha256').update(messageId).digest();
      alice.ledger.markUsed({ accountId: alice.accountId, keyIds, messageId, mimeSha256: sha256 });
      for (const { bytes } of keys) {
        const digest = createHash('sha256').update(bytes).digest('hex');
        assert.ok(!used.has(digest), `seed ${o.seed}: a key of ${messageId} had been used for ${used.get(digest)}`);
        used.set(digest, messageId);
      }
      const envelopeId = String(n).padStart(22, '0') + sealedAgain;
      const codes = ['kme.key-may-be-lost', 'kme.key-not-found', 'kme.unreachable', 'kme.unavailable'];
      const fetched = await reading.fetch({ keyIds, envelopeId }).then(
        () => 'fetched',
        (error: unknown) => lost(error, codes),
      );
      if (fetched === undefined) {
        sealedAgain += 1;
        continue;
      }
      const held = bob.ledger.heldKeys({ accountId: bob.accountId, peerSaeId: ALICE, keyIds });
      assert.deepEqual(held, keys);
      bob.ledger.consume({ accountId: bob.accountId, peerSaeId: ALICE, keyIds, envelopeId, payloadSha256: sha256 });
      delivered += 1;
      n += 1;
    }
    const made = world.pair.deliveries.filter(({ verb }) => verb === 'enc_keys');
    const unaccounted = alice.audit
      .rows(0, 1_000_000)
      .filter(({ status, bits, method }) => method === 'enc_keys' && status === 0 && bits > 0).length;
    // Every key that a key manager made was used for one message, or is counted as lost. None is neither, none is both.
    assert.equal(made.length, used.size + unaccounted, `seed ${o.seed}`);
    return { messages: o.messages, delivered, sentAgain, sealedAgain, keysMade: made.length, keysUsed: used.size, unaccounted };
  } finally {
    world.dispose();
  }
}

function lost(error: unknown, codes: readonly string[]): undefined {
  if (QuMailError.is(error) && codes.includes(error.code)) return undefined;
  throw error;
}
