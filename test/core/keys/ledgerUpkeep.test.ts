import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { abandonOfDead, rememberSpent, renewSeals } from '../../../src/core/keys/ledgerUpkeep.ts';
import { idsOf, newKeys, startLedgerWorld, statesOf, type LedgerWorld } from './ledgerWorld.ts';

const DAY = 86_400_000;
const me = 'account-1';
const peer = 'SAE-BOB';

describe('the upkeep of the key ledger', () => {
  let world: LedgerWorld;
  const deps = () => ({
    db: world.db,
    sealer: world.sealer,
    clock: { now: () => world.time.now, after: () => ({ dispose() {} }), sleep: async () => {} },
  });
  beforeEach(() => {
    world = startLedgerWorld();
  });
  afterEach(() => world.dispose());

  it('abandons what a process that died had reserved, at once, and nothing of those that live', () => {
    const [mine, theirs, olds] = [newKeys(1), newKeys(1), newKeys(1)];
    for (const keys of [mine, theirs, olds]) world.ledger.reserve({ accountId: me, peerSaeIds: [peer], keys });
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const owner = world.db.prepare('UPDATE ledger_keys SET owner_pid = ? WHERE key_id = ?');
    owner.run(pid, theirs[0]!.keyId);
    owner.run(null, olds[0]!.keyId);
    assert.equal(abandonOfDead(deps()), 1);
    assert.deepEqual(statesOf(world.ledger, me, [...mine, ...theirs, ...olds]), ['RESERVED', 'ABANDONED', 'RESERVED']);
    assert.equal(world.ledger.sealedRecords().length, 2);
    assert.equal(abandonOfDead(deps()), 0);
  });

  it('seals keys that wait anew each day, so that no epoch has to outlive its day for them', () => {
    const keys = newKeys(2);
    world.ledger.recordFetched({ accountId: me, peerSaeId: peer, envelopeId: 'e', keys });
    const before = world.ledger.sealedRecords().map((sealed) => Buffer.from(sealed));
    assert.equal(renewSeals(deps()), 0);
    world.time.now += DAY + 1;
    assert.equal(renewSeals(deps()), 2);
    for (const sealed of world.ledger.sealedRecords()) assert.ok(!before.some((old) => old.equals(sealed)));
    assert.equal(renewSeals(deps()), 0);
    assert.deepEqual(world.ledger.heldKeys({ accountId: me, peerSaeId: peer, keyIds: idsOf(keys) }), keys);
    // Renewing does not make them younger: 30 days from their delivery they are gone.
    for (let day = 0; day < 30; day++) {
      world.time.now += DAY;
      renewSeals(deps());
    }
    assert.equal(world.ledger.heldKeys({ accountId: me, peerSaeId: peer, keyIds: idsOf(keys) }), undefined);
    assert.deepEqual(statesOf(world.ledger, me, keys), ['EXPIRED', 'EXPIRED']);
  });

  it('gives up waiting keys that nobody can unseal any more', () => {
    const [reserved, fetched] = [newKeys(1), newKeys(1)];
    world.ledger.reserve({ accountId: me, peerSaeIds: [peer], keys: reserved });
    world.ledger.recordFetched({ accountId: me, peerSaeId: peer, envelopeId: 'e', keys: fetched });
    world.time.now += DAY + 1;
    const lost = {
      seal: world.sealer.seal.bind(world.sealer),
      open: () => {
        throw new QuMailError('store.secret-missing');
      },
    };
    assert.equal(renewSeals({ ...deps(), sealer: lost }), 0);
    assert.deepEqual(statesOf(world.ledger, me, [...reserved, ...fetched]), ['ABANDONED', 'EXPIRED']);
    assert.deepEqual(world.ledger.sealedRecords(), []);
  });

  it('remembers mail from a backup: its envelope is a duplicate, its keys are spent', () => {
    const payloadSha256 = randomBytes(32);
    const mail = { accountId: me, own: 'received' as const, envelopeId: 'e1', payloadSha256, keyIds: ['k1', 'k2'] };
    rememberSpent(mail, deps());
    rememberSpent(mail, deps());
    const seen = (envelopeId: string, hash: Buffer) =>
      world.ledger.seen({ accountId: me, envelopeId, payloadSha256: hash, keyIds: ['k2'] });
    assert.equal(seen('e1', payloadSha256), 'duplicate');
    assert.equal(seen('e1', randomBytes(32)), 'replay');
    assert.equal(seen('e2', randomBytes(32)), 'replay');
    assert.throws(
      () =>
        world.ledger.recordFetched({ accountId: me, peerSaeId: peer, envelopeId: 'e3', keys: [{ keyId: 'k1', bytes: randomBytes(32) }] }),
      {
        code: 'key.reused',
      },
    );
    // What is known better already stays as it is.
    const [key] = newKeys(1);
    world.ledger.recordFetched({ accountId: me, peerSaeId: peer, envelopeId: 'e4', keys: [key!] });
    rememberSpent({ accountId: me, own: 'sent', envelopeId: 'e5', payloadSha256, keyIds: [key!.keyId] }, deps());
    assert.equal(world.ledger.stateOf(me, key!.keyId), 'FETCHED');
  });
});
