import { BOB, ALICE } from '../world/kmeWorld.ts';
import type { FaultWorld } from './faultWorld.ts';
import type { FaultRow } from './row.ts';

const HOURS = 3_600_000;
const looks = (world: FaultWorld): Promise<string> => world.look();
const both = (world: FaultWorld) => [world.imap, world.smtp];

/** The lid is closed for 8 hours over tokens of one: they are dead at the mail host as well. */
function sleeps(world: FaultWorld, connections: 'stall' | 'reset'): void {
  for (const proxy of both(world)) proxy.faultNow({ how: connections });
  world.gate.kill(world.accessToken);
  world.leap(8 * HOURS);
}

export const OTHER_ROWS: readonly FaultRow[] = [
  {
    name: 'mail host restarted',
    spoiled: 'IMAP and SMTP',
    strike: (w) => w.mail.restart(),
    reaches: ['sent', 'net.cut'],
  },
  {
    name: 'mail host restarted between RCPT and DATA',
    spoiled: 'IMAP and SMTP',
    strike: (w) => {
      w.policy.next('RCPT', w.alice.email, async () => {
        await w.mail.restart();
        return 'DUNNO';
      });
    },
    act: (w) => w.write(w.alice, w.bob),
    reaches: ['sent', 'net.cut'],
  },
  {
    name: 'network gone: everything is refused until it is back',
    spoiled: 'IMAP and SMTP',
    strike: (w) => both(w).forEach((proxy) => (proxy.admit('refuse'), proxy.faultNow({ how: 'reset' }))),
    reaches: 'net.cut',
    account: 'offline net.cut',
  },
  {
    name: 'network gone for half an hour, then back: nobody asks for anything',
    spoiled: 'IMAP and SMTP',
    strike: (w) => both(w).forEach((proxy) => (proxy.admit('refuse'), proxy.faultNow({ how: 'reset' }))),
    act: async (w) => {
      for (let minute = 0; minute < 30; minute += 1) {
        w.leap(60_000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return w.account();
    },
    reaches: 'offline net.cut',
  },
  {
    name: 'asleep for 8 hours, connections dead without a word, tokens of one hour',
    spoiled: 'laptop',
    strike: (w) => sleeps(w, 'stall'),
    reaches: ['sent', 'net.timeout', 'net.cut'],
  },
  {
    name: 'asleep for 8 hours, connections reset, tokens of one hour',
    spoiled: 'laptop',
    strike: (w) => sleeps(w, 'reset'),
    reaches: ['sent', 'net.cut'],
  },
  {
    name: 'asleep for 8 hours, nobody asks: mail of the night is shown',
    spoiled: 'laptop',
    strike: (w) => sleeps(w, 'stall'),
    act: async (w) => {
      await w.prove();
      return w.account();
    },
    reaches: 'online',
  },
  {
    name: 'asleep for 8 hours, awake before the network is',
    spoiled: 'laptop',
    strike: (w) => {
      both(w).forEach((proxy) => proxy.admit('refuse'));
      sleeps(w, 'reset');
    },
    reaches: 'net.cut',
    account: 'offline net.cut',
  },
  {
    name: 'asleep for 8 hours, the token endpoint answers 500 on waking',
    spoiled: 'laptop',
    strike: (w) => {
      w.oidc.setTokenFault('status-500');
      sleeps(w, 'reset');
    },
    reaches: 'auth.refresh-failed',
    account: 'offline auth.refresh-failed',
  },
  {
    name: 'asleep for 8 hours in the middle of a mail, before DATA',
    spoiled: 'laptop',
    strike: (w) => {
      w.policy.next('RCPT', w.alice.email, () => {
        sleeps(w, 'reset');
        return 'DUNNO';
      });
    },
    act: (w) => w.write(w.alice, w.bob),
    reaches: ['sent', 'net.cut'],
  },
  {
    name: 'asleep for 8 hours in the middle of a mail, after DATA',
    spoiled: 'laptop',
    strike: (w) => {
      w.policy.next('END-OF-MESSAGE', w.alice.email, () => {
        sleeps(w, 'reset');
        return 'DUNNO';
      });
    },
    act: (w) => w.write(w.alice, w.bob),
    reaches: 'smtp.acceptance-unknown',
  },
  {
    name: 'engine closed and opened again over mail that waits',
    spoiled: 'laptop',
    strike: (w) => w.policy.next('RCPT', w.alice.email, () => '450 4.2.1 later'),
    act: async (w) => {
      const reached = await w.write(w.alice, w.bob, { level: 'L2' });
      await w.alice.reopen();
      return reached;
    },
    reaches: ['smtp.deferred', 'waiting'],
  },
  {
    name: 'engine closed and opened again over mail that may have been accepted',
    spoiled: 'laptop',
    strike: (w) => w.policy.next('END-OF-MESSAGE', w.alice.email, () => (w.smtp.faultNow({ how: 'reset' }), 'DUNNO')),
    act: async (w) => {
      const reached = await w.write(w.alice, w.bob, { level: 'L2' });
      await w.alice.reopen();
      return reached;
    },
    reaches: 'smtp.acceptance-unknown',
  },
  {
    name: 'her key manager answers 503 three times',
    spoiled: 'keys',
    strike: (w) => (w.kme.pair.faults(w.kme.pair.kmeOf(ALICE)).unavailable = 3),
    reaches: ['sent', 'kme.unavailable'],
  },
  {
    name: 'her key manager loses its answer after delivering',
    spoiled: 'keys',
    strike: (w) => (w.kme.pair.faults(w.kme.pair.kmeOf(ALICE)).dropAfterCommit = 1),
    reaches: ['sent', 'kme.unreachable'],
  },
  {
    name: 'her key manager is away',
    spoiled: 'keys',
    strike: (w) => w.stopKeyManager(ALICE),
    reaches: 'kme.unreachable',
  },
  {
    name: 'his key manager is away when the mail arrives',
    spoiled: 'keys',
    strike: (w) =>
      w.policy.next('RCPT', w.alice.email, async () => {
        await w.stopKeyManager(BOB);
        return 'DUNNO';
      }),
    reaches: 'sent',
  },
  { name: 'nothing at all', spoiled: 'laptop', strike: () => {}, act: looks, reaches: 'ok' },
];
