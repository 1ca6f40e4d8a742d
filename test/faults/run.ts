/**
 * `npm run faults`: the long forms of the fault table, of the cuts after every 997th octet, and of the soak.
 *
 *   npm run faults -- [--seed N] [files or mocha options ...]
 *
 * Prints its seed; the same seed chooses the same faults again.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { globSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ options: { seed: { type: 'string' } }, allowPositionals: true });
const seed = values.seed ?? String(randomInt(1_000_000));
const files = positionals.length > 0 ? positionals : globSync('test/faults/**/*.test.ts').toSorted();
console.log(`Faults, long form. Repeat with: npm run faults -- --seed ${seed}`);
const env = { ...process.env, QUMAIL_FAULTS: 'long', QUMAIL_SEED: seed };
const { status } = spawnSync('mocha', ['--timeout', '3600000', ...files], { stdio: 'inherit', env });
console.log(`The seed was ${seed}.`);
process.exitCode = status ?? 1;
