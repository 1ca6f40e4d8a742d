import assert from 'node:assert/strict';
import { needMailWorld } from '../world/mailWorld.ts';
import { cutRow, cutsOf, sessionLength, STEP, type CutSession } from './cuts.ts';
import { FaultWorld } from './faultWorld.ts';
import { lineOf, runRow } from './row.ts';
import { FORM, SEED } from './seeded.ts';

const SESSIONS: readonly (CutSession & { readonly inShort: number })[] = [
  { protocol: 'IMAP', direction: 'to-client', inShort: 3 },
  { protocol: 'IMAP', direction: 'to-server', inShort: 3 },
  { protocol: 'SMTP', direction: 'to-client', inShort: 2 },
  { protocol: 'SMTP', direction: 'to-server', inShort: 4 },
];

describe(`cuts after every ${STEP}th octet (${FORM} form, seed ${SEED})`, function () {
  this.timeout(FORM === 'long' ? 600_000 : 90_000);
  let world: FaultWorld;

  before(async function () {
    needMailWorld(this);
    world = await FaultWorld.start();
  });

  after(() => world?.dispose());

  for (const { inShort, ...session } of SESSIONS) {
    it(`lose nothing and send nothing twice: ${session.protocol}, ${session.direction.replace('-', ' the ')}`, async () => {
      const length = await sessionLength(world, session);
      const cuts = cutsOf(length, inShort);
      assert.ok(cuts.length > 0);
      const failures: string[] = [];
      for (const afterBytes of cuts) {
        const row = cutRow(session, afterBytes);
        const proxy = session.protocol === 'IMAP' ? world.imap : world.smtp;
        const before = proxy.struck;
        try {
          const reached = await runRow(world, row);
          // One session has a look or an answer more than another: near its end a cut may come too late.
          assert.ok(proxy.struck > before || afterBytes > length - 3 * STEP, 'the cut never came');
          console.log(lineOf(row, reached));
        } catch (error) {
          failures.push(`${row.name}: ${error instanceof Error ? error.message : String(error)}`);
          await world.calm();
          await world.people();
        }
      }
      assert.deepEqual(failures, [], `${failures.length} of ${cuts.length} cuts`);
    });
  }
});
