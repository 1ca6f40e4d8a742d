import assert from 'node:assert/strict';
import { needMailWorld } from '../world/mailWorld.ts';
import { FORM, SEED } from './seeded.ts';
import { soak, type SoakReport } from './soak.ts';

const HOUR = 3_600_000;
/** What the servers and the record of the test itself may add to the heap of this process, in MB: they run in it too. */
const TEST_GROWTH_MB = 12;
const LENGTH = FORM === 'long' ? { messages: 1000, simulatedMs: 7 * 24 * HOUR } : { messages: 40, simulatedMs: 16 * HOUR };

describe(`a soak (${FORM} form, seed ${SEED}): ${LENGTH.messages} messages in ${LENGTH.simulatedMs / HOUR} simulated hours`, function () {
  this.timeout(FORM === 'long' ? 3_600_000 : 120_000);
  let report: SoakReport;

  before(async function () {
    needMailWorld(this);
    report = await soak({ seed: SEED, ...LENGTH }, (line) => console.log(line));
    const { messages, faults, signIns, unsure, lost, duplicated } = report;
    console.log(`  soak  ${messages} messages, ${faults} faults, ${lost.length} lost, ${duplicated.length} duplicated`);
    console.log(`        ${unsure} unsure and settled, ${signIns} sign-ins; ${JSON.stringify(report.drawn)}`);
    console.log(
      `        ${report.footprints.map(({ atHour, handles, heapMb }) => `hour ${atHour}: ${handles} handles, ${heapMb} MB`).join('; ')}`,
    );
  });

  it('loses nothing', () => {
    assert.ok(report.messages >= LENGTH.messages);
    assert.deepEqual(report.lost, []);
  });

  it('sends nothing twice', () => assert.deepEqual(report.duplicated, []));

  it('holds in each mailbox what the other sent, by Message-ID', () => assert.deepEqual(report.unmatched, []));

  // One every five minutes she is awake, which is at least half of the time.
  it('meets a fault every few minutes of the time awake', () => {
    assert.ok(report.faults >= (report.simulatedHours * 60) / 10 - 1, `${report.faults} faults`);
  });

  it('does not grow in handles', () => {
    const [first, ...later] = report.footprints.map(({ handles }) => handles);
    // How many connections are kept at a moment varies by a few, each with both ends and the proxy's in this process.
    assert.ok(later.at(-1)! <= first! + 8, `${first} handles, then ${later.join()}`);
  });

  it('does not grow in memory', () => {
    const [first, ...later] = report.footprints.map(({ heapMb }) => heapMb);
    assert.ok(later.at(-1)! <= first! + TEST_GROWTH_MB, `${first} MB, then ${later.join()}`);
  });
});
