import type { Direction } from '../world/cuttingProxy.ts';
import type { FaultWorld } from './faultWorld.ts';
import { runRow, type FaultRow } from './row.ts';
import { Dice, FORM, SEED } from './seeded.ts';

/** A prime, so that the cuts fall on ever other places of records and lines. */
export const STEP = 997;

/** What is cut: the first connection that Alice's engine opens, from its first octet to its last. */
export interface CutSession {
  readonly protocol: 'IMAP' | 'SMTP';
  readonly direction: Direction;
}

/** One session, to be cut after `afterBytes` octets of TLS in that direction. */
export function cutRow({ protocol, direction }: CutSession, afterBytes: number): FaultRow {
  const fault = { direction, afterBytes, how: 'cut' } as const;
  const name = `cut after octet ${afterBytes} ${direction.replace('-', ' the ')}`;
  if (protocol === 'SMTP') {
    return {
      name,
      spoiled: 'SMTP',
      strike: async (world) => {
        await world.dropSmtp();
        world.smtp.faultNext(fault);
      },
      act: (world) => world.write(world.alice, world.bob, { bytes: 6000 }),
      reaches: ['sent', 'net.cut', 'smtp.acceptance-unknown'],
    };
  }
  return {
    name,
    spoiled: 'IMAP',
    strike: async (world) => {
      world.imap.faultNext(fault);
      await world.alice.reopen();
    },
    act: async (world) => `${await world.look()}, ${await world.write(world.alice, world.bob, { bytes: 6000 })}`,
    reaches: ['ok, sent', 'net.cut, sent'],
  };
}

/** Octets of a session nothing happens to: the shorter of two, for the first one fills the offline copy. */
export async function sessionLength(world: FaultWorld, session: CutSession): Promise<number> {
  return Math.min(await measured(world, session), await measured(world, session));
}

async function measured(world: FaultWorld, session: CutSession): Promise<number> {
  const proxy = session.protocol === 'IMAP' ? world.imap : world.smtp;
  const first = proxy.total + 1;
  let length = 0;
  const stop = proxy.observe(session.direction, (chunk, connection) => {
    if (connection === first) length += chunk.length;
  });
  // The cut lies beyond the end, so everything else is as in the rows.
  const row = cutRow(session, 100_000_000);
  await runRow(world, { ...row, strike: async (w) => (await row.strike(w), w.calm()) });
  stop();
  return length;
}

/** After which octets a session is cut: every 997th in the long form, so many of them in the short one. */
export function cutsOf(length: number, inShort: number): readonly number[] {
  const all = Array.from({ length: Math.floor((length - 1) / STEP) }, (_, index) => (index + 1) * STEP);
  return FORM === 'long' ? all : new Dice(SEED).sample(all, inShort);
}
