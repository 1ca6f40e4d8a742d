/**
 * One process over a person's pads, to be killed: `node padChild.ts FOLDER NAME AT import FILE FROM | take PEER LOG`. Kills itself at its AT-th point;
 * notes every key it got, by ID and SHA-256, before it does anything else.
 */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { openPadWorld } from '../core/account/padWorld.ts';
import { installPoints } from './points.ts';

const [folder = '', name = '', at = '', what = '', ...rest] = process.argv.slice(2);
const points = installPoints();
const world = await openPadWorld(folder, name);
points.arm(Number(at), () => {});
if (what === 'import') {
  const [path = '', address = ''] = rest;
  await world.service.importPad({ accountId: name, address, path });
} else {
  const [peer = '', log = ''] = rest;
  for (;;) {
    const [key] = await world.sources.sourceFor(name, peer)!.take({ bits: 8 * 3000, others: [] });
    appendFileSync(log, `${key!.keyId} ${createHash('sha256').update(key!.bytes).digest('hex')}\n`);
  }
}
world.close();
process.exit(0);
