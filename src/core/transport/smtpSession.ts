import { Readable } from 'node:stream';
import SMTPConnection, { type SMTPConnectionCustomAuthContext } from 'nodemailer/lib/smtp-connection';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { Credential } from '../base/ports.ts';
import { withCredential } from './credentials.ts';
import { contextFor } from './imapClient.ts';
import type { MailAccess, TransportTiming } from './mailAccess.ts';
import type { SendOutcome, SendRequest } from './remoteMail.ts';
import { enhancedStatus, smtpError, type SmtpStage } from './transportErrors.ts';

const CHUNK = 64 * 1024;
const MAX_REPLY = 64 * 1024;
/** Under the name XOAUTH2 Nodemailer would pick another mechanism and show the token as a password. */
const TOKEN_METHOD = 'OAUTHBEARER';

/** How far a message got, filled in while it is sent. */
export interface SendProgress {
  stage: SmtpStage;
}

/** One authenticated SMTP connection. Nodemailer's transport is imported in this file only. */
export class SmtpSession {
  readonly #connection: SMTPConnection;
  readonly #host: string;
  readonly shown: Credential['kind'];

  private constructor(connection: SMTPConnection, host: string, shown: Credential['kind']) {
    this.#connection = connection;
    this.#host = host;
    this.shown = shown;
  }

  /**
   * Connects and logs in. Rejects with `auth.wrong-password`, `auth.token-refused`, `net.*`, `smtp.deferred` or `smtp.rejected`; when
   * `signal` is aborted no socket is left.
   */
  static open(access: MailAccess, timing: TransportTiming, first: 'cached' | 'fresh', signal: AbortSignal): Promise<SmtpSession> {
    return withCredential(access.credentials, first, signal, (credential) => SmtpSession.#connect(access, timing, credential, signal));
  }

  static async #connect(access: MailAccess, timing: TransportTiming, credential: Credential, signal: AbortSignal): Promise<SmtpSession> {
    throwIfCancelled(signal);
    const { host, port, security } = access.servers.smtp;
    const connection = new SMTPConnection({
      host,
      port,
      secure: security === 'tls',
      requireTLS: true,
      tls: { secureContext: contextFor(host, access.authorities(host)), rejectUnauthorized: true },
      name: '[127.0.0.1]', // not the name of the person's machine
      logger: false, // it would print what it sends
      connectionTimeout: timing.connectMs,
      greetingTimeout: timing.connectMs,
      dnsTimeout: timing.connectMs,
      socketTimeout: timing.silenceMs,
      socketCloseTimeout: 0,
      maxResponseSize: MAX_REPLY,
      customAuth: { [TOKEN_METHOD]: authenticateWithToken },
    });
    connection.on('error', () => {}); // the step under way is rejected with the same failure
    const session = new SmtpSession(connection, host, credential.kind);
    const onAbort = (): void => connection.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await session.#step<void>((done) => connection.connect((error) => done(error ?? null)));
      if (!connection.allowsAuth) throw new QuMailError('net.protocol', { protocol: 'smtp', host, reason: 'no-authentication' });
      await session.#step((done) => connection.login(authOf(credential), done));
      return session;
    } catch (error) {
      connection.close();
      throwIfCancelled(signal);
      throw smtpError(error, { host, shown: credential.kind, stage: 'envelope' });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  get alive(): boolean {
    const socket = this.#connection._socket;
    return !this.#connection.destroyed && socket !== false && socket !== null && !socket.destroyed && socket.writable;
  }

  /** One transaction. Rejects with what Nodemailer reports; `progress` tells how far it got. Aborting `signal` closes the connection. */
  async send(request: SendRequest, progress: SendProgress, signal: AbortSignal): Promise<SendOutcome> {
    const connection = this.#connection;
    const onAbort = (): void => connection.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const envelope = {
        from: request.from,
        to: [...request.to],
        size: request.raw.length,
        use8BitMime: request.raw.some((byte) => byte > 0x7f),
      };
      const info = await this.#step<Parameters<Parameters<SMTPConnection['send']>[2]>[1]>((done) =>
        connection.send(envelope, messageStream(request.raw, progress), done),
      );
      return {
        accepted: [...(info?.accepted ?? [])],
        rejected: [...(info?.rejected ?? [])],
        rejections: (info?.rejectedErrors ?? []).map((error) => ({
          address: String(error.recipient ?? ''),
          status: error.responseCode ?? 0,
          enhanced: enhancedStatus(typeof error.response === 'string' ? error.response : undefined),
        })),
        response: info?.response ?? '',
      };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Ends a refused transaction so that the next can begin (RSET). */
  async reset(): Promise<void> {
    await this.#step((done) => this.#connection.reset(done));
  }

  /** Says goodbye; the socket is closed with the answer. */
  quit(): void {
    this.#connection.quit();
  }

  /** Closes the socket at once. */
  close(): void {
    this.#connection.close();
  }

  /** Nodemailer does not call back when the connection ends while it connects or logs in; its events do tell. */
  #step<T>(start: (done: (error: Error | null, result?: T) => void) => void): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, result?: T): void => {
        this.#connection.off('error', onError);
        this.#connection.off('end', onEnd);
        if (error) reject(error);
        else resolve(result);
      };
      const onError = (error: unknown): void => settle(error);
      // After a reply that closes the connection (421) the callback comes in the same turn and knows more.
      const onEnd = (): void => void setImmediate(() => settle(new QuMailError('net.cut', { protocol: 'smtp', host: this.#host })));
      this.#connection.on('error', onError);
      this.#connection.on('end', onEnd);
      start((error, result) => settle(error, result));
    });
  }
}

function authOf(credential: Credential): { user: string; pass: string; method?: string } {
  if (credential.kind === 'password') return { user: credential.user, pass: credential.password };
  return { user: credential.user, pass: credential.accessToken, method: TOKEN_METHOD };
}

/** XOAUTH2 where it is offered, OAUTHBEARER (RFC 7628) otherwise. */
async function authenticateWithToken(context: SMTPConnectionCustomAuthContext): Promise<void> {
  const { user, pass } = context.auth.credentials;
  const bearer = `auth=Bearer ${pass}`;
  const google = context.authMethods.includes('XOAUTH2');
  const [method, payload, breaker] = google
    ? ['XOAUTH2', `user=${user}\x01${bearer}\x01\x01`, '']
    : ['OAUTHBEARER', `n,a=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},\x01${bearer}\x01\x01`, 'AQ=='];
  let reply = await context.sendCommand(`AUTH ${method} ${Buffer.from(payload).toString('base64')}`);
  if (reply.status === 334) reply = await context.sendCommand(breaker); // the reason comes first, the refusal after it
  if (reply.status !== 235) throw new Error('token refused');
}

/** The message in pieces; the stage follows what Nodemailer takes. It is not read before the server's 354. */
function messageStream(raw: Buffer, progress: SendProgress): Readable {
  let at = 0;
  const stream = new Readable({
    highWaterMark: CHUNK,
    read() {
      progress.stage = 'data';
      this.push(at < raw.length ? raw.subarray(at, at + CHUNK) : null);
      at += CHUNK;
    },
  });
  stream.once('end', () => {
    progress.stage = 'sent';
  });
  return stream;
}
