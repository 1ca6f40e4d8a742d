import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QuMailError, type ErrorCode } from '../../../src/core/base/errors.ts';
import { Log, type LogEntry } from '../../../src/core/base/log.ts';
import type { Clock, Credential, CredentialSource } from '../../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import type { ServerAddress } from '../../../src/core/base/types.ts';
import { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import type { TransportTiming } from '../../../src/core/transport/mailAccess.ts';
import type { RemoteMessage } from '../../../src/core/transport/remoteMail.ts';
import { startMailWorld, type MailWorld, type MailWorldOptions } from '../../world/mailWorld.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';

export const ALICE = { email: 'alice@example.test', password: 'alice-password-91' };
export const BOB = { email: 'bob@other.test', password: 'bob-password-92' };

export async function startWorld(o: Partial<MailWorldOptions> = {}): Promise<MailWorld> {
  return startMailWorld({ users: [ALICE, BOB], tls: { ...(await issueServer()), caPem: await testCaPem() }, ...o });
}

/** Everything the code under test logged in this process. */
export const logged: LogEntry[] = [];

export interface HandlerOptions {
  readonly credentials?: CredentialSource;
  readonly imap?: ServerAddress;
  readonly smtp?: ServerAddress;
  /** PEM, or 'system' for none beyond the system's. */
  readonly authority?: string;
  readonly timing?: Partial<TransportTiming>;
  readonly clock?: Clock;
}

export function passwordOf(user: { email: string; password: string }): CredentialSource {
  return async () => ({ kind: 'password', user: user.email, password: user.password });
}

export function handlerFor(world: MailWorld, user: { email: string; password: string }, o: HandlerOptions = {}): EmailHandler {
  const authority = o.authority ?? world.caPem;
  return new EmailHandler(
    {
      servers: { imap: o.imap ?? world.imap, smtp: o.smtp ?? world.smtp },
      credentials: o.credentials ?? passwordOf(user),
      authorities: () => (authority === 'system' ? undefined : authority),
      filesOwnSent: false,
    },
    {
      clock: o.clock ?? systemClock,
      random: systemRandom,
      log: new Log((entry) => logged.push(entry), 'transport'),
      ...(o.timing ? { timing: o.timing } : {}),
    },
  );
}

/** A message with CRLF line ends and everything a server would otherwise add. */
export function message(o: { from: string; to: string; subject: string; body: string | Buffer; headers?: string }): Buffer {
  const head = `From: ${o.from}\r\nTo: ${o.to}\r\nSubject: ${o.subject}\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n`;
  const id = `Message-ID: <${systemRandom.uuid()}@example.test>\r\n`;
  return Buffer.concat([Buffer.from(`${head}${id}MIME-Version: 1.0\r\n${o.headers ?? ''}\r\n`), Buffer.from(o.body)]);
}

/** Resolves once the folder holds `count` messages, told by the server's push and nothing else. */
export function untilMessages(handler: EmailHandler, count: number, folder = 'INBOX'): Promise<void> {
  return untilListed(handler, folder, (list) => list.length >= count);
}

/** Resolves once a message of this subject has arrived. */
export function untilSubject(handler: EmailHandler, subject: string): Promise<void> {
  return untilListed(handler, 'INBOX', (list) => list.some((message) => message.subject === subject));
}

async function untilListed(handler: EmailHandler, folder: string, satisfied: (list: RemoteMessage[]) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watch = handler.watch(folder, () => {
    handler.getEmailList(folder, 1000).then((list) => {
      if (satisfied(list)) resolve();
    }, reject);
  });
  try {
    await promise;
  } finally {
    watch.dispose();
  }
}

export async function rejectsWith(promise: Promise<unknown>, code: ErrorCode, details: Record<string, unknown> = {}): Promise<QuMailError> {
  let thrown: unknown;
  await assert.rejects(promise, (error) => {
    thrown = error;
    return true;
  });
  assert.ok(thrown instanceof QuMailError, `not a QuMailError: ${String(thrown)}`);
  assert.equal(thrown.code, code, `${thrown.code} ${JSON.stringify(thrown.details)} ${String(thrown.cause)}`);
  for (const [name, value] of Object.entries(details)) assert.deepEqual(thrown.details[name], value);
  return thrown;
}

/** An RFC 7662 introspection endpoint that knows these tokens. */
export interface TokenServer {
  readonly url: string;
  /** Makes a token for a user; it is active until revoked. */
  grant(token: string, email: string): void;
  revoke(token: string): void;
  close(): Promise<void>;
}

export async function startTokenServer(): Promise<TokenServer> {
  const tokens = new Map<string, string>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const sub = tokens.get(new URLSearchParams(body).get('token') ?? '');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(sub === undefined ? { active: false } : { active: true, sub }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`,
    grant: (token, email) => void tokens.set(token, email),
    revoke: (token) => void tokens.delete(token),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A credential source with a token that can be replaced by a refresh; counts what it was asked. */
export function tokenSource(
  user: { email: string },
  o: { cached: string; refresh: () => string },
): CredentialSource & { asked: { cached: number; fresh: number } } {
  let token = o.cached;
  const asked = { cached: 0, fresh: 0 };
  const source = async (how: 'cached' | 'fresh'): Promise<Credential> => {
    asked[how]++;
    if (how === 'fresh') token = o.refresh();
    return { kind: 'token', user: user.email, accessToken: token };
  };
  return Object.assign(source, { asked });
}

/** Counts calls, and tells when there were enough of them. */
export function counter(): { readonly count: number; hit(): void; reached(target: number): Promise<void> } {
  let count = 0;
  const waiters: { target: number; resolve: () => void }[] = [];
  return {
    get count() {
      return count;
    },
    hit() {
      count++;
      for (const waiter of waiters) if (count >= waiter.target) waiter.resolve();
    },
    reached: (target) => (count >= target ? Promise.resolve() : new Promise((resolve) => waiters.push({ target, resolve }))),
  };
}
