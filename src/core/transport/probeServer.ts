import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TrustedAuthorities } from '../base/ports.ts';
import type { ServerAddress } from '../base/types.ts';
import { contextFor } from './imapClient.ts';

export type MailProtocol = 'imap' | 'smtp';

/** Whether a mail server with a certificate for its own name answers there. Never rejects. */
export type ProbeServer = (protocol: MailProtocol, server: ServerAddress, signal: AbortSignal) => Promise<boolean>;

/** A greeting is one line; more than this is no mail server. */
const MAX_GREETING = 8192;
const GREETING: Readonly<Record<MailProtocol, RegExp>> = { imap: /^\* OK\b/i, smtp: /^220[ -]/ };
const STARTTLS: Readonly<Record<MailProtocol, { readonly ask: string; readonly granted: RegExp }>> = {
  imap: { ask: 'a STARTTLS\r\n', granted: /^a OK\b/im },
  smtp: { ask: 'STARTTLS\r\n', granted: /^220[ -]/m },
};

/**
 * Connects, verifies the certificate, waits for the greeting and leaves. With STARTTLS the greeting comes first; an SMTP server is not
 * told who asks (no EHLO), which the servers in use accept.
 */
export function createProbe(deps: { readonly authorities: TrustedAuthorities }): ProbeServer {
  return async (protocol, { host, port, security }, signal) => {
    const sockets: Socket[] = [];
    // The TLS layer before the socket below it: Node 24 crashes over the other order.
    const onAbort = (): void =>
      sockets
        .splice(0)
        .reverse()
        .forEach((socket) => socket.destroy());
    signal.addEventListener('abort', onAbort, { once: true });
    const own = <T extends Socket>(socket: T): T => {
      sockets.push(socket.on('error', () => {}));
      return socket;
    };
    try {
      if (signal.aborted) return false;
      const secure = { host, servername: host, secureContext: contextFor(host, deps.authorities(host)), rejectUnauthorized: true };
      if (security === 'tls') return await said(own(connectTls({ ...secure, port })), GREETING[protocol]);
      const plain = own(connectPlain({ host, port }));
      if (!(await said(plain, GREETING[protocol]))) return false;
      plain.write(STARTTLS[protocol].ask);
      if (!(await said(plain, STARTTLS[protocol].granted))) return false;
      const tls = own(connectTls({ ...secure, socket: plain }));
      return await new Promise<boolean>((resolve) => {
        tls.once('secureConnect', () => resolve(true));
        tls.once('close', () => resolve(false));
      });
    } catch {
      return false;
    } finally {
      signal.removeEventListener('abort', onAbort);
      onAbort();
    }
  };
}

/** Whether the next bytes of the stream match, before it ends. */
function said(socket: Socket, pattern: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = '';
    const settle = (outcome: boolean): void => {
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve(outcome);
    };
    const onClose = (): void => settle(false);
    const onData = (chunk: Buffer): void => {
      heard += chunk.toString('latin1');
      if (pattern.test(heard)) settle(true);
      else if (heard.includes('\n') || heard.length > MAX_GREETING) settle(false);
    };
    socket.on('data', onData);
    socket.on('close', onClose);
  });
}
