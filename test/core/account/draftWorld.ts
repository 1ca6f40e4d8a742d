import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Draft, QuMailApi } from '../../../src/core/api.ts';
import { QuMailCore } from '../../../src/core/qumailCore.ts';
import { LeapClock } from '../../faults/leapClock.ts';
import { startMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';
import { startRewritingProxy, type Rewriting, type RewritingProxy } from './rewritingProxy.ts';

const ALICE = { email: 'alice@example.test', password: 'alice-password' };
const TRIES = 300;

/** A computer of Alice's: an engine with a folder and a keyring of its own. */
export interface Computer {
  readonly dir: string;
  readonly secrets: Map<string, string>;
  readonly log: string[];
  engine: QuMailApi;
}

/** Alice's mailbox on a Dovecot, and two computers of hers that share a certificate: the laptop began as a copy of the desk. */
export class DraftWorld {
  readonly clock = new LeapClock();
  readonly mail: MailWorld;
  /** Between the computers and the server. */
  readonly proxy: RewritingProxy;
  readonly #caPem: string;
  readonly #dir = mkdtempSync(join(tmpdir(), 'qumail-drafts-'));
  readonly computers: Computer[] = [];
  accountId = '';

  private constructor(mail: MailWorld, proxy: RewritingProxy, caPem: string) {
    this.mail = mail;
    this.proxy = proxy;
    this.#caPem = caPem;
  }

  /** `rewriting` makes another server of it. */
  static async start(rewriting: Rewriting = {}): Promise<DraftWorld> {
    const caPem = await testCaPem();
    const mail = await startMailWorld({ users: [ALICE], tls: { ...(await issueServer()), caPem } });
    return new DraftWorld(mail, await startRewritingProxy(mail.imap, rewriting), caPem);
  }

  /** The desk and the laptop, both signed in and with the folders listed. */
  async both(): Promise<[Computer, Computer]> {
    const desk = await this.computer();
    const servers = { imap: { ...this.mail.imap, port: this.proxy.port }, smtp: this.mail.smtp };
    this.accountId = (await desk.engine.addAccount({ provider: 'qumail_native', displayName: 'Alice', ...ALICE, servers })).id;
    await desk.engine.fetchMail({});
    await desk.engine.getOwnCertificate({ accountId: this.accountId });
    await desk.engine[Symbol.asyncDispose]();
    const laptop = await this.computer(desk);
    await this.open(desk);
    for (const { engine } of [desk, laptop]) await engine.fetchMail({});
    return [desk, laptop];
  }

  /** A new computer, or one that has everything another one has. */
  async computer(like?: Computer): Promise<Computer> {
    const dir = mkdtempSync(join(tmpdir(), 'qumail-computer-'));
    if (like) cpSync(like.dir, dir, { recursive: true });
    const computer = { dir, secrets: new Map(like?.secrets), log: [], engine: undefined as unknown as QuMailApi };
    this.computers.push(computer);
    await this.open(computer);
    return computer;
  }

  async open(computer: Computer): Promise<void> {
    const { dir, secrets, log } = computer;
    computer.engine = await QuMailCore.open(
      {
        storageDir: dir,
        secrets: {
          get: async (key) => secrets.get(key),
          set: async (key, value) => void secrets.set(key, value),
          delete: async (key) => void secrets.delete(key),
        },
        openBrowser: async () => false,
        log: (entry) => log.push(JSON.stringify(entry)),
        settings: { certificateAuthorities: { '127.0.0.1': this.#caPem }, fetchInterval: 3600 },
      },
      { clock: this.clock },
    );
  }

  text(subject: string, body: string): string {
    return `To: bob@other.test\nSubject: ${subject}\n\n${body}\n`;
  }

  /** Writes a draft, and gives its id. */
  async writes({ engine }: Computer, subject: string, body: string): Promise<string> {
    const { id: draftId } = await engine.createDraft({ accountId: this.accountId, source: { kind: 'new' } });
    await engine.saveDraft({ draftId, text: this.text(subject, body) });
    return draftId;
  }

  async drafts({ engine }: Computer, subject: string): Promise<readonly Draft[]> {
    return (await engine.listDrafts()).filter((each) => each.subject === subject);
  }

  /** What a computer has of a draft; several bodies where it has several of the subject. */
  async bodies(computer: Computer, subject: string): Promise<string[]> {
    return (await this.drafts(computer, subject)).map(({ text }) => text.split('\n\n')[1]?.trim() ?? '').toSorted();
  }

  /** Lets the time of rest pass on all computers until it has come to what is wanted. */
  async until(what: string, wanted: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await wanted()); tries++) {
      if (tries > TRIES) throw new Error(`it did not come to that: ${what}`);
      await this.passes();
    }
  }

  /** A look at the Drafts folder by each computer. */
  async passes(): Promise<void> {
    this.clock.leap(6000);
    for (const { engine } of this.computers) await engine.fetchMail({ accountId: this.accountId, folder: 'Drafts' }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 30));
  }

  async untilBodies(computer: Computer, subject: string, ...bodies: string[]): Promise<void> {
    await this.until(
      `${subject}: ${bodies.join()}`,
      async () => (await this.bodies(computer, subject)).join() === bodies.toSorted().join(),
    );
  }

  /** The copies that lie in the Drafts folder. */
  async copies(): Promise<Buffer[]> {
    return (await this.mail.storedMessages(ALICE.email, 'Drafts')).filter((raw) => raw.includes('X-QuMail-Draft'));
  }

  /** Somebody files a message with another program. */
  async puts(raw: Buffer): Promise<void> {
    const file = join(this.#dir, 'message.eml');
    writeFileSync(file, raw);
    chmodSync(this.#dir, 0o755);
    await this.mail.doveadm(['save', '-u', ALICE.email, '-m', 'Drafts', file]);
  }

  /** Somebody removes copies with another program. */
  async expunge(): Promise<void> {
    await this.mail.doveadm(['expunge', '-u', ALICE.email, 'mailbox', 'Drafts', 'all']);
  }

  async stop(): Promise<void> {
    for (const { engine, dir } of this.computers) {
      await engine[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    }
    rmSync(this.#dir, { recursive: true, force: true });
    await this.proxy.close();
    await this.mail.stop();
  }
}
