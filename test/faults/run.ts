/**
 * `npm run faults`: the long forms of the fault table, of the cuts after every 997th octet, of the soak, of the flips, and of the kills.
 *
 *   npm run faults -- [--seed N] [--only NAME ...] [files or mocha options ...]
 *
 * --only actions, cuts, faultTable, histories, hostileMail, kills, soak, syncHistories, syncKills: the files of these names.
 * Prints its seed; the same seed chooses the same faults again.
 */
import { randomInt } from 'node:crypto';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { runToResult } from './runToResult.ts';

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string' }, only: { type: 'string', multiple: true } },
  allowPositionals: true,
});
const seed = values.seed ?? String(randomInt(1_000_000));
const APART = ['keyManagers', 'hostileMail'].map((name) => `test/core/account/${name}.test.ts`);
const all = globSync(['test/faults/**/*.test.ts', 'test/kills/**/*.test.ts', ...APART]).toSorted();
const chosen = values.only ? all.filter((file) => values.only?.includes(basename(file, '.test.ts'))) : all;
if (chosen.length === 0)
  throw new Error(`there is no ${values.only?.join(', ')} among ${all.map((file) => basename(file, '.test.ts')).join(', ')}`);
const files = positionals.length > 0 ? positionals : chosen;
console.log(`Faults, long form. Repeat with: npm run faults -- --seed ${seed}`);
const env = { ...process.env, QUMAIL_FAULTS: 'long', QUMAIL_SEED: seed };
process.exitCode = await runToResult('mocha', ['--timeout', '3600000', ...files], { env });
console.log(`The seed was ${seed}.`);
