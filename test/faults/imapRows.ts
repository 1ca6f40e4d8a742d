import assert from 'node:assert/strict';
import type { FaultWorld } from './faultWorld.ts';
import { inLongForm, writesLarge, type FaultRow } from './row.ts';

const HOWS = ['cut', 'reset', 'half-close', 'stall'] as const;
const looks = (world: FaultWorld): Promise<string> => world.look();

/** Five seconds by the wall, from when Bob's mail was accepted to when Alice's list shows it. */
async function shownWithin5Seconds(world: FaultWorld): Promise<string> {
  const outcome = await world.write(world.bob, world.alice);
  const { subject } = world.letters.at(-1)!;
  const began = Date.now();
  const page = { accountId: world.alice.account.id, folder: 'INBOX', limit: 20 };
  while (!(await world.alice.engine.getEmailList(page)).messages.some((message) => message.subject === subject)) {
    assert.ok(Date.now() - began < 5000, 'not shown within 5 seconds');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return `${outcome}, shown`;
}

export const IMAP_ROWS: readonly FaultRow[] = [
  ...HOWS.map((how): FaultRow => ({
    name: `${how} of every open connection`,
    spoiled: 'IMAP',
    ...inLongForm(how === 'half-close' || how === 'reset'),
    strike: (w) => w.imap.faultNow({ how }),
    act: looks,
    reaches: how === 'stall' ? ['ok', 'net.timeout'] : ['ok', 'net.cut'],
  })),
  ...HOWS.map((how): FaultRow => ({
    name: `${how} in the middle of a large message that is being fetched`,
    spoiled: 'IMAP',
    ...inLongForm(how !== 'cut'),
    strike: async (w) => {
      await w.write(w.bob, w.alice, { bytes: 200_000 });
      await w.eventually('its header is there', async () => (await newest(w)) === w.letters.at(-1)!.subject);
      w.imap.faultNow({ how, afterBytes: 50_000 });
    },
    act: opensNewestButBobs,
    reaches: how === 'stall' ? ['ok', 'net.timeout'] : 'ok',
  })),
  ...HOWS.map((how): FaultRow => ({
    name: `${how} in the middle of filing the copy in Sent`,
    spoiled: 'IMAP',
    ...inLongForm(how === 'half-close' || how === 'reset'),
    strike: (w) =>
      w.policy.next('END-OF-MESSAGE', w.alice.email, () => {
        w.imap.faultNow({ direction: 'to-server', afterBytes: 20_000, how });
        return 'DUNNO';
      }),
    act: writesLarge,
    reaches: 'sent',
  })),
  ...HOWS.map((how): FaultRow => ({
    name: `${how} while the connection is opened`,
    spoiled: 'IMAP',
    ...inLongForm(how === 'half-close' || how === 'reset'),
    strike: async (w) => {
      w.imap.faultNow({ how: 'cut' });
      await w.imap.untilClosed();
      w.imap.faultNext({ how });
    },
    act: looks,
    reaches: how === 'stall' ? ['ok', 'net.timeout'] : ['ok', 'net.cut'],
  })),
  {
    name: 'connections refused until it is mended',
    spoiled: 'IMAP',
    strike: (w) => (w.imap.admit('refuse'), w.imap.faultNow({ how: 'reset' })),
    act: looks,
    reaches: 'net.cut',
    account: 'offline net.cut',
  },
  { name: 'line of 100 kB a second', spoiled: 'IMAP', strike: (w) => w.imap.slowDown(100_000), act: looks, reaches: 'ok' },
  {
    name: 'server says BYE to everybody signed in',
    spoiled: 'IMAP',
    strike: async (w) => assert.equal(await w.kick(), 'kicked'),
    act: looks,
    reaches: 'ok',
  },
  {
    name: 'half-open for an hour: nothing passes, nobody is told',
    spoiled: 'IMAP',
    strike: (w) => {
      w.imap.faultNow({ how: 'stall' });
      for (let minute = 0; minute < 60; minute += 1) w.leap(60_000);
    },
    act: looks,
    reaches: ['ok', 'net.timeout'],
  },
  {
    name: 'token expires in IDLE, the server ends the session: the next mail is shown within 5 seconds',
    spoiled: 'IMAP',
    strike: async (w) => {
      w.gate.kill(w.accessToken);
      w.leap(3_600_000);
      assert.equal(await w.kick(), 'kicked');
    },
    act: shownWithin5Seconds,
    reaches: 'sent, shown',
  },
  {
    name: 'token expires in IDLE, the connection is cut: the next mail is shown within 5 seconds',
    spoiled: 'IMAP',
    strike: (w) => w.expireToken(),
    act: shownWithin5Seconds,
    reaches: 'sent, shown',
  },
  {
    name: 'UIDVALIDITY of the inbox changed',
    spoiled: 'mailbox',
    strike: async (w) => {
      await w.mail.doveadm(['mailbox', 'update', '-u', w.alice.email, '--uid-validity', String(1_900_000_000), 'INBOX']);
    },
    act: looks,
    reaches: 'ok',
  },
  {
    name: 'UIDVALIDITY of Sent changed',
    spoiled: 'mailbox',
    strike: async (w) => {
      await w.mail.doveadm(['mailbox', 'update', '-u', w.alice.email, '--uid-validity', String(1_900_000_001), 'Sent']);
    },
    reaches: 'sent',
  },
];

async function newest(world: FaultWorld): Promise<string | undefined> {
  const page = await world.alice.engine.getEmailList({ accountId: world.alice.account.id, folder: 'INBOX', limit: 5 });
  return page.messages[0]?.subject;
}

/** Opens the large letter, whose source is still on the server. */
async function opensNewestButBobs(world: FaultWorld): Promise<string> {
  const { messages } = await world.alice.engine.getEmailList({ accountId: world.alice.account.id, folder: 'INBOX', limit: 5 });
  const large = messages.find(({ subject }) => subject === world.letters[0]!.subject)!;
  try {
    const { text } = await world.alice.engine.openMessage({ messageId: large.id });
    assert.ok(text.length > 190_000, 'half a message');
    return 'ok';
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}
