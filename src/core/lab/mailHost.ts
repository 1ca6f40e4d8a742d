import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import { equalBytes } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { DisposableStore, toDisposable } from '../base/lifetime.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { ServerAddress } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';
import { encodeDate } from '../mail/headerField.ts';
import { ImapConnection } from './mailHostImap.ts';
import { LabUser } from './mailHostStore.ts';

const MAX_MESSAGE = 64 * 1024 * 1024;
const MAX_CONNECTIONS = 100;

interface MailHostUser {
  readonly email: string;
  readonly password: string;
  readonly displayName: string;
}

interface MailHostOptions {
  readonly users: readonly MailHostUser[];
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** The loopback address to listen on and to be found at. Default 127.0.0.1. */
  readonly host?: '127.0.0.1' | '::1' | 'localhost';
}

/** A mail host for the lab and for tests: IMAP and SMTP over TLS on loopback, everything in memory, gone when disposed of. */
export interface MailHost extends Disposable {
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress;
  /** Puts a message into a user's INBOX as if it had arrived. Throws `smtp.recipient-rejected` for an unknown user. */
  deliver(email: string, raw: Buffer): void;
}

/**
 * Starts the host on free ports. Users have INBOX, Sent, Drafts, Trash and Archive of their own; accepted mail goes to the
 * recipients' INBOX at once, unknown recipients are refused with 550, senders other than the user with 553. Rejects with
 * `net.refused` when it cannot listen. `dispose` closes every connection.
 */
export async function startMailHost(o: MailHostOptions): Promise<MailHost> {
  const users = new Map(o.users.map((u) => [keyOf(u.email), new LabUser(keyOf(u.email), u.password)]));
  const authenticate = (name: string, password: string): LabUser | undefined => {
    const user = users.get(keyOf(name));
    return user && equalBytes(Buffer.from(password), Buffer.from(user.password)) ? user : undefined;
  };
  const host = o.host ?? '127.0.0.1';
  const opened = new DisposableStore();
  try {
    const imap = await startImap(host, o.tls, authenticate, opened);
    const smtp = await startSmtp(host, o.tls, users, authenticate, opened);
    return {
      imap: { host, port: imap, security: 'tls' },
      smtp: { host, port: smtp, security: 'tls' },
      deliver: (email, raw) => {
        const user = users.get(keyOf(email));
        if (!user) throw new QuMailError('smtp.recipient-rejected', { recipients: [email] });
        user.inbox.append(raw);
      },
      dispose: () => opened.dispose(),
    };
  } catch (error) {
    opened.dispose();
    throw QuMailError.from(error, 'net.refused', { host });
  }
}

type Authenticate = (name: string, password: string) => LabUser | undefined;

/** Addresses are looked up without regard to case, as mail hosts do. */
function keyOf(email: string): string {
  return (normalizeAddress(email) ?? email).toLowerCase();
}

async function startImap(host: string, tls: MailHostOptions['tls'], authenticate: Authenticate, opened: DisposableStore): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ cert: tls.certPem, key: tls.keyPem, minVersion: 'TLSv1.2' }, (socket) => {
    sockets.add(socket);
    const connection = new ImapConnection(socket, authenticate);
    socket.once('close', () => {
      sockets.delete(socket);
      connection.dispose();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  opened.add(
    toDisposable(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    }),
  );
  await listening(server, host);
  return portOf(server);
}

async function startSmtp(
  host: string,
  tls: MailHostOptions['tls'],
  users: ReadonlyMap<string, LabUser>,
  authenticate: Authenticate,
  opened: DisposableStore,
): Promise<number> {
  const server = new SMTPServer({
    secure: true,
    cert: tls.certPem,
    key: tls.keyPem,
    minVersion: 'TLSv1.2',
    banner: 'QuMail Lab SIMULATED',
    authMethods: ['PLAIN', 'LOGIN'],
    size: MAX_MESSAGE,
    maxClients: MAX_CONNECTIONS,
    closeTimeout: 1,
    disableReverseLookup: true,
    logger: false,
    onAuth(auth, _session, callback) {
      const user = authenticate(auth.username ?? '', auth.password ?? '');
      if (user) callback(null, { user: user.email });
      else callback(reply(535, '5.7.8 Wrong user or password'));
    },
    onMailFrom(address, session, callback) {
      callback(keyOf(address.address) === session.user ? null : reply(553, '5.7.1 Not your address'));
    },
    onRcptTo(address, _session, callback) {
      callback(users.has(keyOf(address.address)) ? null : reply(550, '5.1.1 No such user here'));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk);
      });
      stream.on('end', () => {
        if (stream.sizeExceeded) return callback(reply(552, '5.3.4 Too large'));
        const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
        const trace = `Return-Path: <${from}>\r\nReceived: from [127.0.0.1] by lab.invalid with ESMTPSA; ${encodeDate(new Date())}\r\n`;
        const raw = Buffer.concat([Buffer.from(trace), ...chunks]);
        const recipients = new Set(session.envelope.rcptTo.map((r) => keyOf(r.address)));
        const full = [...recipients].filter((r) => users.get(r)?.inbox.append(raw) === undefined);
        return full.length === 0 ? callback(null, '2.0.0 Delivered') : callback(reply(452, '4.2.2 Mailbox full'));
      });
    },
  });
  // A client that breaks off is its own affair; without a listener it would end the process.
  server.on('error', () => {});
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  opened.add(
    toDisposable(() => {
      // Ends connections whose TLS handshake is under way itself; the others are ended here.
      server.close();
      for (const socket of sockets) socket.destroy();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(0, host, () => resolve());
  });
  return portOf(server.server);
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

function listening(server: Server, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve());
  });
}

function portOf(server: { address(): string | { port: number } | null }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
