import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import type { MailWorld } from '../world/mailWorld.ts';
import { timed } from './engine.ts';

export interface Mailbox {
  readonly world: MailWorld;
  readonly user: { readonly email: string; readonly password: string };
  readonly caPem: string;
  /** A folder for what the references write. */
  readonly dir: string;
}

/** What people use instead: isync's mbsync into a Maildir, then notmuch. */
export class Isync {
  readonly #config: string;
  readonly #maildir: string;
  readonly #notmuch: string;

  constructor({ world, user, caPem, dir }: Mailbox) {
    const root = mkdtempSync(join(dir, 'isync-'));
    const ca = join(root, 'ca.pem');
    writeFileSync(ca, caPem);
    this.#maildir = join(root, 'mail');
    mkdirSync(this.#maildir);
    this.#config = join(root, 'mbsyncrc');
    writeFileSync(
      this.#config,
      [
        'IMAPAccount bench',
        'Host 127.0.0.1',
        `Port ${world.imap.port}`,
        `User ${user.email}`,
        `Pass ${user.password}`,
        'SSLType IMAPS',
        `CertificateFile ${ca}`,
        'SystemCertificates no',
        'IMAPStore far',
        'Account bench',
        'MaildirStore near',
        `Path ${this.#maildir}/`,
        `Inbox ${this.#maildir}/INBOX`,
        'SubFolders Verbatim',
        'Channel all',
        'Far :far:',
        'Near :near:',
        'Patterns *',
        'Create Near',
        'Sync Pull',
        `SyncState ${root}/state/`,
        '',
      ].join('\n').replace('IMAPStore far', '\nIMAPStore far').replace('MaildirStore', '\nMaildirStore').replace('Channel', '\nChannel'),
      { mode: 0o600 },
    );
    mkdirSync(join(root, 'state'));
    this.#notmuch = join(root, 'notmuch-config');
    const own = ['[database]', `path=${this.#maildir}`, '[user]', 'name=Bench', `primary_email=${user.email}`, '[new]', 'tags=new', ''];
    writeFileSync(this.#notmuch, own.join('\n'));
  }

  /** Milliseconds of one run; the first fetches everything, later ones find nothing new. */
  sync(): number {
    return timed('mbsync', ['-q', '-c', this.#config, 'all']);
  }

  index(): number {
    return timed('notmuch', ['new', '--quiet'], { NOTMUCH_CONFIG: this.#notmuch });
  }

  /** Milliseconds of a search as a person runs it: a process of its own. */
  search(query: string): number {
    return timed('notmuch', ['search', '--limit=50', query], { NOTMUCH_CONFIG: this.#notmuch });
  }
}

/** The library underneath, doing the least that could be done. */
export async function imapFlow(mailbox: Mailbox, work: 'raw' | 'envelopes'): Promise<number> {
  const { world, user, caPem } = mailbox;
  const auth = { user: user.email, pass: user.password };
  const began = performance.now();
  const client = new ImapFlow({ host: '127.0.0.1', port: world.imap.port, secure: true, auth, tls: { ca: caPem }, logger: false });
  await client.connect();
  const lock = await client.getMailboxLock('INBOX');
  const exists = client.mailbox === false ? 0 : (client.mailbox.exists ?? 0);
  if (work === 'raw') for await (const message of client.fetch('1:*', { uid: true, source: true })) void message.source;
  else await client.fetchAll(`${Math.max(1, exists - 49)}:*`, { uid: true, flags: true, envelope: true });
  const ms = performance.now() - began;
  lock.release();
  await client.logout();
  return ms;
}
