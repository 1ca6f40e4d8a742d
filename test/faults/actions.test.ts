import fc from 'fast-check';
import { history, play, SERVERS } from '../core/account/actionsHistories.ts';
import { FORM, SEED } from './seeded.ts';

describe('actions, whatever the server does meanwhile', function () {
  this.timeout(FORM === 'long' ? 3_600_000 : 60_000);
  const numRuns = Number(process.env['QUMAIL_HISTORIES'] ?? (FORM === 'long' ? 1000 : 100));

  for (const options of SERVERS)
    it(`end with the list as the server has it, nothing lost and nothing doubled (${options.move ? 'MOVE' : 'COPY'}, ${options.uidplus ? 'UIDPLUS' : 'no UIDPLUS'})`, () =>
      fc.assert(
        fc.asyncProperty(history, (steps) => play(steps, options)),
        { numRuns, seed: SEED },
      ));
});
