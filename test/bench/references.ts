import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
        'Host localhost', // isync matches certificates against names only
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
      ]
        .join('\n')
        .replace('IMAPStore far', '\nIMAPStore far')
        .replace('MaildirStore', '\nMaildirStore')
        .replace('Channel', '\nChannel'),
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
