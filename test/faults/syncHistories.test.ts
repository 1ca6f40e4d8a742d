import fc from 'fast-check';
import { history, play } from '../core/account/sync/histories.ts';
import { FORM, SEED } from './seeded.ts';

describe('an offline copy, whatever happens to server and client', function () {
  this.timeout(FORM === 'long' ? 3_600_000 : 60_000);

  it('ends as the server is', async () => {
    await fc.assert(fc.asyncProperty(history, play), { numRuns: FORM === 'long' ? 1000 : 25, seed: SEED });
  });
});
