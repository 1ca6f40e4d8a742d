import { createTransport } from 'nodemailer';
import { startPeopleWorld } from '../world/peopleWorld.ts';
import type { BenchRow } from './benchRow.ts';

const LETTERS = 40;
/** DESIGN 7: SMTP accepted -> visible in the other user's tree, p95, milliseconds. */
const BAR_MS = 500;
/** Between two letters, so that each finds the mailbox at rest. */
const PAUSE_MS = 150;

/** From Postfix taking a letter until the recipient's engine tells its views of it, over Postfix, Dovecot and IDLE. */
export async function rows(): Promise<BenchRow[]> {
  await using world = await startPeopleWorld();
  const bob = await world.person('bob');
  await bob.signInWithPassword();
  const list = { accountId: bob.account.id, folder: 'INBOX', limit: 5 };
  await bob.engine.getEmailList(list);
  const { host, port } = world.mail.smtp;
  const auth = { user: 'alice@example.test', pass: 'alice-password' };
  const sender = createTransport({ host, port, secure: true, pool: true, maxConnections: 1, auth, tls: { ca: world.mail.caPem } });
  const waiting = new Map<string, (at: number) => void>();
  const listening = bob.engine.onEvent((event) => {
    if (event.kind !== 'messages') return;
    const at = performance.now();
    void bob.engine.getEmailList(list).then(({ messages }) => messages.forEach(({ subject }) => waiting.get(subject)?.(at)));
  });
  const times: number[] = [];
  try {
    // The first opens connections that stay open.
    for (let letter = 0; letter <= LETTERS; letter++) {
      const subject = `Letter ${letter}`;
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(subject, resolve);
      await sender.sendMail({ from: auth.user, to: bob.email, subject, text: 'As every day.' });
      const accepted = performance.now();
      const listed = await promise;
      if (letter > 0) times.push(Math.max(0, listed - accepted));
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  } finally {
    listening.dispose();
    sender.close();
  }
  const sorted = times.toSorted((a, b) => a - b);
  const ours = sorted[Math.ceil(LETTERS * 0.95) - 1]!;
  console.log(`  one letter: median ${sorted[LETTERS >> 1]!.toFixed(0)} ms, slowest ${sorted.at(-1)!.toFixed(0)} ms`);
  return [
    {
      name: 'SMTP accepted until listed for the other user, p95',
      bar: 1,
      unit: 'ms',
      reference: { name: 'what a person waits', value: BAR_MS },
      ours,
      ratio: ours / BAR_MS,
    },
  ];
}
