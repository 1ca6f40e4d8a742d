import type { Fault } from '../world/cuttingProxy.ts';
import type { FaultWorld } from './faultWorld.ts';
import { inLongForm, writesLarge, type FaultRow } from './row.ts';
import type { Moment } from './policyServer.ts';

const HOWS = ['cut', 'reset', 'half-close', 'stall'] as const;
const UNSURE = 'smtp.acceptance-unknown';

/** The server answers like this at that moment, so many times, and takes the mail afterwards. */
function refused(name: string, at: Moment, reply: string, reaches: FaultRow['reaches']): FaultRow {
  return { name, spoiled: 'SMTP', strike: (w) => w.policy.next(at, w.alice.email, () => reply), reaches };
}

/** The way to the server breaks at that moment; the server then goes on as `verdict` says. */
function broken(o: { name: string; at: Moment; fault: Fault; verdict?: string; reaches: FaultRow['reaches'] }): FaultRow {
  return {
    name: o.name,
    spoiled: 'SMTP',
    strike: (w) =>
      w.policy.next(o.at, w.alice.email, () => {
        w.smtp.faultNow(o.fault);
        return o.verdict ?? 'DUNNO';
      }),
    act: writesLarge,
    reaches: o.reaches,
    ...inLongForm(o.fault.how === 'half-close' || o.fault.how === 'reset' || (o.fault.how === 'stall' && o.fault.afterBytes !== undefined)),
  };
}

/** The server takes the whole message, and answers when nobody listens any more. */
function lateYes(): FaultRow {
  let answer = (): void => {};
  return {
    name: 'answer to the message comes after the patience for it, and says yes',
    spoiled: 'SMTP',
    strike: (w) => w.policy.next('END-OF-MESSAGE', w.alice.email, () => new Promise((resolve) => (answer = () => resolve('DUNNO')))),
    act: writesLarge,
    reaches: UNSURE,
    mend: () => answer(),
  };
}

export const SMTP_ROWS: readonly FaultRow[] = [
  refused('RCPT answered 450, then taken', 'RCPT', '450 4.2.1 mailbox busy', 'smtp.deferred'),
  {
    ...refused('RCPT answered 451 (greylisted), then taken', 'RCPT', '451 4.7.1 greylisted, come back', 'smtp.deferred'),
    ...inLongForm(true),
  },
  { ...refused('RCPT answered 452 (mailbox full), then taken', 'RCPT', '452 4.2.2 mailbox full', 'smtp.deferred'), ...inLongForm(true) },
  refused('RCPT answered 421 (goodbye), then taken', 'RCPT', '421 4.3.2 shutting down', ['sent', 'smtp.deferred']),
  refused('RCPT answered 550, then taken', 'RCPT', '550 5.1.1 no such user', 'smtp.recipient-rejected'),
  { ...refused('RCPT answered 554, then taken', 'RCPT', '554 5.7.1 not wanted', 'smtp.recipient-rejected'), ...inLongForm(true) },
  refused('message answered 451, then taken', 'END-OF-MESSAGE', '451 4.3.0 try again', 'smtp.deferred'),
  { ...refused('message answered 452, then taken', 'END-OF-MESSAGE', '452 4.3.1 out of space', 'smtp.deferred'), ...inLongForm(true) },
  refused('message answered 421 (goodbye), then taken', 'END-OF-MESSAGE', '421 4.3.2 shutting down', 'smtp.deferred'),
  refused('message answered 550, then taken', 'END-OF-MESSAGE', '550 5.7.1 looks like spam', 'smtp.rejected'),
  { ...refused('message answered 554, then taken', 'END-OF-MESSAGE', '554 5.6.0 not liked', 'smtp.rejected'), ...inLongForm(true) },
  refused('message answered 552 (too large), then taken', 'END-OF-MESSAGE', '552 5.3.4 too large', 'smtp.too-large'),
  ...HOWS.map((how) =>
    broken({
      name: `${how} before DATA`,
      at: 'RCPT',
      fault: { how },
      reaches: how === 'stall' ? ['net.timeout', 'net.cut'] : ['sent', 'net.cut'],
    }),
  ),
  ...HOWS.map((how) =>
    broken({
      name: `${how} inside DATA, after 8,000 octets of it`,
      at: 'RCPT',
      fault: { direction: 'to-server', afterBytes: 8000, how },
      // Where the kernel took the rest in one go, the last octet was on its way.
      reaches: ['net.cut', 'net.timeout', UNSURE],
    }),
  ),
  ...HOWS.map((how) =>
    broken({ name: `${how} after DATA, the message was accepted`, at: 'END-OF-MESSAGE', fault: { how }, reaches: UNSURE }),
  ),
  ...(['cut', 'reset'] as const).map((how) =>
    broken({
      name: `${how} after DATA, the message was refused`,
      at: 'END-OF-MESSAGE',
      fault: { how },
      verdict: '451 4.3.0 try again',
      reaches: UNSURE,
    }),
  ),
  lateYes(),
  ...HOWS.map((how): FaultRow => ({
    name: `${how} of the connection kept from the last mail`,
    spoiled: 'SMTP',
    ...inLongForm(how !== 'cut'),
    strike: async (w) => {
      await w.write(w.alice, w.bob);
      w.smtp.faultNow({ how });
    },
    reaches: how === 'stall' ? ['sent', 'net.timeout', 'net.cut'] : ['sent', 'net.cut'],
  })),
  ...HOWS.map((how): FaultRow => ({
    name: `${how} while the connection is opened`,
    spoiled: 'SMTP',
    ...inLongForm(how === 'half-close' || how === 'reset'),
    strike: async (w) => {
      await w.dropSmtp();
      w.smtp.faultNext({ how });
    },
    reaches: how === 'stall' ? 'net.timeout' : 'net.cut',
  })),
  {
    name: 'connections refused until it is mended',
    spoiled: 'SMTP',
    strike: async (w) => {
      await w.dropSmtp();
      w.smtp.admit('refuse');
    },
    reaches: 'net.cut',
    mend: (w: FaultWorld) => w.smtp.admit('accept'),
  },
  {
    name: 'line of 100 kB a second',
    spoiled: 'SMTP',
    form: 'long',
    strike: (w) => w.smtp.slowDown(100_000),
    act: writesLarge,
    reaches: 'sent',
  },
];
