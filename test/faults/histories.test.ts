import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { needMailWorld, startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import type { LogSink } from '../../src/core/api.ts';
import { EngineProgram } from './engineProcess.ts';
import { playHistory } from './historyPlay.ts';
import { drawHistory } from './historySteps.ts';
import { Dice, FORM, SEED } from './seeded.ts';

const COUNT = Number(process.env['QUMAIL_HISTORIES'] ?? (FORM === 'long' ? 1000 : 30));
/** One history of a run alone, by its number. */
const ONLY = process.env['QUMAIL_HISTORY'];
const AT_ONCE = FORM === 'long' ? 6 : 3;
/** Every so-manieth is played against a server without MOVE, UIDPLUS, CONDSTORE and the rest. */
const OLD_EVERY = 4;

const note: LogSink = ({ event, facts }) => console.log(`  ${event} ${JSON.stringify(facts ?? {})}`);

describe(`what a person and a server do to one mailbox (${FORM} form, seed ${SEED})`, function () {
  this.timeout(FORM === 'long' ? 7_200_000 : 300_000);
  let worlds: { modern: MailWorld; old: MailWorld };
  let program: EngineProgram;
  const users = Array.from({ length: Math.max(COUNT, Number(ONLY ?? 0) + 1) }, (_, n) => ({
    email: `h${n}@example.test`,
    password: `password-${n}`,
  }));

  before(async function () {
    needMailWorld(this);
    const tls = { ...(await issueServer()), caPem: await testCaPem() };
    worlds = {
      modern: await startMailWorld({ users, tls }),
      old: await startMailWorld({ users, tls, imapCapability: 'IMAP4rev1' }),
    };
    program = await EngineProgram.bundle();
  });

  after(async () => {
    await program?.dispose();
    await Promise.all([worlds?.modern.stop(), worlds?.old.stop()]);
  });

  it(`ends with the store as the server is, nothing lost and nothing done twice, in ${COUNT} histories with crashes and cut lines`, async () => {
    const waiting = ONLY === undefined ? Array.from({ length: COUNT }, (_, n) => n) : [Number(ONLY)];
    const failures: string[] = [];
    const began = performance.now();
    const work = async (): Promise<void> => {
      for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
        const steps = drawHistory(new Dice(SEED * 100_003 + n));
        const old = n % OLD_EVERY === OLD_EVERY - 1;
        const world = old ? worlds.old : worlds.modern;
        const moves = old ? 'by copies' : 'whole';
        try {
          await playHistory(steps, { world, program, moves, user: users[n]!, ...(ONLY !== undefined && { log: note }) });
        } catch (error) {
          failures.push(`history ${n}: ${error instanceof Error ? error.message : String(error)}`);
          console.log(`history ${n}: ${inspect(error)}\n  ${steps.map((step) => JSON.stringify(step)).join('\n  ')}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    console.log(`  ${COUNT} histories in ${Math.round((performance.now() - began) / 1000)} s`);
    assert.deepEqual(failures, [], `repeat one with QUMAIL_HISTORY=number npm run faults -- --only histories --seed ${SEED}`);
  });
});
