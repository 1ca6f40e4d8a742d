import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { QuMailError } from '../../../src/core/base/errors.ts';
import type { Credential } from '../../../src/core/base/ports.ts';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { startCuttingProxy, type CuttingProxy } from '../../world/cuttingProxy.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { issueServer } from '../../world/pki.ts';
import {
  ALICE,
  BOB,
  handlerFor,
  logged,
  message,
  rejectsWith,
  startTokenServer,
  startWorld,
  tokenSource,
  type HandlerOptions,
  type TokenServer,
} from './support.ts';

const raw = message({ from: ALICE.email, to: BOB.email, subject: 'x', body: 'x\r\n' });
const request = { from: ALICE.email, to: [BOB.email], raw };

describe('signing in to mail servers', () => {
  let tokens: TokenServer;
  let world: MailWorld;
  const open: { dispose(): void }[] = [];
  const proxies: CuttingProxy[] = [];
  const listeners: Server[] = [];

  before(async function () {
    needMailWorld(this);
    tokens = await startTokenServer();
    world = await startWorld({ introspectionUrl: tokens.url });
  });
  afterEach(async () => {
    for (const one of open.splice(0)) one.dispose();
    for (const proxy of proxies.splice(0)) await proxy.close();
    for (const server of listeners.splice(0)) await new Promise((resolve) => server.close(resolve));
  });
  after(async () => {
    await world?.stop();
    await tokens?.close();
  });

  function alice(o: HandlerOptions = {}): EmailHandler {
    const handler = handlerFor(world, ALICE, o);
    open.push(handler);
    return handler;
  }
  async function proxied(target: MailWorld['imap']): Promise<CuttingProxy> {
    const proxy = await startCuttingProxy(target);
    proxies.push(proxy);
    return proxy;
  }
  let serial = 0;
  const newToken = (): string => {
    const token = `token-${++serial}-of-alice-secret`;
    tokens.grant(token, ALICE.email);
    return token;
  };

  it('logs in with a password or with a token, to IMAP and SMTP', async () => {
    await alice().verify();
    const credentials = tokenSource(ALICE, { cached: newToken(), refresh: () => assert.fail('not needed') });
    const handler = alice({ credentials });
    await handler.verify();
    await handler.send(request);
    assert.deepEqual(credentials.asked, { cached: 2, fresh: 0 });
  });

  it('tells which server refused a wrong password, and asks only once', async () => {
    let asked = 0;
    const credentials = async (): Promise<Credential> => {
      asked++;
      return { kind: 'password', user: ALICE.email, password: 'wrong' };
    };
    await rejectsWith(alice({ credentials }).verify(), 'auth.wrong-password', { protocol: 'imap', host: '127.0.0.1' });
    await rejectsWith(alice({ credentials }).send(request), 'auth.wrong-password', { protocol: 'smtp' });
    assert.equal(asked, 2);
  });

  it('refreshes a refused token once, and goes on', async () => {
    const credentials = tokenSource(ALICE, { cached: 'expired-token', refresh: newToken });
    const handler = alice({ credentials });
    await handler.listFolders();
    await handler.send(request);
    assert.deepEqual(credentials.asked, { cached: 2, fresh: 1 });
  });

  it('asks the person to sign in again when the fresh token is refused too', async () => {
    const credentials = tokenSource(ALICE, { cached: 'expired-token', refresh: () => 'no-better-token' });
    await rejectsWith(alice({ credentials }).listFolders(), 'auth.token-refused', { protocol: 'imap' });
    await rejectsWith(alice({ credentials }).send(request), 'auth.token-refused', { protocol: 'smtp' });
    assert.deepEqual(credentials.asked, { cached: 2, fresh: 2 });
  });

  it('hands through why no fresh token could be had', async () => {
    const credentials = tokenSource(ALICE, {
      cached: 'expired-token',
      refresh: () => {
        throw new QuMailError('auth.sign-in-again');
      },
    });
    await rejectsWith(alice({ credentials }).listFolders(), 'auth.sign-in-again');
  });

  it('survives a token that expires while the session is open', async () => {
    const first = newToken();
    const credentials = tokenSource(ALICE, { cached: first, refresh: newToken });
    const [imap, smtp] = [await proxied(world.imap), await proxied(world.smtp)];
    const handler = alice({ credentials, imap: { ...world.imap, port: imap.port }, smtp: { ...world.smtp, port: smtp.port } });
    await handler.verify();
    tokens.revoke(first);
    imap.faultNow({ how: 'cut' });
    smtp.faultNow({ how: 'cut' });
    await handler.listFolders();
    await handler.send(request);
    assert.deepEqual(credentials.asked, { cached: 4, fresh: 1 });
  });

  it('trusts the authority named for the host besides the system, and no other', async () => {
    await alice().verify();
    await rejectsWith(alice({ authority: 'system' }).verify(), 'net.certificate', { host: '127.0.0.1' });
    await rejectsWith(alice({ authority: 'system' }).send(request), 'net.certificate');
    await rejectsWith(alice({ authority: 'system', imap: world.imapStartTls }).verify(), 'net.certificate');
    await rejectsWith(alice({ authority: 'system', smtp: world.smtpStartTls }).send(request), 'net.certificate');
    await rejectsWith(alice({ authority: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }).verify(), 'net.certificate');
  });

  it('refuses a certificate for another name', async () => {
    const elsewhere = await startWorld({ tls: { ...(await issueServer(['mail.elsewhere.test'])), caPem: world.caPem } });
    try {
      const handler = alice({ imap: elsewhere.imap, smtp: elsewhere.smtpStartTls });
      await rejectsWith(handler.verify(), 'net.certificate');
      await rejectsWith(handler.send(request), 'net.certificate');
    } finally {
      await elsewhere.stop();
    }
  });

  it('does not go on in the clear when STARTTLS is taken away on the way', async () => {
    const [imap, smtp] = [await proxied(world.imapStartTls), await proxied(world.smtpStartTls)];
    imap.rewrite('STARTTLS', 'NOTHINGS');
    smtp.rewrite('STARTTLS', 'NOTHINGS');
    smtp.rewrite('220 2.0.0 Ready to start TLS', '502 5.5.1 Ready to start TLS');
    const sent: Buffer[] = [];
    for (const proxy of [imap, smtp]) proxy.observe('to-server', (chunk) => sent.push(chunk));
    const handler = alice({ imap: { ...world.imapStartTls, port: imap.port }, smtp: { ...world.smtpStartTls, port: smtp.port } });
    await rejectsWith(handler.verify(), 'net.tls-required', { protocol: 'imap' });
    await rejectsWith(handler.send(request), 'net.tls-required', { protocol: 'smtp' });
    const words = Buffer.concat(sent).toString('latin1');
    assert.match(words, /STARTTLS/); // asked for although it was not offered
    assert.doesNotMatch(words, /AUTH|LOGIN|MAIL FROM/i);
  });

  it('names hosts that are unknown, ports that are closed and servers that say nothing', async () => {
    const unknown = { host: 'no-such-host.invalid', port: 993, security: 'tls' } as const;
    await rejectsWith(alice({ imap: unknown }).verify(), 'net.host-unknown', { host: unknown.host });
    await rejectsWith(alice({ smtp: unknown }).send(request), 'net.host-unknown', { host: unknown.host });
    const gone = await startCuttingProxy(world.imap);
    await gone.close();
    const closed = { host: '127.0.0.1', port: gone.port, security: 'tls' } as const;
    await rejectsWith(alice({ imap: closed }).verify(), 'net.refused');
    await rejectsWith(alice({ smtp: closed }).send(request), 'net.refused');
    const mute = createServer((socket) => socket.on('error', () => {}).resume());
    listeners.push(mute);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const silent = { host: '127.0.0.1', port: (mute.address() as AddressInfo).port } as const;
    const timing = { connectMs: 200 };
    for (const security of ['tls', 'starttls'] as const) {
      const handler = alice({ imap: { ...silent, security }, smtp: { ...silent, security }, timing });
      await rejectsWith(handler.verify(), 'net.timeout', { protocol: 'imap' });
      await rejectsWith(handler.send(request), 'net.timeout', { protocol: 'smtp' });
      handler.dispose();
    }
  });

  it('does not take another service for a mail server', async () => {
    await rejectsWith(alice({ imap: { ...world.imapStartTls, security: 'tls' } }).verify(), 'net.protocol');
    await rejectsWith(alice({ smtp: { ...world.smtpStartTls, security: 'tls' } }).send(request), 'net.protocol');
  });

  it('can be cancelled while it connects, and leaves no socket', async () => {
    const [imap, smtp] = [await proxied(world.imap), await proxied(world.smtp)];
    const handler = alice({ imap: { ...world.imap, port: imap.port }, smtp: { ...world.smtp, port: smtp.port } });
    for (const [proxy, call] of [
      [imap, (signal: AbortSignal) => handler.listFolders(signal)],
      [smtp, (signal: AbortSignal) => handler.send(request, signal)],
    ] as const) {
      const controller = new AbortController();
      proxy.faultNext({ afterBytes: 10, how: 'stall' });
      const stalled = proxy.untilStalled();
      const connecting = call(controller.signal);
      await stalled;
      controller.abort();
      await rejectsWith(connecting, 'engine.cancelled');
      await proxy.untilClosed();
    }
    await handler.verify();
  });

  it('writes no password and no token into the log', () => {
    const text = JSON.stringify(logged);
    assert.ok(text.includes('connected'));
    for (const secret of [
      ALICE.password,
      BOB.password,
      'of-alice-secret',
      'expired-token',
      Buffer.from(ALICE.password).toString('base64'),
    ]) {
      assert.ok(!text.includes(secret), `logged ${secret}`);
    }
  });
});
