import type { FaultWorld } from './faultWorld.ts';
import type { Dice } from './seeded.ts';

/** A fault of the soak; how often it is drawn, and what it does to Alice until she is left in peace again. */
export interface SoakFault {
  readonly name: string;
  readonly weight: number;
  readonly strike: (world: FaultWorld, dice: Dice) => unknown;
}

const HOWS = ['cut', 'reset', 'half-close'] as const;
const MOMENTS = ['RCPT', 'END-OF-MESSAGE'] as const;

const SOAK_FAULTS: readonly SoakFault[] = [
  { name: 'IMAP connections ended', weight: 8, strike: (w, d) => w.imap.faultNow({ how: d.pick(HOWS) }) },
  { name: 'SMTP connection ended', weight: 6, strike: (w, d) => w.smtp.faultNow({ how: d.pick(HOWS) }) },
  {
    name: 'next IMAP connection ends on the way',
    weight: 6,
    strike: (w, d) => (w.imap.faultNow({ how: 'cut' }), w.imap.faultNext({ how: d.pick(HOWS), afterBytes: d.below(8000) })),
  },
  {
    name: 'next SMTP connection ends on the way',
    weight: 8,
    strike: (w, d) => {
      w.smtp.faultNow({ how: 'cut' });
      w.smtp.faultNext({ how: d.pick(HOWS), direction: d.pick(['to-server', 'to-client']), afterBytes: d.below(6000) });
    },
  },
  { name: 'IMAP stalled', weight: 2, strike: (w) => w.imap.faultNow({ how: 'stall' }) },
  { name: 'SMTP stalled', weight: 2, strike: (w) => w.smtp.faultNow({ how: 'stall' }) },
  {
    name: 'mail host put off',
    weight: 6,
    strike: (w, d) => w.policy.next(d.pick(MOMENTS), w.alice.email, () => '451 4.7.1 later', 1 + d.below(3)),
  },
  { name: 'mail host said goodbye', weight: 3, strike: (w, d) => w.policy.next(d.pick(MOMENTS), w.alice.email, () => '421 4.3.2 closing') },
  { name: 'mail host refused', weight: 2, strike: (w, d) => w.policy.next(d.pick(MOMENTS), w.alice.email, () => '554 5.7.1 no') },
  {
    name: 'answer to DATA lost',
    weight: 5,
    strike: (w, d) => {
      const verdict = d.pick(['DUNNO', '451 4.3.0 later']);
      w.policy.next('END-OF-MESSAGE', w.alice.email, () => (w.smtp.faultNow({ how: d.pick(HOWS) }), verdict));
    },
  },
  { name: 'IMAP refused', weight: 3, strike: (w) => (w.imap.admit('refuse'), w.imap.faultNow({ how: 'reset' })) },
  { name: 'SMTP refused', weight: 3, strike: (w) => (w.smtp.admit('refuse'), w.smtp.faultNow({ how: 'reset' })) },
  {
    name: 'network gone',
    weight: 3,
    strike: (w) => [w.imap, w.smtp].forEach((proxy) => (proxy.admit('refuse'), proxy.faultNow({ how: 'reset' }))),
  },
  { name: 'token dead', weight: 4, strike: (w) => (w.gate.kill(w.accessToken), w.dropConnections()) },
  {
    name: 'token dead and token endpoint out of order',
    weight: 4,
    strike: (w, d) => (w.oidc.setTokenFault(d.pick(['status-500', 'status-429', 'html'])), w.gate.kill(w.accessToken), w.dropConnections()),
  },
  {
    name: 'rotated and lost',
    weight: 1,
    strike: (w) => (w.oidc.setTokenFault('lose-answer', 1), w.gate.kill(w.accessToken), w.dropConnections()),
  },
  { name: 'server says BYE', weight: 3, strike: (w) => w.kick() },
  { name: 'mail host restarted', weight: 1, strike: (w) => w.mail.restart() },
  { name: 'engine closed and opened', weight: 2, strike: (w) => w.alice.reopen() },
  { name: 'key manager unavailable', weight: 3, strike: (w) => (w.kme.pair.faults('KME-A').unavailable = 4) },
];

export function drawFault(dice: Dice): SoakFault {
  let at = dice.below(SOAK_FAULTS.reduce((sum, { weight }) => sum + weight, 0));
  return SOAK_FAULTS.find(({ weight }) => (at -= weight) < 0)!;
}
