import assert from 'node:assert/strict';
import { Log, type LogEntry } from '../../../src/core/base/log.ts';
import type { CredentialSource } from '../../../src/core/base/ports.ts';
import { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { testCaPem } from '../../world/pki.ts';
import { manualClock, type ManualClock } from './manualClock.ts';
import { startScriptedImap, type ScriptedImap } from './scriptedImap.ts';
import { ALICE, counter, passwordOf, rejectsWith, tokenSource } from './support.ts';

describe('a watch whose server says why it ends the session', () => {
  let imap: ScriptedImap;
  let clock: ManualClock;
  let caPem: string;
  let handler: EmailHandler;
  const logged: LogEntry[] = [];

  before(async () => {
    caPem = await testCaPem();
  });
  beforeEach(async () => {
    imap = await startScriptedImap();
    clock = manualClock();
    logged.length = 0;
  });
  afterEach(async () => {
    handler?.dispose();
    await imap?.close();
  });

  function handlerWith(credentials: CredentialSource): EmailHandler {
    const access = { servers: { imap: imap.address, smtp: imap.address }, credentials, authorities: () => caPem, filesOwnSent: false };
    const random = { bytes: Buffer.alloc, uuid: () => '', fraction: () => 0.5 };
    const log = new Log((entry) => logged.push(entry), 'transport');
    handler = new EmailHandler(access, { clock, random, log, timing: { pollMs: 1e9 } });
    return handler;
  }
  const delays = (): unknown[] => logged.filter(({ event }) => event.endsWith('watch-interrupted')).map(({ facts }) => facts['delayMs']);

  for (const [name, end] of [
    ['BYE', (imap: ScriptedImap) => imap.sessions[0]!.say('* BYE [EXPIRED] access token expired')],
    [
      'a refused IDLE',
      (imap: ScriptedImap) => {
        imap.answer = (command, { shown }) => (command === 'IDLE' && shown === 'old' ? 'NO [EXPIRED] access token expired' : undefined);
        clock.advance(230_000);
      },
    ],
  ] as const) {
    it(`comes back at once with a fresh token after the old one ran out in IDLE (${name})`, async () => {
      const source = tokenSource(ALICE, { cached: 'old', refresh: () => 'new' });
      const changes = counter();
      const idling = imap.untilIdling(1);
      handlerWith(source).watch('INBOX', changes.hit);
      await idling;
      const again = imap.untilIdling(2);
      end(imap);
      // No time passes: the clock stands still but for the watchdog's.
      assert.equal((await again).shown, 'new');
      assert.deepEqual([source.asked, delays(), changes.count], [{ cached: 1, fresh: 1 }, [0], 2]);
    });
  }

  it('does not refresh in a circle when fresh tokens run out as well', async () => {
    const source = tokenSource(ALICE, { cached: 'a', refresh: () => 'b' });
    imap.answer = (command) => (command === 'IDLE' ? 'NO [EXPIRED] no' : undefined);
    handlerWith(source).watch('INBOX', () => {});
    await clock.untilArmed(1000, 1001);
    assert.deepEqual(delays(), [0, 1000]);
    clock.advance(1000);
    await clock.untilArmed(2000, 2001);
    assert.deepEqual(delays(), [0, 1000, 2000]);
  });

  it('waits as long as a throttling server wants, on every connection, and tells who asks', async () => {
    handlerWith(passwordOf(ALICE));
    const idling = imap.untilIdling(1);
    handler.watch('INBOX', () => {});
    (await idling).say('* BYE [THROTTLED] too many requests');
    await clock.untilArmed(60_000, 61_000);
    const opened = imap.sessions.length;
    clock.advance(20_000);
    await rejectsWith(handler.listFolders(), 'imap.rejected', { retryAfterMs: 40_000, response: 'BYE [THROTTLED] too many requests' });
    assert.equal(imap.sessions.length, opened, 'nobody connected');
    const again = imap.untilIdling(2);
    clock.advance(40_500);
    await again;
    assert.equal((await handler.listFolders()).length, 1);
  });

  it('reads the time that Microsoft puts into words', async () => {
    handlerWith(passwordOf(ALICE));
    imap.answer = (command) => (command === 'LIST' ? 'BAD Request is throttled. Suggested Backoff Time: 400 milliseconds' : undefined);
    await rejectsWith(handler.listFolders(), 'imap.rejected', { retryAfterMs: 400 });
  });

  it('takes a busy server at its word when it does not even greet', async () => {
    imap.greeting = '* BYE [UNAVAILABLE] come back later';
    handlerWith(passwordOf(ALICE));
    await rejectsWith(handler.listFolders(), 'imap.rejected', { retryAfterMs: 15_000 });
    imap.greeting = undefined;
    await rejectsWith(handler.listFolders(), 'imap.rejected');
    assert.equal(imap.sessions.length, 1);
    clock.advance(15_000);
    assert.equal((await handler.listFolders()).length, 1);
  });

  it('does not storm a server that refuses its log-in', async () => {
    imap.answer = (command) => (command === 'AUTHENTICATE' || command === 'LOGIN' ? 'NO [AUTHENTICATIONFAILED] wrong' : undefined);
    handlerWith(passwordOf(ALICE)).watch('INBOX', () => {});
    await clock.untilArmed(150_000, 300_000);
    assert.equal(imap.sessions.length, 1);
  });

  it('comes back within a second after a plain goodbye, and passes an alert on to the log', async () => {
    handlerWith(passwordOf(ALICE));
    const idling = imap.untilIdling(1);
    handler.watch('INBOX', () => {});
    const session = await idling;
    session.say('* OK [ALERT] maintenance tonight');
    session.say('* BYE see you');
    await clock.untilArmed(1, 1001);
    assert.ok(logged.some(({ event, facts }) => event.endsWith('alert') && facts['said'] === 'maintenance tonight'));
    const again = imap.untilIdling(2);
    clock.advance(1000);
    await again;
  });
});
