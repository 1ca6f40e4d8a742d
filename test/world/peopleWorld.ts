import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account, EngineSettings, Message, MessageSummary, QuMailApi, QuMailEvent, SecurityLevel } from '../../src/core/api.ts';
import type { LogEntry } from '../../src/core/base/log.ts';
import { QuMailCore, type CorePorts } from '../../src/core/qumailCore.ts';
import type { KmePairOptions } from '../../src/core/lab/kmePair.ts';
import { startCuttingProxy, type CuttingProxy } from './cuttingProxy.ts';
import { ALICE, BOB, CAROL, DAVE, startKmeWorld, type KmeWorld } from './kmeWorld.ts';
import { startMailWorld, type MailWorld } from './mailWorld.ts';
import { CLIENT_ID, startOidcWorld, type OidcWorld } from './oidcWorld.ts';
import { issueServer } from './pki.ts';

/** After so long without an event, in milliseconds, on a machine that does much else at once, none comes any more. */
const PATIENCE_MS = 20_000;

const PEOPLE = {
  alice: { email: 'alice@example.test', name: 'Alice', password: 'alice-password', saeId: ALICE },
  bob: { email: 'bob@other.test', name: 'Bob', password: 'bob-password', saeId: BOB },
  carol: { email: 'carol@example.test', name: 'Carol', password: 'carol-password', saeId: CAROL },
  dave: { email: 'dave@other.test', name: 'Dave', password: 'dave-password', saeId: DAVE },
} as const;
export type PersonName = keyof typeof PEOPLE;

export interface PeopleOptions {
  readonly accessTokenSeconds?: number;
  readonly kme?: Partial<KmePairOptions>;
  readonly ports?: CorePorts;
  /** Mailboxes of people who have no engine here. */
  readonly moreUsers?: readonly { readonly email: string; readonly password: string }[];
  /** Storage of each mailbox in octets, default without limit. */
  readonly mailboxQuota?: number;
}

/** One person at one engine of their own. */
export class Person {
  readonly name: PersonName;
  readonly email: string;
  readonly saeId: string;
  readonly storageDir = mkdtempSync(join(tmpdir(), 'qumail-person-'));
  readonly secrets = new Map<string, string>();
  readonly log: LogEntry[] = [];
  engine!: QuMailApi;
  account!: Account;
  readonly #world: PeopleWorld;

  constructor(name: PersonName, world: PeopleWorld) {
    this.name = name;
    this.email = PEOPLE[name].email;
    this.saeId = PEOPLE[name].saeId;
    this.#world = world;
  }

  async open(settings: Partial<EngineSettings> = {}): Promise<void> {
    this.engine = await this.window(settings);
  }

  /** One more engine over the same folder and secrets, as a second editor window has it. Who asks for it disposes of it. */
  async window(settings: Partial<EngineSettings> = {}): Promise<QuMailApi> {
    const { oidc, kme } = this.#world;
    return QuMailCore.open(
      {
        storageDir: this.storageDir,
        secrets: {
          get: async (key) => this.secrets.get(key),
          set: async (key, value) => void this.secrets.set(key, value),
          delete: async (key) => void this.secrets.delete(key),
        },
        openBrowser: oidc.browser.person(this.email).openBrowser,
        log: (entry) => this.log.push(entry),
        settings: { certificateAuthorities: { '127.0.0.1': kme.pair.caPem }, fetchInterval: 3600, ...settings },
      },
      this.#world.options.ports,
    );
  }

  /** Closes the engine and opens it again over the same folder and secrets, as reloading the window does. */
  async reopen(): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await this.open();
    this.account = (await this.engine.listAccounts())[0]!;
  }

  async signInWithPassword(): Promise<void> {
    const { name, password } = PEOPLE[this.name];
    this.account = await this.engine.addAccount({
      provider: 'qumail_native',
      email: this.email,
      displayName: name,
      password,
      servers: this.#world.servers,
    });
  }

  async signInWithBrowser(): Promise<void> {
    const { oidc, servers } = this.#world;
    this.account = await this.engine.addAccount({ provider: 'oidc', issuer: oidc.issuer, clientId: CLIENT_ID, servers });
  }

  async connectKeyManager(): Promise<void> {
    const profile = await this.#world.kme.profile(this.saeId);
    const { certPem, keyPem } = await this.#world.kme.pair.client(this.saeId);
    const { url, kmeId, saeId, caPem } = profile;
    await this.engine.connectKeyManager({ accountId: this.account.id, url, kmeId, saeId, caPem, client: { kind: 'pem', certPem, keyPem } });
  }

  async knows(other: Person, minimumLevel: SecurityLevel = 'L4'): Promise<void> {
    const contact = { accountId: this.account.id, address: other.email, name: PEOPLE[other.name].name, saeId: other.saeId, minimumLevel };
    await this.engine.saveContact(contact);
  }

  /** Writes a draft with these header lines and sends it. */
  async send(headers: Readonly<Record<string, string>>, body: string) {
    return this.engine.sendDraft(await this.draft(headers, body));
  }

  /** A saved draft with these header lines, and what sending it takes. */
  async draft(headers: Readonly<Record<string, string>>, body: string): Promise<{ draftId: string; text: string }> {
    const draft = await this.engine.createDraft({ accountId: this.account.id, source: { kind: 'new' } });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return { draftId: draft.id, text: `${lines.join('\n')}\n\n${body}` };
  }

  async list(folder = 'INBOX', limit = 50): Promise<readonly MessageSummary[]> {
    await this.engine.fetchMail({ accountId: this.account.id, folder });
    return (await this.engine.getEmailList({ accountId: this.account.id, folder, limit })).messages;
  }

  /** Waits until the servers have heard of everything that was done. */
  async settled(): Promise<void> {
    const wakeUp = new EventQueue(this.engine);
    try {
      while ((await this.engine.listPendingActions()).some(({ state }) => state === 'waiting' || state === 'running'))
        await wakeUp.next((event) => event.kind === 'actions', PATIENCE_MS);
    } finally {
      wakeUp.dispose();
    }
  }

  /** Waits until a message whose shown subject is `subject` is in the folder, woken by the engine's own events. */
  async receives(subject: string, folder = 'INBOX'): Promise<Message> {
    const found = async (): Promise<MessageSummary | undefined> =>
      (await this.engine.getEmailList({ accountId: this.account.id, folder, limit: 100 })).messages.find(
        (message) => message.subject === subject,
      );
    const wakeUp = new EventQueue(this.engine);
    try {
      for (;;) {
        const message = await found();
        if (message) return await this.engine.openMessage({ messageId: message.id });
        await wakeUp.next((event) => event.kind === 'messages', PATIENCE_MS);
      }
    } finally {
      wakeUp.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.engine?.[Symbol.asyncDispose]();
    rmSync(this.storageDir, { recursive: true, force: true });
  }
}

/** Events of an engine in order, none missed between two waits. */
class EventQueue {
  readonly #seen: QuMailEvent[] = [];
  #wake: (() => void) | undefined;
  readonly #subscription;

  constructor(engine: QuMailApi) {
    this.#subscription = engine.onEvent((event) => {
      this.#seen.push(event);
      this.#wake?.();
    });
  }

  async next(wanted: (event: QuMailEvent) => boolean, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const index = this.#seen.findIndex(wanted);
      if (index >= 0) return void this.#seen.splice(0, index + 1);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error('no such event came in time');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}

/** Alice, Bob, Carol and Dave with their engines, on one real mail host, OAuth server and pair of key managers. */
export class PeopleWorld {
  readonly options: PeopleOptions;
  readonly mail: MailWorld;
  readonly oidc: OidcWorld;
  readonly kme: KmeWorld;
  readonly imapProxy: CuttingProxy;
  readonly smtpProxy: CuttingProxy;
  readonly people: Person[] = [];

  constructor(parts: Pick<PeopleWorld, 'mail' | 'oidc' | 'kme' | 'imapProxy' | 'smtpProxy'>, options: PeopleOptions) {
    this.mail = parts.mail;
    this.imapProxy = parts.imapProxy;
    this.smtpProxy = parts.smtpProxy;
    this.oidc = parts.oidc;
    this.kme = parts.kme;
    this.options = options;
  }

  /** The mail host as everyone reaches it: through the proxies. */
  get servers(): Pick<MailWorld, 'imap' | 'smtp'> {
    const { imap, smtp } = this.mail;
    return { imap: { ...imap, port: this.imapProxy.port }, smtp: { ...smtp, port: this.smtpProxy.port } };
  }

  /** A person with a running engine and nothing set up yet. */
  async person(name: PersonName): Promise<Person> {
    const person = new Person(name, this);
    this.people.push(person);
    await person.open();
    return person;
  }

  /** Two people who are signed in, have key managers and know each other. */
  async pair(first: PersonName, second: PersonName): Promise<[Person, Person]> {
    const both: [Person, Person] = [await this.person(first), await this.person(second)];
    for (const person of both) {
      await person.signInWithPassword();
      await person.connectKeyManager();
    }
    await both[0].knows(both[1]);
    await both[1].knows(both[0]);
    return both;
  }

  /** People who are signed in, have key managers, and each of them the cards of all others, as if handed over on a stick. */
  async circle<const N extends readonly PersonName[]>(...names: N): Promise<Person[]> {
    const people: Person[] = [];
    for (const name of names) {
      const person = await this.person(name);
      await person.signInWithPassword();
      await person.connectKeyManager();
      people.push(person);
    }
    for (const person of people) {
      const { file: content } = await person.engine.exportCard({ accountId: person.account.id });
      for (const other of people) {
        if (other !== person) await other.engine.importCard({ accountId: other.account.id, content, name: PEOPLE[person.name].name });
      }
    }
    return people;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async dispose(): Promise<void> {
    await Promise.all(this.people.map((person) => person.dispose()));
    this.kme.dispose();
    this.oidc.dispose();
    await Promise.all([this.imapProxy.close(), this.smtpProxy.close()]);
    await this.mail.stop();
  }
}

export async function startPeopleWorld(options: PeopleOptions = {}): Promise<PeopleWorld> {
  const users = Object.values(PEOPLE);
  const oidc = await startOidcWorld({
    users: users.map(({ email, name }) => ({ email, displayName: name })),
    ...(options.accessTokenSeconds !== undefined && { accessTokenSeconds: options.accessTokenSeconds }),
  });
  const mail = await startMailWorld({
    users: [...users, ...(options.moreUsers ?? [])],
    tls: { ...(await issueServer()), caPem: oidc.caPem },
    introspectionUrl: oidc.introspectionUrl,
    ...(options.mailboxQuota !== undefined && { mailboxQuota: options.mailboxQuota }),
  });
  const [kme, imapProxy, smtpProxy] = await Promise.all([
    startKmeWorld(options.kme),
    startCuttingProxy(mail.imap),
    startCuttingProxy(mail.smtp),
  ]);
  return new PeopleWorld({ mail, oidc, kme, imapProxy, smtpProxy }, options);
}
