import assert from 'node:assert/strict';
import type { FaultWorld } from './faultWorld.ts';

/** One fault, and what must come of it. */
export interface FaultRow {
  readonly name: string;
  readonly spoiled: 'sign-in' | 'IMAP' | 'SMTP' | 'IMAP and SMTP' | 'mailbox' | 'laptop' | 'keys';
  /** Sets the fault; what it does at a later moment, such as inside DATA, it leaves as a rule behind. */
  readonly strike: (world: FaultWorld) => unknown;
  /** What Alice does then, or what happens to her; resolves to the state reached. Default: she writes a small letter to Bob. */
  readonly act?: (world: FaultWorld) => Promise<string>;
  /** The state that must be reached: `sent`, a state of the outbox, an error code. Several only where the fault leaves it open. */
  readonly reaches: string | readonly string[];
  /** State of her account while the fault lasts, e.g. `offline net.cut`. */
  readonly account?: string;
  /** Ends the fault where it does not end by itself. */
  readonly mend?: (world: FaultWorld) => unknown;
  /** Times that only a new sign-in helps; default 0. */
  readonly signIns?: number;
  /** What else must hold once all is over. */
  readonly finally?: (world: FaultWorld) => unknown;
  /** Rows that take many seconds run in the long form only. */
  readonly form?: 'long';
}

/** For rows of a kind of which the short form runs the others: they differ in how the line ends, and not in what follows. */
export function inLongForm(when: boolean): Pick<FaultRow, 'form'> {
  return when ? { form: 'long' } : {};
}

/** Runs a row between two letters of Bob, one while the fault lasts and one after it; resolves to the state reached. */
export async function runRow(world: FaultWorld, row: FaultRow): Promise<string> {
  world.signIns = 0;
  await row.strike(world);
  const bobs = await world.write(world.bob, world.alice, { level: 'L2' });
  const reached = await (row.act ?? writes)(world);
  assert.ok([row.reaches].flat().includes(reached), `reached ${reached}, not ${[row.reaches].flat().join(' or ')}`);
  if (row.account !== undefined) await world.eventually(row.account, async () => (await world.account()) === row.account);
  await row.mend?.(world);
  await world.calm();
  assert.match(bobs, /^(sent|smtp\.|net\.|kme\.)/);
  await world.settle();
  await world.write(world.bob, world.alice);
  await world.settle();
  await world.prove();
  assert.equal(world.signIns, row.signIns ?? 0, 'sign-ins');
  assert.equal(await world.account(), 'online');
  await row.finally?.(world);
  return reached;
}

/** One line of the table. */
export function lineOf(row: Pick<FaultRow, 'name' | 'spoiled'>, reached: string): string {
  return `  row   ${row.spoiled.padEnd(13)} ${row.name.padEnd(92)} ${reached}`;
}

const writes = (world: FaultWorld): Promise<string> => world.write(world.alice, world.bob, { level: 'L2' });
/** A letter large enough that DATA, and APPEND to Sent, take many packets. */
export const writesLarge = (world: FaultWorld): Promise<string> => world.write(world.alice, world.bob, { bytes: 60_000 });
