import assert from 'node:assert/strict';
import { Log } from '../../../src/core/base/log.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import type { RemoteSource } from '../../../src/core/transport/remoteMail.ts';
import { testCaPem } from '../../world/pki.ts';
import { startScriptedImap, type ScriptedImap } from './scriptedImap.ts';
import { ALICE, passwordOf, rejectsWith } from './support.ts';

describe('fetching many messages', () => {
  let imap: ScriptedImap;
  let handler: EmailHandler;

  beforeEach(async () => {
    const caPem = await testCaPem();
    imap = await startScriptedImap();
    const access = {
      servers: { imap: imap.address, smtp: imap.address },
      credentials: passwordOf(ALICE),
      authorities: () => caPem,
      filesOwnSent: false,
    };
    handler = new EmailHandler(access, { clock: systemClock, random: systemRandom, log: new Log(() => {}, 'transport') });
  });
  afterEach(async () => {
    handler?.dispose();
    await imap?.close();
  });

  function answering(...lines: readonly string[]): void {
    imap.answer = (command, session) => {
      if (command !== 'UID') return undefined;
      for (const line of lines) session.say(line);
      return 'OK done';
    };
  }

  it('gives the same for every way of writing an answer, in the order of the server', async () => {
    answering(
      '* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" BODY[] {3}\r\none)',
      '* 2 FETCH (BODY[] "two" UID 2 FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700")',
      '* 3 FETCH (FLAGS (\\Seen) UID 3 X-UNKNOWN (a "b") INTERNALDATE "17-Jul-1996 02:44:25 -0700" BODY[] {5}\r\nthree)',
      '* 4 EXISTS',
      '* 4 FETCH (FLAGS ())',
      '* 4 FETCH (INTERNALDATE "17-Jul-1996 02:44:25 -0700" FLAGS (\\seen \\Recent) MODSEQ (12) BODY[] {4}\r\nfour UID 4)',
    );
    const came: RemoteSource[] = [];
    await handler.fetchSources('INBOX', 1, [1, 2, 3, 4], (message) => void came.push(message));
    const internalDate = Date.UTC(1996, 6, 17, 9, 44, 25);
    assert.deepEqual(
      came.map(({ raw, ...rest }) => ({ ...rest, raw: raw.toString() })),
      ['one', 'two', 'three', 'four'].map((raw, index) => ({ uid: index + 1, flags: ['seen'], internalDate, raw })),
    );
  });

  it('hands out no message twice, and none that was not asked for', async () => {
    answering(...[7, 1, 1, 8].map((uid) => `* ${uid} FETCH (UID ${uid} FLAGS () RFC822.SIZE ${uid})`));
    assert.deepEqual(await handler.fetchFacts('INBOX', 1, [1, 2]), [{ uid: 1, size: 1, flags: [] }]);
  });

  it('does not read on before what came is dealt with', async () => {
    answering(...[1, 2, 3].map((uid) => `* ${uid} FETCH (UID ${uid} FLAGS () BODY[] {1}\r\nx)`));
    const order: string[] = [];
    await handler.fetchSources('INBOX', 1, [1, 2, 3], async ({ uid }) => {
      order.push(`begin ${uid}`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`end ${uid}`);
    });
    assert.deepEqual(order, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  it('fails as whoever takes the messages fails, and works again afterwards', async () => {
    answering('* 1 FETCH (UID 1 FLAGS () BODY[] {1}\r\nx)', '* 2 FETCH (UID 2 FLAGS () BODY[] {1}\r\ny)');
    const full = (): never => {
      throw new QuMailError('store.full');
    };
    await rejectsWith(handler.fetchSources('INBOX', 1, [1, 2], full), 'store.full');
    const came: number[] = [];
    await handler.fetchSources('INBOX', 1, [1, 2], ({ uid }) => void came.push(uid));
    assert.deepEqual(came, [1, 2]);
  });
});
