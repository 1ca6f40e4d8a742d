import { chmodSync, chownSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { untilListening } from './ports.ts';
import { startProcess, type ServerProcess } from './serverProcess.ts';

export const POSTFIX_BINARIES = ['/usr/lib/postfix/sbin/master', '/usr/lib/postfix/sbin/smtpd', '/usr/lib/postfix/sbin/postlogd'];

export interface PostfixOptions {
  /** An empty folder, readable by everyone. */
  readonly dir: string;
  readonly ports: { readonly smtps: number; readonly submission: number };
  readonly domains: readonly string[];
  /** Addresses that exist; anything else in `domains` is refused with 550 5.1.1. */
  readonly mailboxes: readonly string[];
  readonly certFile: string;
  readonly keyFile: string;
  readonly messageSizeLimit: number;
  /** Recipients answered with an SMTP reply of their own, e.g. `{ 'deferred@example.test': '450 4.2.1 later' }`. */
  readonly recipientReplies: Readonly<Record<string, string>>;
  /** A policy server on this loopback port decides each RCPT and each end of a message (SMTPD_POLICY_README). */
  readonly policyPort?: number;
  readonly owner: { readonly uid: number; readonly postdropGid: number };
}

export interface Postfix {
  /** Absolute paths of the sockets Dovecot must serve. */
  readonly lmtpSocket: string;
  readonly authSocket: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Queue folders as postfix-files(5) lists them: name, owner is Postfix, mode. */
const QUEUES: readonly (readonly [string, boolean, number])[] = [
  ...['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private', 'saved', 'trace'].map(
    (name) => [name, true, 0o700] as const,
  ),
  ['maildrop', true, 0o730],
  ['public', true, 0o710],
  ['pid', false, 0o755],
];

export function createPostfix(o: PostfixOptions): Postfix {
  const queue = join(o.dir, 'queue');
  const logFile = join(o.dir, 'postfix.log');
  mkdirSync(queue);
  for (const [name, owned, mode] of QUEUES) {
    const dir = join(queue, name);
    mkdirSync(dir);
    chmodSync(dir, mode);
    if (owned) chownSync(dir, o.owner.uid, name === 'public' || name === 'maildrop' ? o.owner.postdropGid : 0);
  }
  const data = join(o.dir, 'data');
  mkdirSync(data, { mode: 0o700 });
  chownSync(data, o.owner.uid, 0);
  const replies = Object.entries(o.recipientReplies);
  writeAged(join(o.dir, 'mailboxes'), o.mailboxes.map((address) => `${address} ok\n`).join(''));
  writeAged(join(o.dir, 'replies'), replies.map(([address, reply]) => `${address} ${reply}\n`).join(''));
  writeAged(join(o.dir, 'main.cf'), mainCf(o, queue, data, logFile));
  writeAged(join(o.dir, 'master.cf'), masterCf(o));
  let process: ServerProcess | undefined;

  return {
    lmtpSocket: join(queue, 'private', 'dovecot-lmtp'),
    authSocket: join(queue, 'private', 'auth'),
    async start() {
      // Not `postfix start`: the same master, kept in the foreground, in a tenth of the time.
      process = startProcess([POSTFIX_BINARIES[0]!, '-c', o.dir, '-d'], join(o.dir, 'master.log'));
      await untilListening(o.ports.smtps, 10_000, process.failed);
      await untilListening(o.ports.submission, 10_000, process.failed);
    },
    async stop() {
      await process?.stop();
      process = undefined;
    },
  };
}

/** Postfix waits until a configuration file has not changed for a second or two; these never change, so they may look old. */
function writeAged(file: string, text: string): void {
  writeFileSync(file, text);
  utimesSync(file, 0, 0);
}

function mainCf(o: PostfixOptions, queue: string, data: string, logFile: string): string {
  return `
compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${logFile}
maillog_file_prefixes = ${o.dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.test
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
smtp_host_lookup = native
disable_dns_lookups = yes
smtpd_peername_lookup = no
virtual_mailbox_domains = ${o.domains.join(', ')}
virtual_mailbox_maps = texthash:${o.dir}/mailboxes
virtual_transport = lmtp:unix:private/dovecot-lmtp
message_size_limit = ${o.messageSizeLimit}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_tls_chain_files = ${o.keyFile}, ${o.certFile}
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_security_options = noanonymous
smtpd_recipient_restrictions = ${policy(o)}check_recipient_access texthash:${o.dir}/replies, permit_sasl_authenticated, reject
smtpd_end_of_data_restrictions = ${policy(o)}permit
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
smtputf8_enable = yes
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 5s
bounce_queue_lifetime = 1h
notify_classes =
`;
}

function policy(o: PostfixOptions): string {
  return o.policyPort === undefined ? '' : `check_policy_service inet:127.0.0.1:${o.policyPort}, `;
}

function masterCf(o: PostfixOptions): string {
  return `
127.0.0.1:${o.ports.smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
127.0.0.1:${o.ports.submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}
