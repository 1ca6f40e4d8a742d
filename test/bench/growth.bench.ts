import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { growth, type BenchRow } from './benchRow.ts';
import { EngineProgram } from './engine.ts';
import { generateMailbox } from './mailbox.ts';

const TURNS = 3;

interface User {
  readonly email: string;
  readonly password: string;
  readonly messages: number;
}

/**
 * One mailbox of 100,000 messages against five of 20,000, synced one after another. The five are kept until the last of them is there: as much is
 * written then to as many fresh pages of memory and disk as of the one, in as long a time, and a machine slow for a while is so for both.
 */
export async function rows(): Promise<BenchRow[]> {
  const sizes = (process.env['QUMAIL_BENCH_MESSAGES'] ?? '20000,100000').split(',').map(Number);
  const [small, large] = [Math.min(...sizes), Math.max(...sizes)];
  if (small === large) return [];
  const users = [small, large].map((messages) => ({ email: `of${messages}@example.test`, password: 'a-password-of-91', messages }));
  const caPem = await testCaPem();
  const world = await startMailWorld({ users, tls: { ...(await issueServer()), caPem } });
  try {
    using program = await EngineProgram.bundle();
    const turn = (user: User, times: number): Promise<number> => syncs({ program, world, caPem, user, times });
    for (const user of users) {
      world.fill(user.email, generateMailbox(user.messages));
      // Once unmeasured: Dovecot makes its own index of the new folder.
      await turn(user, 1);
    }
    const times = large / small;
    const took = new Map([
      [small, Number.POSITIVE_INFINITY],
      [large, Number.POSITIVE_INFINITY],
    ]);
    for (let round = 0; round < TURNS; round++) {
      took.set(small, Math.min(took.get(small)!, (await turn(users[0]!, times)) / times));
      took.set(large, Math.min(took.get(large)!, await turn(users[1]!, 1)));
    }
    return growth('a full sync', took);
  } finally {
    await world.stop();
  }
}

interface Turn {
  readonly program: EngineProgram;
  readonly world: MailWorld;
  readonly caPem: string;
  readonly user: User;
  readonly times: number;
}

/** Syncs a mailbox so many times, each into an empty store; returns the milliseconds of all. */
async function syncs({ program, world, caPem, user, times }: Turn): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'qumail-bench-'));
  try {
    let all = 0;
    for (let time = 0; time < times; time++) {
      const storageDir = join(dir, `engine${time}`);
      mkdirSync(storageDir);
      const { email, password, messages } = user;
      const { ms, stored } = await program.run('full', {
        storageDir,
        email,
        password,
        caPem,
        servers: { imap: world.imap, smtp: world.smtp },
      });
      if (stored !== messages) throw new Error(`stored ${stored} of ${messages}`);
      all += ms;
    }
    return all;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
