import fc from 'fast-check';
import { history, play } from '/work/main/test/core/account/sync/histories.ts';
describe('h', function () { this.timeout(3_600_000); it('x', async () => { await fc.assert(fc.asyncProperty(history, play), { numRuns: 400, seed: 7 }); }); });
