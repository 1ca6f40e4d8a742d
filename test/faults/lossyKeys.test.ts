import assert from 'node:assert/strict';
import { KeyAudit } from '../../src/core/keys/audit.ts';
import { startLedgerWorld, type LedgerWorld } from '../core/keys/ledgerWorld.ts';
import { runLossyKeys, type LossyResult } from './lossyKeys.ts';
import { FORM, SEED } from './seeded.ts';

const MESSAGES = FORM === 'long' ? 1000 : 100;

describe(`${MESSAGES} messages (seed ${SEED}) through key managers that lose one answer in twenty`, function () {
  this.timeout(FORM === 'long' ? 600_000 : 60_000);
  const worlds: LedgerWorld[] = [];
  let result: LossyResult;

  before(async () => {
    const side = (accountId: string) => {
      const world = startLedgerWorld();
      worlds.push(world);
      return { accountId, ledger: world.ledger, audit: new KeyAudit({ db: world.db, sealer: world.sealer }) };
    };
    result = await runLossyKeys({ messages: MESSAGES, seed: SEED, lossRate: 0.05 }, side('alice'), side('bob'));
    console.log(`  lossy keys  ${JSON.stringify(result)}`);
  });
  after(() => worlds.forEach((world) => world.dispose()));

  it('all arrive, each under a key that no other had', () => {
    assert.equal(result.delivered, MESSAGES);
    assert.equal(result.keysUsed, MESSAGES + result.sealedAgain);
  });

  it('answers were lost on both sides, or this showed nothing', () => {
    assert.ok(result.sentAgain > 0 && result.sealedAgain > 0, JSON.stringify(result));
  });

  it('every key that left a key manager was used or is counted as unaccounted for', () => {
    assert.equal(result.unaccounted, result.sentAgain);
    assert.equal(result.keysMade, result.keysUsed + result.unaccounted);
  });

  it('the ledgers hold no key bytes any more', () => {
    for (const world of worlds)
      assert.equal(world.db.prepare('SELECT count(*) AS n FROM ledger_keys WHERE sealed IS NOT NULL').get()?.['n'], 0);
  });
});
