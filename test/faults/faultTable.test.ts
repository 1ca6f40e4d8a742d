import assert from 'node:assert/strict';
import { needMailWorld } from '../world/mailWorld.ts';
import { FaultWorld } from './faultWorld.ts';
import { lineOf, runRow } from './row.ts';
import { FORM } from './seeded.ts';
import { FAULT_TABLE } from './table.ts';

describe('the fault table', function () {
  this.timeout(90_000);
  let world: FaultWorld;

  before(async function () {
    needMailWorld(this);
    world = await FaultWorld.start();
  });

  // A row that failed leaves no trouble for the next.
  afterEach(async function () {
    await world?.calm();
    if (this.currentTest?.state === 'failed') await world?.people();
  });

  after(() => world?.dispose());

  const rows = FAULT_TABLE.filter(({ form }) => form !== 'long' || FORM === 'long');

  it('has at least 60 rows in either form, each named once', () => {
    assert.ok(rows.length >= 60, `${rows.length} rows of ${FAULT_TABLE.length}`);
    const names = FAULT_TABLE.map(({ spoiled, name }) => `${spoiled}: ${name}`);
    assert.equal(new Set(names).size, names.length);
  });

  for (const row of rows) {
    it(`loses nothing and sends nothing twice: ${row.spoiled}, ${row.name}`, async () => {
      const began = Date.now();
      const reached = await runRow(world, row);
      console.log(lineOf(row, `${reached} (${Date.now() - began} ms)`));
    });
  }
});
