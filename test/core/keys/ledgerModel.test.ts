import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import type { KeyLedger, KeyState } from '../../../src/core/keys/keyLedger.ts';
import { startLedgerWorld, type LedgerWorld } from './ledgerWorld.ts';

const PEERS = ['SAE-BOB', 'SAE-MALLORY'] as const;
const DAY = 86_400_000;
const HASH = createHash('sha256').update('a message').digest();

interface ModelKey {
  readonly role: 'SENDER' | 'RECEIVER';
  state: KeyState;
  readonly peer: string;
  readonly at: number;
  attempts: number;
}

/** PROTOCOL 7 as one map and one set: what the ledger must do, without transactions, files or seals. */
class Model {
  readonly keys = new Map<number, ModelKey>();
  readonly envelopes = new Set<number>();
  readonly uses = new Map<number, number>();

  insert(role: ModelKey['role'], ids: readonly number[], peer: string, now: number): string {
    if (ids.some((id, i) => this.keys.has(id) || ids.indexOf(id) !== i)) return 'key.reused';
    for (const id of ids) this.keys.set(id, { role, state: role === 'SENDER' ? 'RESERVED' : 'FETCHED', peer, at: now, attempts: 0 });
    return 'done';
  }

  use(ids: readonly number[]): string {
    if (new Set(ids).size < ids.length || ids.some((id) => this.keys.get(id)?.state !== 'RESERVED')) return 'key.not-held';
    for (const id of ids) this.#spend(id, 'USED');
    return 'done';
  }

  abandon(ids: readonly number[]): string {
    for (const id of ids) if (this.keys.get(id)?.state === 'RESERVED') this.keys.get(id)!.state = 'ABANDONED';
    return 'done';
  }

  held(ids: readonly number[], peer: string, now: number): string {
    for (const id of ids) {
      const key = this.keys.get(id);
      if (key?.state === 'FETCHED' && key.peer === peer && (key.attempts >= 1024 || key.at < now - 30 * DAY)) key.state = 'EXPIRED';
    }
    const all = ids.map((id) => this.keys.get(id));
    if (ids.length === 0 || new Set(ids).size < ids.length || all.some((key) => key?.state !== 'FETCHED' || key.peer !== peer))
      return 'none';
    for (const key of all) key!.attempts += 1;
    return 'keys';
  }

  consume(ids: readonly number[], peer: string, envelope: number): string {
    if (this.envelopes.has(envelope)) return 'key.reused';
    const seen = new Set<number>();
    for (const id of ids) {
      const key = this.keys.get(id);
      if (key?.state === 'CONSUMED' || seen.has(id)) return 'key.reused';
      if (key?.state !== 'FETCHED' || key.peer !== peer) return 'key.not-held';
      seen.add(id);
    }
    for (const id of ids) this.#spend(id, 'CONSUMED');
    this.envelopes.add(envelope);
    return 'done';
  }

  expire(now: number): string {
    for (const key of this.keys.values())
      if (key.state === 'FETCHED' && (key.attempts >= 1024 || key.at < now - 30 * DAY)) key.state = 'EXPIRED';
    return 'done';
  }

  #spend(id: number, state: KeyState): void {
    this.keys.get(id)!.state = state;
    this.uses.set(id, (this.uses.get(id) ?? 0) + 1);
  }
}

const ids = fc.array(fc.nat(7), { minLength: 1, maxLength: 3 });
const step = fc.record({
  window: fc.nat(1),
  act: fc.constantFrom('reserve', 'use', 'abandon', 'fetch', 'fetch', 'held', 'consume', 'consume', 'expire', 'tire'),
  ids,
  peer: fc.constantFrom(...PEERS),
  envelope: fc.nat(5),
  hours: fc.nat(200),
});

describe('the key ledger beside a simple model', function () {
  this.timeout(30_000);
  let world: LedgerWorld;
  let windows: readonly KeyLedger[];
  before(() => {
    world = startLedgerWorld();
    windows = [world.ledger, world.again().ledger];
  });
  after(() => world.dispose());

  it('does what the model does, with two windows in turn over one file, and spends no key twice', () => {
    let steps = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (plan) => {
        const accountId = randomUUID();
        const keys = Array.from({ length: 8 }, () => ({ keyId: randomUUID(), bytes: randomBytes(32) }));
        const model = new Model();
        for (const { window, act, ids: chosen, peer, envelope, hours } of plan) {
          steps += 1;
          world.time.now += hours * 3_600_000;
          const ledger = windows[window]!;
          const keyIds = chosen.map((id) => keys[id]!.keyId);
          const delivered = chosen.map((id) => keys[id]!);
          const outcome = attempt(() => {
            if (act === 'reserve') ledger.reserve({ accountId, peerSaeIds: [peer], keys: delivered });
            else if (act === 'use') ledger.markUsed({ accountId, keyIds, messageId: '<m@x>', mimeSha256: HASH });
            else if (act === 'abandon') ledger.abandon({ accountId, keyIds });
            else if (act === 'fetch') ledger.recordFetched({ accountId, peerSaeId: peer, envelopeId: String(envelope), keys: delivered });
            else if (act === 'held') {
              const found = ledger.heldKeys({ accountId, peerSaeId: peer, keyIds });
              if (found) assert.deepEqual(found, delivered);
              return found ? 'keys' : 'none';
            } else if (act === 'consume')
              ledger.consume({ accountId, peerSaeId: peer, keyIds, envelopeId: String(envelope), payloadSha256: HASH });
            else if (act === 'expire') ledger.expire();
            else world.db.prepare('UPDATE ledger_keys SET attempts = 1024 WHERE account_id = ? AND key_id = ?').run(accountId, keyIds[0]!);
            return 'done';
          });
          const now = world.time.now;
          const expected = {
            reserve: () => model.insert('SENDER', chosen, peer, now),
            use: () => model.use(chosen),
            abandon: () => model.abandon(chosen),
            fetch: () => model.insert('RECEIVER', chosen, peer, now),
            held: () => model.held(chosen, peer, now),
            consume: () => model.consume(chosen, peer, envelope),
            expire: () => model.expire(now),
            tire: () => {
              const key = model.keys.get(chosen[0]!);
              if (key) key.attempts = 1024;
              return 'done';
            },
          }[act]();
          assert.equal(outcome, expected, act);
          keys.forEach(({ keyId }, id) => assert.equal(windows[1 - window]!.stateOf(accountId, keyId), model.keys.get(id)?.state, act));
        }
        for (const uses of model.uses.values()) assert.equal(uses, 1);
        const waiting = world.db
          .prepare('SELECT count(*) AS n FROM ledger_keys WHERE account_id = ? AND sealed IS NOT NULL')
          .get(accountId)!['n'];
        assert.equal(waiting, [...model.keys.values()].filter(({ state }) => state === 'RESERVED' || state === 'FETCHED').length);
      }),
      { numRuns: 60 },
    );
    assert.ok(steps > 500);
  });
});

function attempt(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (QuMailError.is(error)) return error.code;
    throw error;
  }
}
