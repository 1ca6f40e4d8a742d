import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { QuMailError, type ErrorCode } from '../../../src/core/base/errors.ts';
import { idsOf, newKeys, startLedgerWorld, statesOf, type LedgerWorld } from './ledgerWorld.ts';

const DAY = 86_400_000;
const me = 'account-1';
const peer = 'SAE-BOB';
const throwsCode = (run: () => unknown, code: ErrorCode): void => assert.throws(run, (e) => QuMailError.is(e, code));

describe('the key ledger', () => {
  let world: LedgerWorld;
  beforeEach(() => (world = startLedgerWorld()));
  afterEach(() => world.dispose());

  const reserve = (keys = newKeys(2), accountId = me) => {
    world.ledger.reserve({ accountId, peerSaeIds: [peer], keys });
    return keys;
  };
  const fetched = (keys = newKeys(2), envelopeId = randomUUID()) => {
    world.ledger.recordFetched({ accountId: me, peerSaeId: peer, envelopeId, keys });
    return keys;
  };
  const consume = (keys: ReturnType<typeof newKeys>, envelopeId: string, payload: Buffer): void =>
    world.ledger.consume({ accountId: me, peerSaeId: peer, keyIds: idsOf(keys), envelopeId, payloadSha256: payload });
  const held = (keys: ReturnType<typeof newKeys>) => world.ledger.heldKeys({ accountId: me, peerSaeId: peer, keyIds: idsOf(keys) });
  const mime = { messageId: '<1@qumail>', mimeSha256: randomBytes(32) };

  describe('sending', () => {
    it('a key goes from reserved to used, and its bytes are gone then', () => {
      const keys = reserve();
      assert.deepEqual(statesOf(world.ledger, me, keys), ['RESERVED', 'RESERVED']);
      world.ledger.markUsed({ accountId: me, keyIds: idsOf(keys), ...mime });
      assert.deepEqual(statesOf(world.ledger, me, keys), ['USED', 'USED']);
      assert.deepEqual(world.ledger.sealedRecords(), []);
    });

    it('a key is used once: marking it again, or one that was never reserved, is key.not-held and changes nothing', () => {
      const keys = reserve();
      world.ledger.markUsed({ accountId: me, keyIds: [keys[0]!.keyId], ...mime });
      throwsCode(() => world.ledger.markUsed({ accountId: me, keyIds: idsOf(keys).reverse(), ...mime }), 'key.not-held');
      throwsCode(() => world.ledger.markUsed({ accountId: me, keyIds: ['never-seen'], ...mime }), 'key.not-held');
      assert.deepEqual(statesOf(world.ledger, me, keys), ['USED', 'RESERVED']);
    });

    it('a key delivered again is refused under its ID, and under another ID by its bytes, whatever became of it', () => {
      const keys = reserve(newKeys(3));
      world.ledger.markUsed({ accountId: me, keyIds: [keys[0]!.keyId], ...mime });
      world.ledger.abandon({ accountId: me, keyIds: [keys[1]!.keyId] });
      for (const key of keys) {
        throwsCode(() => reserve([{ keyId: key.keyId, bytes: randomBytes(32) }]), 'key.reused');
        throwsCode(() => reserve([{ keyId: randomUUID(), bytes: key.bytes }]), 'key.reused');
        throwsCode(() => fetched([{ keyId: randomUUID(), bytes: key.bytes }]), 'key.reused');
      }
    });

    it('all keys of a step are taken or none', () => {
      const [old] = reserve(newKeys(1));
      const fresh = newKeys(2);
      throwsCode(() => reserve([fresh[0]!, old!, fresh[1]!]), 'key.reused');
      assert.deepEqual(statesOf(world.ledger, me, fresh), [undefined, undefined]);
      throwsCode(() => reserve([fresh[0]!, { keyId: randomUUID(), bytes: fresh[0]!.bytes }]), 'key.reused');
      reserve(fresh);
    });

    it('abandoning touches reserved keys only', () => {
      const keys = reserve();
      world.ledger.markUsed({ accountId: me, keyIds: [keys[0]!.keyId], ...mime });
      world.ledger.abandon({ accountId: me, keyIds: [...idsOf(keys), 'never-seen'] });
      assert.deepEqual(statesOf(world.ledger, me, keys), ['USED', 'ABANDONED']);
    });

    it('what a crash left reserved is abandoned once it is old enough, and erased', () => {
      const old = reserve();
      world.time.now += 60_000;
      const young = reserve();
      assert.equal(world.ledger.abandonStale(world.time.now), 2);
      assert.deepEqual(statesOf(world.ledger, me, [...old, ...young]), ['ABANDONED', 'ABANDONED', 'RESERVED', 'RESERVED']);
      assert.equal(world.ledger.sealedRecords().length, 2);
    });

    it('accounts do not see each other: the two of a lab may hold the same key', () => {
      const keys = reserve();
      world.ledger.recordFetched({ accountId: 'account-2', peerSaeId: 'SAE-ALICE', envelopeId: 'e', keys });
      assert.deepEqual(world.ledger.heldKeys({ accountId: 'account-2', peerSaeId: 'SAE-ALICE', keyIds: idsOf(keys) }), keys);
      assert.equal(held(keys), undefined);
    });
  });

  describe('receiving', () => {
    it('a fetched key is held until it is consumed, and survives a failed verification', () => {
      const keys = fetched();
      for (let attempt = 0; attempt < 3; attempt++) assert.deepEqual(held(keys), keys);
      consume(keys, 'e1', randomBytes(32));
      assert.equal(held(keys), undefined);
      assert.deepEqual(statesOf(world.ledger, me, keys), ['CONSUMED', 'CONSUMED']);
      assert.deepEqual(world.ledger.sealedRecords(), []);
    });

    it('held keys are given all or not at all, and only for the peer they came from', () => {
      const keys = fetched();
      assert.equal(held([...keys, ...newKeys(1)]), undefined);
      assert.equal(world.ledger.heldKeys({ accountId: me, peerSaeId: 'SAE-MALLORY', keyIds: idsOf(keys) }), undefined);
      assert.equal(held([]), undefined);
      assert.equal(held([keys[0]!, keys[0]!]), undefined, 'a key named twice');
      const more = newKeys(1);
      assert.deepEqual(world.ledger.notHeld({ accountId: me, peerSaeId: peer, keyIds: idsOf([...keys, ...more]) }), idsOf(more));
    });

    it('reserved keys are never given out for opening', () => {
      assert.equal(held(reserve()), undefined);
    });

    it('a held key is tried 1,024 times, then it is expired and erased', () => {
      const keys = fetched(newKeys(1));
      for (let attempt = 0; attempt < 3; attempt++) assert.notEqual(held(keys), undefined);
      assert.equal(world.db.prepare('SELECT attempts FROM ledger_keys').get()!['attempts'], 3);
      world.db.exec('UPDATE ledger_keys SET attempts = 1023');
      assert.notEqual(held(keys), undefined);
      assert.equal(held(keys), undefined);
      assert.deepEqual(statesOf(world.ledger, me, keys), ['EXPIRED']);
      assert.deepEqual(world.ledger.sealedRecords(), []);
    });

    it('a held key is kept for 30 days, then it is expired and erased', () => {
      const old = fetched(newKeys(1));
      world.time.now += 30 * DAY;
      assert.equal(world.ledger.expire(), 0);
      assert.notEqual(held(old), undefined);
      const young = fetched(newKeys(1));
      world.time.now += 1;
      assert.equal(world.ledger.expire(), 1);
      assert.deepEqual(statesOf(world.ledger, me, [...old, ...young]), ['EXPIRED', 'FETCHED']);
      throwsCode(() => fetched(old), 'key.reused');
    });

    it('a key is consumed once', () => {
      const keys = fetched();
      consume(keys, 'e1', randomBytes(32));
      throwsCode(() => consume(keys, 'e2', randomBytes(32)), 'key.reused');
      throwsCode(() => consume(newKeys(1), 'e3', randomBytes(32)), 'key.not-held');
      throwsCode(() => consume(fetched(), 'e1', randomBytes(32)), 'key.reused');
    });

    it('one key of another peer among them keeps all from being consumed', () => {
      const keys = fetched();
      const foreign = newKeys(1);
      world.ledger.recordFetched({ accountId: me, peerSaeId: 'SAE-CAROL', envelopeId: 'e', keys: foreign });
      throwsCode(() => consume([...keys, ...foreign], 'e1', randomBytes(32)), 'key.not-held');
      assert.deepEqual(statesOf(world.ledger, me, keys), ['FETCHED', 'FETCHED']);
    });

    it('tells new from duplicate from replay', () => {
      const keys = fetched();
      const payload = randomBytes(32);
      const seen = (envelopeId: string, payloadSha256: Buffer, ids = idsOf(keys)) =>
        world.ledger.seen({ accountId: me, envelopeId, payloadSha256, keyIds: ids });
      assert.equal(seen('e1', payload), 'new');
      consume(keys, 'e1', payload);
      assert.equal(seen('e1', payload), 'duplicate');
      assert.equal(seen('e1', randomBytes(32)), 'replay', 'same id, another hash');
      assert.equal(seen('e2', randomBytes(32)), 'replay', 'same keys under another id');
      assert.equal(seen('e2', randomBytes(32), [...idsOf(newKeys(1)), keys[1]!.keyId]), 'replay', 'one of the keys');
      assert.equal(seen('e2', randomBytes(32), idsOf(newKeys(1))), 'new');
      assert.equal(seen('e1', randomBytes(32), []), 'replay', 'an envelope without keys');
    });

    it('keys that are fetched but not consumed make no replay, keys this account sent under do', () => {
      const kept = fetched();
      const sent = reserve();
      const seen = (ids: string[]) => world.ledger.seen({ accountId: me, envelopeId: 'e9', payloadSha256: randomBytes(32), keyIds: ids });
      assert.equal(seen(idsOf(kept)), 'new');
      assert.equal(seen(idsOf(sent)), 'replay');
    });
  });

  describe('transactions', () => {
    it("the caller's own rows and the ledger's become durable together or not at all", () => {
      world.db.exec('CREATE TABLE outbox (id INTEGER PRIMARY KEY, mime BLOB) STRICT');
      const keys = reserve();
      const step = (fate: 'fails' | 'works') =>
        world.ledger.transaction(() => {
          world.db.prepare('INSERT INTO outbox (mime) VALUES (?)').run(randomBytes(4));
          world.ledger.markUsed({ accountId: me, keyIds: idsOf(keys), ...mime });
          if (fate === 'fails') throw new Error('on purpose');
        });
      assert.throws(() => step('fails'), /on purpose/);
      assert.deepEqual(
        [world.db.prepare('SELECT count(*) AS n FROM outbox').get()!['n'], ...statesOf(world.ledger, me, keys)],
        [0, 'RESERVED', 'RESERVED'],
      );
      step('works');
      assert.deepEqual(
        [world.again().db.prepare('SELECT count(*) AS n FROM outbox').get()!['n'], ...statesOf(world.ledger, me, keys)],
        [1, 'USED', 'USED'],
      );
    });

    it('a step that fails inside a larger one leaves nothing behind, though the larger one goes on', () => {
      const [used] = reserve(newKeys(1));
      world.ledger.markUsed({ accountId: me, keyIds: [used!.keyId], ...mime });
      const fresh = newKeys(2);
      const other = newKeys(1);
      world.db.exec('BEGIN IMMEDIATE'); // another room's transaction, which the ledger joins
      throwsCode(() => reserve([...fresh, used!]), 'key.reused');
      reserve(other);
      world.db.exec('COMMIT');
      assert.deepEqual(statesOf(world.again().ledger, me, [...fresh, ...other]), [undefined, undefined, 'RESERVED']);
    });

    it('a database that stays locked is store.locked, and nothing has happened', () => {
      const other = world.again();
      world.db.exec('PRAGMA busy_timeout = 20');
      other.db.exec('BEGIN IMMEDIATE');
      const keys = newKeys(1);
      throwsCode(() => reserve(keys), 'store.locked');
      other.db.exec('ROLLBACK');
      reserve(keys);
    });

    it('a full disk is store.full, and nothing has happened', () => {
      const pages = Number(world.db.prepare('PRAGMA page_count').get()!['page_count']);
      world.db.exec(`PRAGMA max_page_count = ${pages + 2}`);
      const keys = newKeys(200);
      throwsCode(() => reserve(keys), 'store.full');
      assert.equal(world.db.isTransaction, false);
      assert.deepEqual(new Set(statesOf(world.ledger, me, keys)), new Set([undefined]));
    });
  });

  describe('what is on the disk', () => {
    it('neither a key nor a bare hash of one, at any state', () => {
      const keys = [...reserve(newKeys(3, 48)), ...fetched(newKeys(3, 48))];
      world.ledger.markUsed({ accountId: me, keyIds: [keys[0]!.keyId], ...mime });
      world.ledger.abandon({ accountId: me, keyIds: [keys[1]!.keyId] });
      consume([keys[3]!], 'e1', randomBytes(32));
      held([keys[4]!]);
      const raw = world.raw();
      assert.ok(raw.includes(keys[0]!.keyId), 'the search looks at the right bytes');
      for (const { bytes } of keys) {
        for (const form of [bytes, bytes.subarray(0, 16), bytes.toString('base64'), bytes.toString('hex')])
          assert.equal(raw.includes(form), false);
        for (const algorithm of ['sha1', 'sha256', 'sha512'])
          assert.equal(raw.includes(createHash(algorithm).update(bytes).digest().subarray(0, 16)), false);
        assert.equal(raw.includes(createHmac('sha256', '').update(bytes).digest().subarray(0, 16)), false);
      }
    });

    it('a sealed key moved to another row does not open', () => {
      const [a, b] = fetched();
      world.db
        .prepare('UPDATE ledger_keys SET sealed = (SELECT sealed FROM ledger_keys WHERE key_id = ?) WHERE key_id = ?')
        .run(a!.keyId, b!.keyId);
      throwsCode(() => held([b!]), 'store.corrupt');
      throwsCode(() => held([a!, b!]), 'store.corrupt');
      assert.deepEqual(held([a!]), [a]);
    });

    it('erasing an account leaves nothing of it', () => {
      const mine = [...reserve(), ...fetched()];
      const others = reserve(newKeys(1), 'account-2');
      world.ledger.eraseAccount(me);
      assert.deepEqual(new Set(statesOf(world.ledger, me, mine)), new Set([undefined]));
      assert.deepEqual(statesOf(world.ledger, 'account-2', others), ['RESERVED']);
      assert.equal(world.ledger.sealedRecords().length, 1);
    });
  });

  it('whatever the order of steps, no key is used twice and no key in a final state has bytes', () => {
    const step = fc.record({
      act: fc.constantFrom('reserve', 'use', 'abandon', 'stale', 'fetch', 'held', 'consume', 'expire'),
      key: fc.nat(3),
      hours: fc.nat(400),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const accountId = randomUUID();
        const keys = newKeys(4);
        const uses = new Map<string, number>();
        const hash = randomBytes(32);
        for (const { act, key: index, hours } of steps) {
          const key = keys[index]!;
          world.time.now += hours * 3_600_000;
          try {
            if (act === 'reserve') world.ledger.reserve({ accountId, peerSaeIds: [peer], keys: [key] });
            else if (act === 'use') world.ledger.markUsed({ accountId, keyIds: [key.keyId], ...mime });
            else if (act === 'abandon') world.ledger.abandon({ accountId, keyIds: [key.keyId] });
            else if (act === 'stale') world.ledger.abandonStale(world.time.now - DAY);
            else if (act === 'fetch') world.ledger.recordFetched({ accountId, peerSaeId: peer, envelopeId: 'e', keys: [key] });
            else if (act === 'held') world.ledger.heldKeys({ accountId, peerSaeId: peer, keyIds: [key.keyId] });
            else if (act === 'consume')
              world.ledger.consume({ accountId, peerSaeId: peer, keyIds: [key.keyId], envelopeId: randomUUID(), payloadSha256: hash });
            else world.ledger.expire();
            if (act === 'use' || act === 'consume') uses.set(key.keyId, (uses.get(key.keyId) ?? 0) + 1);
          } catch (error) {
            assert.ok(QuMailError.is(error, 'key.reused') || QuMailError.is(error, 'key.not-held'), String(error));
          }
        }
        for (const used of uses.values()) assert.equal(used, 1);
        const wrong = world.db
          .prepare("SELECT count(*) AS n FROM ledger_keys WHERE (sealed IS NOT NULL) <> (state IN ('RESERVED','FETCHED'))")
          .get()!['n'];
        assert.equal(wrong, 0);
      }),
      { numRuns: 25 },
    );
  }).timeout(30_000);
});
