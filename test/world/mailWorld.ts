import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerAddress } from '../../src/core/base/types.ts';
import { createDovecot, DOVECOT_BINARIES } from './dovecot.ts';
import { freePort } from './ports.ts';
import { createPostfix, POSTFIX_BINARIES } from './postfix.ts';

export interface MailWorldOptions {
  /** Mailboxes in example.test and other.test. The password serves PLAIN and LOGIN; any of them may come with a token as well. */
  readonly users: readonly { readonly email: string; readonly password: string }[];
  /** A server certificate for 127.0.0.1 and localhost, and its authority. */
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly caPem: string };
  /** RFC 7662 endpoint that knows access tokens; answers `active` and `sub` (the address). Turns XOAUTH2 and OAUTHBEARER on. */
  readonly introspectionUrl?: string;
  /** Postfix message_size_limit in bytes, default 40 MiB. */
  readonly messageSizeLimit?: number;
  /** Dovecot storage quota per user in bytes, default none. */
  readonly mailboxQuota?: number;
  /** What Dovecot announces after log-in instead of all it can, e.g. `IMAP4rev1 LITERAL+` for an old server. */
  readonly imapCapability?: string;
  /**
   * `prefixed`: everybody's own folders below `INBOX.`, and two that all share: `shared.`, which is listed with all others, and `archive.`, which is
   * listed where it is asked for.
   */
  readonly imapNamespaces?: 'prefixed';
  /** SMTP replies for particular recipients, besides the built-in `deferred@` (450) and `rejected@` (550) of both domains. */
  readonly recipientReplies?: Readonly<Record<string, string>>;
  /** A Postfix policy server that decides each RCPT and each end of a message. */
  readonly policyPort?: number;
}

/** A whole mail host of its own: Postfix takes mail in and hands it to Dovecot. */
export interface MailWorld {
  readonly imap: ServerAddress;
  readonly imapStartTls: ServerAddress;
  readonly smtp: ServerAddress;
  readonly smtpStartTls: ServerAddress;
  readonly caPem: string;
  /** The messages of a folder as the server stores them, oldest first. */
  storedMessages(email: string, folder?: string): Promise<Buffer[]>;
  /** Messages put straight into a user's INBOX, before that user ever logged in. */
  fill(email: string, messages: Iterable<Buffer>): void;
  /** Dovecot's administration tool, for what happens to a mailbox behind the client's back. */
  doveadm(args: readonly string[]): Promise<string>;
  /** Stops and starts the servers on the same ports and folders; every connection is lost, no mail is. */
  restart(): Promise<void>;
  /** What both servers logged, for a failing test. */
  logs(): string;
  stop(): Promise<void>;
}

const DOMAINS = ['example.test', 'other.test'];
const DEFAULT_SIZE_LIMIT = 40 * 1024 * 1024;

/** Why no mail world can run on this machine; undefined when it can. Callers skip with the reason, or fail where CI=true. */
function mailWorldMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'Dovecot and Postfix are started as root only';
  for (const file of [...DOVECOT_BINARIES, ...POSTFIX_BINARIES]) {
    try {
      accessSync(file, constants.X_OK);
    } catch {
      return `${file} is not installed (Debian: dovecot-imapd dovecot-lmtpd postfix)`;
    }
  }
  return undefined;
}

/** For `before` hooks: skips the suite with the reason printed where no mail world can run; fails it where CI=true. */
export function needMailWorld(suite: { skip(): void }): void {
  const reason = mailWorldMissing();
  if (reason === undefined) return;
  if (process.env['CI'] === 'true') throw new Error(`no mail world: ${reason}`);
  console.log(`skipped, no mail world: ${reason}`);
  suite.skip();
}

/** Starts a mail host on random free loopback ports in a temporary folder. Several may run at once. */
export async function startMailWorld(o: MailWorldOptions): Promise<MailWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'qumail-world-'));
  chmodSync(dir, 0o755); // the servers' unprivileged halves must reach their sockets
  const certFile = join(dir, 'cert.pem');
  const keyFile = join(dir, 'key.pem');
  writeFileSync(certFile, o.tls.certPem);
  writeFileSync(keyFile, o.tls.keyPem, { mode: 0o600 });
  const [imaps, imap, smtps, submission] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const owner = { uid: idOf('passwd', 'postfix'), postdropGid: idOf('group', 'postdrop') };
  const postfix = createPostfix({
    dir: subfolder(dir, 'postfix'),
    ports: { smtps, submission },
    domains: DOMAINS,
    mailboxes: o.users.map((user) => user.email),
    certFile,
    keyFile,
    messageSizeLimit: o.messageSizeLimit ?? DEFAULT_SIZE_LIMIT,
    recipientReplies: { ...builtInReplies(), ...o.recipientReplies },
    ...(o.policyPort === undefined ? {} : { policyPort: o.policyPort }),
    owner,
  });
  const dovecot = createDovecot({
    dir: subfolder(dir, 'dovecot'),
    ports: { imaps, imap },
    users: o.users,
    certFile,
    keyFile,
    ...(o.introspectionUrl === undefined ? {} : { introspectionUrl: o.introspectionUrl }),
    ...(o.mailboxQuota === undefined ? {} : { quotaBytes: o.mailboxQuota }),
    ...(o.imapCapability === undefined ? {} : { imapCapability: o.imapCapability }),
    ...(o.imapNamespaces === undefined ? {} : { namespaces: o.imapNamespaces }),
    lmtpSocket: postfix.lmtpSocket,
    authSocket: postfix.authSocket,
  });
  const start = async (): Promise<void> => {
    // Both to the end, so that what started is there to be stopped where the other did not.
    const failed = (await Promise.allSettled([dovecot.start(), postfix.start()])).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  };
  const halt = async (): Promise<void> => void (await Promise.all([postfix.stop(), dovecot.stop()]));
  const stop = async (): Promise<void> => {
    await halt();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  const at = (port: number, security: ServerAddress['security']): ServerAddress => ({ host: '127.0.0.1', port, security });
  return {
    imap: at(imaps, 'tls'),
    imapStartTls: at(imap, 'starttls'),
    smtp: at(smtps, 'tls'),
    smtpStartTls: at(submission, 'starttls'),
    caPem: o.tls.caPem,
    storedMessages: async (email, folder = 'INBOX') => dovecot.storedMessages(email, folder),
    fill: (email, messages) => dovecot.fill(email, messages),
    doveadm: (args) => dovecot.doveadm(args),
    async restart() {
      await halt();
      await start();
    },
    logs: () => ['dovecot/dovecot.log', 'postfix/postfix.log'].map((file) => readIfAny(join(dir, file))).join('\n'),
    stop,
  };
}

function builtInReplies(): Record<string, string> {
  const replies = DOMAINS.flatMap((domain) => [
    [`deferred@${domain}`, '450 4.2.1 mailbox busy'],
    [`rejected@${domain}`, '550 5.7.1 not wanted here'],
  ]);
  return Object.fromEntries(replies) as Record<string, string>;
}

function subfolder(dir: string, name: string): string {
  const path = join(dir, name);
  mkdirSync(path);
  return path;
}

function idOf(database: 'passwd' | 'group', name: string): number {
  return Number(execFileSync('getent', [database, name], { encoding: 'utf8' }).split(':')[2]);
}

function readIfAny(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
