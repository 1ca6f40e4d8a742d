import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { untilListening } from './ports.ts';
import { startProcess, type ServerProcess } from './serverProcess.ts';

const run = promisify(execFile);

export const DOVECOT_BINARIES = ['/usr/sbin/dovecot', '/usr/bin/doveadm', '/usr/lib/dovecot/lmtp', '/usr/lib/dovecot/imap'];

/** Owner of the mail files; needs no entry in /etc/passwd. */
const MAIL_UID = 5000;

export interface DovecotOptions {
  /** An empty folder, readable by everyone (login processes run as another user). */
  readonly dir: string;
  readonly ports: { readonly imaps: number; readonly imap: number };
  readonly users: readonly { readonly email: string; readonly password: string }[];
  readonly certFile: string;
  readonly keyFile: string;
  /** RFC 7662 endpoint for access tokens; without it tokens are not offered. */
  readonly introspectionUrl?: string;
  /** Storage per user in bytes. */
  readonly quotaBytes?: number;
  /** Announced after log-in instead of everything. */
  readonly imapCapability?: string;
  /** Own folders below `INBOX.`, shared ones below `shared.` and, unlisted elsewhere, `archive.`. */
  readonly namespaces?: 'prefixed';
  /** Sockets Postfix reaches: LMTP and SASL, absolute paths inside its queue. */
  readonly lmtpSocket: string;
  readonly authSocket: string;
}

export interface Dovecot {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Runs `doveadm` against this server, e.g. `['mailbox', 'delete', '-u', user, 'Folder']`; resolves with its output. */
  doveadm(args: readonly string[]): Promise<string>;
  /** Writes messages straight into a user's INBOX as a Maildir, before the user ever logged in; fast where tens of thousands are wanted. */
  fill(email: string, messages: Iterable<Buffer>): void;
  /** The files of a folder as they lie in the Maildir, CRLF line ends, oldest first. */
  storedMessages(email: string, folder: string): Buffer[];
}

export function createDovecot(o: DovecotOptions): Dovecot {
  const conf = join(o.dir, 'dovecot.conf');
  const logFile = join(o.dir, 'dovecot.log');
  const mail = join(o.dir, 'mail');
  for (const folder of [mail, ...(o.namespaces === undefined ? [] : SHARED.map((name) => join(mail, name)))]) {
    mkdirSync(folder);
    chownSync(folder, MAIL_UID, MAIL_UID);
  }
  const users = o.users.map((user) => `${user.email}:{PLAIN}${user.password}::::::\n`).join('');
  writeFileSync(join(o.dir, 'users'), users);
  chmodSync(join(o.dir, 'users'), 0o644);
  if (o.introspectionUrl !== undefined) writeFileSync(join(o.dir, 'oauth2.conf'), oauth2Configuration(o.introspectionUrl), { mode: 0o644 });
  writeFileSync(conf, configuration(o, mail, logFile));
  let process: ServerProcess | undefined;

  return {
    async start() {
      process = startProcess(['/usr/sbin/dovecot', '-F', '-c', conf], logFile);
      await untilListening(o.ports.imaps, 10_000, process.failed);
      await untilListening(o.ports.imap, 10_000, process.failed);
    },
    async stop() {
      await process?.stop();
      process = undefined;
    },
    async doveadm(args) {
      return (await run('/usr/bin/doveadm', ['-c', conf, ...args])).stdout;
    },
    fill(email, messages) {
      const maildir = join(mail, email, 'Maildir');
      for (const sub of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, sub), { recursive: true });
      let count = 0;
      for (const raw of messages) {
        const name = `${1_700_000_000 + count}.M${count}P1.bench,S=${raw.length}:2,S`;
        writeFileSync(join(maildir, 'cur', name), raw);
        chownSync(join(maildir, 'cur', name), MAIL_UID, MAIL_UID);
        count++;
      }
      for (const dir of [join(mail, email), maildir, ...['cur', 'new', 'tmp'].map((sub) => join(maildir, sub))])
        chownSync(dir, MAIL_UID, MAIL_UID);
    },
    storedMessages: (email, folder) => readMaildir(join(mail, email, 'Maildir'), folder),
  };
}

function readMaildir(root: string, folder: string): Buffer[] {
  const dir = folder.toUpperCase() === 'INBOX' ? root : join(root, `.${folder.replaceAll('/', '.')}`);
  const files = ['cur', 'new'].flatMap((sub) => listFiles(join(dir, sub)));
  return files.sort((a, b) => arrivalOf(a.name) - arrivalOf(b.name)).map((file) => readFileSync(file.path));
}

/** Microseconds since the epoch, from a Maildir name such as `1700000000.M12345P99.host`; the part after M is not padded. */
function arrivalOf(name: string): number {
  const [, seconds = '0', micros = '0'] = /^(\d+)\.M(\d+)/.exec(name) ?? [];
  return Number(seconds) * 1_000_000 + Number(micros);
}

function listFiles(dir: string): { name: string; path: string }[] {
  try {
    return readdirSync(dir).map((name) => ({ name, path: join(dir, name) }));
  } catch {
    return [];
  }
}

function oauth2Configuration(introspectionUrl: string): string {
  return [
    'introspection_mode = post',
    `introspection_url = ${introspectionUrl}`,
    'username_attribute = sub',
    'active_attribute = active',
    'active_value = true',
    'force_introspection = yes',
    '',
  ].join('\n');
}

function quotaSettings(bytes: number): string {
  return ['quota = count:User quota', 'quota_vsizes = yes', `quota_rule = *:bytes=${bytes}`, 'quota_grace = 0'].join('\n  ');
}

const SHARED = ['shared', 'archive'];

function sharedNamespaces(mail: string): string {
  const namespace = (name: string): string => `
namespace ${name} {
  type = public
  prefix = ${name}.
  separator = .
  location = maildir:${mail}/${name}
  subscriptions = no
  list = ${name === 'shared' ? 'yes' : 'no'}
}`;
  return SHARED.map(namespace).join('');
}

function configuration(o: DovecotOptions, mail: string, logFile: string): string {
  const tokens = o.introspectionUrl !== undefined;
  const plugins = o.quotaBytes === undefined ? '' : 'quota';
  return `
protocols = imap lmtp
listen = 127.0.0.1
base_dir = ${o.dir}/run
state_dir = ${o.dir}/state
log_path = ${logFile}
ssl = required
ssl_cert = <${o.certFile}
ssl_key = <${o.keyFile}
auth_mechanisms = plain login${tokens ? ' xoauth2 oauthbearer' : ''}
auth_failure_delay = 0 secs
auth_verbose = yes
disable_plaintext_auth = yes
first_valid_uid = 1
mail_uid = ${MAIL_UID}
mail_gid = ${MAIL_UID}
mail_home = ${mail}/%u
mail_location = maildir:~/Maildir
mail_fsync = never
mail_save_crlf = yes
mail_plugins = ${plugins}
maildir_very_dirty_syncs = no
mail_max_userip_connections = 50
login_greeting = ready
${tokens ? `passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = ${o.dir}/oauth2.conf\n}` : ''}
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = ${o.dir}/users
}
userdb {
  driver = static
  args = uid=${MAIL_UID} gid=${MAIL_UID} home=${mail}/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  ${o.namespaces === undefined ? 'separator = /' : 'separator = .\n  prefix = INBOX.'}
  mailbox Drafts {
    auto = create
    special_use = \\Drafts
  }
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
  mailbox Junk {
    auto = create
    special_use = \\Junk
  }
}
${o.namespaces === undefined ? '' : sharedNamespaces(mail)}
protocol imap {
  ${o.imapCapability === undefined ? '' : `imap_capability = ${o.imapCapability}`}
  mail_plugins = ${plugins}${plugins ? ' imap_quota' : ''}
}
protocol lmtp {
  mail_plugins = ${plugins}
}
plugin {
  ${o.quotaBytes === undefined ? '' : quotaSettings(o.quotaBytes)}
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${o.ports.imap}
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = ${o.ports.imaps}
    ssl = yes
  }
  process_min_avail = 1
  service_count = 0
}
default_client_limit = 4096
service imap {
  service_count = 100
}
service lmtp {
  unix_listener ${o.lmtpSocket} {
    mode = 0666
  }
}
service auth {
  unix_listener ${o.authSocket} {
    mode = 0666
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-reader {
    mode = 0666
  }
  unix_listener stats-writer {
    mode = 0666
  }
}
`;
}
