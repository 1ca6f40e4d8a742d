import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import { Log } from '../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';
import { ALICE, BOB, message, rejectsWith, tokenSource } from './support.ts';

const EXPIRED = 'expired-token';

/** Some hosts end a token's session with the next command rather than with the connection; Dovecot and Postfix never do, so these do. */
describe('a token that the server refuses in the middle of a session', () => {
  let imapPort: number;
  let smtpPort: number;
  let caPem: string;
  const closing: (() => Promise<void>)[] = [];
  const handlers: EmailHandler[] = [];
  const delivered: string[] = [];

  before(async () => {
    caPem = await testCaPem();
    const { certPem, keyPem } = await issueServer();
    const sockets = new Set<TLSSocket>();
    const imap = createServer({ cert: certPem, key: keyPem }, (socket) => {
      sockets.add(socket);
      serveImap(socket);
    });
    await new Promise<void>((resolve) => imap.listen(0, '127.0.0.1', resolve));
    imapPort = (imap.address() as AddressInfo).port;
    const smtp = new SMTPServer({
      secure: true,
      cert: certPem,
      key: keyPem,
      authMethods: ['XOAUTH2'],
      onAuth: (auth, _session, done) => done(null, { user: auth.accessToken ?? '' }),
      onMailFrom: (_address, session, done) => {
        if (session.user === EXPIRED) done(Object.assign(new Error('5.7.0 Authentication required'), { responseCode: 530 }));
        else done();
      },
      onData: (stream, session, done) => {
        delivered.push(String(session.user));
        stream.resume().on('end', () => done());
      },
    });
    const listening = smtp.listen(0, '127.0.0.1');
    await new Promise((resolve) => listening.once('listening', resolve));
    smtpPort = (listening.address() as AddressInfo).port;
    closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => imap.close(resolve));
      await new Promise<void>((resolve) => smtp.close(resolve));
    });
  });
  afterEach(() => {
    for (const handler of handlers.splice(0)) handler.dispose();
  });
  after(async () => {
    for (const close of closing) await close();
  });

  function handlerWith(credentials: ReturnType<typeof tokenSource>): EmailHandler {
    const at = (port: number) => ({ host: '127.0.0.1', port, security: 'tls' }) as const;
    const access = { servers: { imap: at(imapPort), smtp: at(smtpPort) }, credentials, authorities: () => caPem, filesOwnSent: false };
    const handler = new EmailHandler(access, { clock: systemClock, random: systemRandom, log: new Log(() => {}, 'transport') });
    handlers.push(handler);
    return handler;
  }
  const raw = message({ from: ALICE.email, to: BOB.email, subject: 'x', body: 'x\r\n' });
  const request = { from: ALICE.email, to: [BOB.email], raw };

  it('is refreshed once, and what was asked for is done', async () => {
    const credentials = tokenSource(ALICE, { cached: EXPIRED, refresh: () => 'good-token' });
    const handler = handlerWith(credentials);
    assert.deepEqual(
      (await handler.listFolders()).map(({ path }) => path),
      ['INBOX'],
    );
    assert.deepEqual(credentials.asked, { cached: 1, fresh: 1 });
    const sender = tokenSource(ALICE, { cached: EXPIRED, refresh: () => 'good-token' });
    assert.match((await handlerWith(sender).send(request)).response, /^250 /);
    assert.deepEqual(sender.asked, { cached: 1, fresh: 1 });
    assert.deepEqual(delivered, ['good-token']);
  });

  it('is not refreshed a second time', async () => {
    const credentials = tokenSource(ALICE, { cached: EXPIRED, refresh: () => EXPIRED });
    await rejectsWith(handlerWith(credentials).listFolders(), 'auth.token-refused', { protocol: 'imap' });
    await rejectsWith(handlerWith(credentials).send(request), 'auth.token-refused', { protocol: 'smtp' });
    assert.deepEqual(credentials.asked, { cached: 2, fresh: 2 });
  });
});

/** As much IMAP as it takes to list one folder; every token logs in, an expired one may do nothing. */
function serveImap(socket: TLSSocket): void {
  let token = '';
  let buffered = '';
  socket.on('error', () => {});
  socket.write('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n');
  socket.on('data', (chunk: Buffer) => {
    buffered += chunk.toString('latin1');
    for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
      const [tag = '', command = '', ...rest] = buffered.slice(0, end).split(' ');
      buffered = buffered.slice(end + 2);
      if (command === 'AUTHENTICATE') token = /Bearer ([^\x01]*)/.exec(Buffer.from(rest[1] ?? '', 'base64').toString())?.[1] ?? '';
      if (command === 'LIST' && token === EXPIRED) {
        socket.write(`${tag} NO [EXPIRED] token expired\r\n`);
        continue;
      }
      if (command === 'CAPABILITY') socket.write('* CAPABILITY IMAP4rev1\r\n');
      if (command === 'LIST') socket.write('* LIST (\\HasNoChildren) "/" INBOX\r\n');
      if (command === 'STATUS') socket.write('* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1 UNSEEN 0)\r\n');
      socket.write(`${tag} OK done\r\n`);
    }
  });
}
