import assert from 'node:assert/strict';
import { FORM, SEED } from '../faults/seeded.ts';
import { needMailWorld } from '../world/mailWorld.ts';
import { killRun, type KillReport } from './killRun.ts';

const KILLS = FORM === 'long' ? 200 : 20;

describe(`windows that are killed (${FORM} form, seed ${SEED}): ${KILLS} SIGKILLs while two windows send and receive`, function () {
  this.timeout(FORM === 'long' ? 1_800_000 : 90_000);
  let report: KillReport;

  before(async function () {
    needMailWorld(this);
    report = await killRun({ seed: SEED, kills: KILLS }, (line) => console.log(line));
    const { kills, atRandomTimes, messages, unsure, sentAnew, keyLostInFlight, mimesProduced, keysInMimes, statesOfKeys } = report;
    console.log(`  kills ${kills}, ${atRandomTimes} of them at random times; at points: ${JSON.stringify(report.atPoints)}`);
    console.log(
      `        ${messages} messages; ${unsure} unsure and settled, ${sentAnew} sent anew, ${keyLostInFlight} sealed again for a lost key`,
    );
    console.log(
      `        ${mimesProduced} MIMEs with ${keysInMimes} keys; keys: ${JSON.stringify(statesOfKeys)}, ${report.keysWithoutRow} gone unseen`,
    );
  });

  it('lose no message', () => assert.deepEqual(report.lost, []));

  it('send nothing twice', () => assert.deepEqual(report.duplicated, []));

  it('file nothing twice', () => assert.deepEqual(report.filedTwice, []));

  it('deliver what was written', () => assert.deepEqual(report.wrongTexts, []));

  it('use no key twice, in any MIME that any of them ever produced', () => {
    assert.ok(report.keysInMimes >= report.messages);
    assert.deepEqual(report.keysInTwoMimes, []);
  });

  it('use only keys that the key manager delivered, once to each side', () => assert.deepEqual(report.keysNotAsLogged, []));

  it('leave on the server, octet for octet, what the ledger says the keys were used for', () => assert.deepEqual(report.notAsLedger, []));

  it('leave no key waiting for a process that is dead', () => assert.equal(report.stillReserved, 0));

  it('leave every database and the audit chain whole', () => assert.deepEqual(report.damaged, []));
});
