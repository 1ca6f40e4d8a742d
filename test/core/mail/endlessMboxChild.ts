/** A program of its own, so that nothing but reading weighs in: a gigabyte without a line end. Prints how much memory it took, in octets. */
import { readMbox } from '../../../src/core/mail/mbox.ts';

async function* endless(): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(1024 * 1024, 0x61);
  yield Buffer.from('From a Sat Jan  3 01:05:34 1996\n');
  for (let i = 0; i < 1024; i++) yield chunk;
}

const before = process.resourceUsage().maxRSS;
const kinds: string[] = [];
for await (const { kind } of readMbox(endless(), { maxMessage: 8 * 1024 * 1024 })) kinds.push(kind);
process.stdout.write(JSON.stringify({ kinds, octets: (process.resourceUsage().maxRSS - before) * 1024 }));
