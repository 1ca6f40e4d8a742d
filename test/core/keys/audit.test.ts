import assert from 'node:assert/strict';
import { KeyAudit, type AuditEntry } from '../../../src/core/keys/audit.ts';
import { ALICE, BOB, startKmeWorld, type KmeWorld } from '../../world/kmeWorld.ts';
import { startLedgerWorld, type LedgerWorld } from './ledgerWorld.ts';

const entry = (keyId: string): AuditEntry => ({
  at: 1,
  ownSaeId: ALICE,
  peerSaeId: BOB,
  method: 'enc_keys',
  keyId,
  bits: 256,
  status: 200,
  latencyMs: 3,
  outcome: 'delivered',
});

describe('the key audit', () => {
  let store: LedgerWorld;
  let audit: KeyAudit;
  beforeEach(() => {
    store = startLedgerWorld();
    audit = new KeyAudit({ db: store.db, sealer: store.sealer });
  });
  afterEach(() => store.dispose());

  it('gives back what was written, in pages, and its chain holds', () => {
    audit.append(entry('a'), entry('b'));
    audit.append(entry('c'));
    const rows = audit.rows();
    assert.deepEqual(
      rows.map(({ id: _id, hash: _hash, ...rest }) => rest),
      [entry('a'), entry('b'), entry('c')],
    );
    assert.deepEqual(
      audit.rows(rows[0]!.id, 1).map((row) => row.keyId),
      ['b'],
    );
    assert.equal(audit.head(), rows[2]!.hash);
    assert.deepEqual(audit.verify(), { entries: 3, intact: true });
  });

  it('a row changed, removed, or slipped in shows', () => {
    const spoil = (sql: string, brokenAt: number): void => {
      store.db.exec('BEGIN');
      store.db.exec(sql);
      assert.deepEqual(audit.verify(), { entries: 1, intact: false, brokenAt });
      store.db.exec('ROLLBACK');
    };
    audit.append(entry('a'), entry('b'), entry('c'));
    for (const change of [
      "key_id = 'x'",
      'bits = 8',
      'at = 2',
      "outcome = ''",
      'status = 0',
      'latency_ms = 0',
      "peer_sae_id = 'M'",
      "method = 'dec_keys'",
    ]) {
      spoil(`UPDATE key_audit SET ${change} WHERE id = 2`, 2);
    }
    spoil('DELETE FROM key_audit WHERE id = 2', 3);
    spoil('UPDATE key_audit SET id = 9 WHERE id = 2', 3);
  });

  it('stays one chain when several connections write to it', () => {
    const other = new KeyAudit({ db: store.again().db, sealer: store.sealer });
    for (let i = 0; i < 10; i++) (i % 2 === 0 ? audit : other).append(entry(String(i)));
    assert.deepEqual(other.verify(), { entries: 10, intact: true });
  });

  describe('of a client', () => {
    let world: KmeWorld;
    afterEach(() => world.dispose());

    it('names every delivered key, every refusal and every answer that was lost, and never holds a key', async () => {
      world = await startKmeWorld();
      const alice = await world.client(ALICE, { audit });
      const keys = await alice.getKeys(BOB, { number: 2, size: 256 });
      world.pair.faults('KME-A').dropAfterCommit = 1;
      await assert.rejects(alice.getKeys(BOB, { number: 3, size: 256 }));
      world.pair.setStock('KME-A', 'KME-B', 0);
      await assert.rejects(alice.getKeys(BOB, { number: 1, size: 256 }));
      await alice.getStatus(BOB);
      assert.deepEqual(
        audit.rows().map((row) => [row.ownSaeId, row.peerSaeId, row.method, row.keyId, row.bits, row.status, row.outcome]),
        [
          [ALICE, BOB, 'enc_keys', keys[0]!.keyId, 256, 200, 'delivered'],
          [ALICE, BOB, 'enc_keys', keys[1]!.keyId, 256, 200, 'delivered'],
          [ALICE, BOB, 'enc_keys', '', 768, 0, 'kme.unreachable'],
          [ALICE, BOB, 'enc_keys', '', 0, 503, 'kme.exhausted'],
        ],
      );
      assert.deepEqual(audit.verify(), { entries: 4, intact: true });
      for (const key of keys) assert.ok(!store.raw().includes(key.bytes) && !store.raw().includes(key.bytes.toString('base64')));
    });

    it('a store that cannot take the row costs no key', async () => {
      world = await startKmeWorld();
      const alice = await world.client(ALICE, { audit });
      store.db.exec('DROP TABLE key_audit');
      assert.equal((await alice.getKeys(BOB, { number: 1, size: 256 })).length, 1);
      assert.ok(world.logged.some((line) => line.level === 'error' && line.event === 'kme.audit'));
    });
  });
});
