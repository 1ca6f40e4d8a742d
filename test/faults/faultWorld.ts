import assert from 'node:assert/strict';
import { QuMailError } from '../../src/core/base/errors.ts';
import { DEFAULT_TIMEOUTS } from '../../src/core/keys/kmeHttp.ts';
import { startCuttingProxy, type CuttingProxy } from '../world/cuttingProxy.ts';
import { startKmeWorld, type KmeWorld } from '../world/kmeWorld.ts';
import { startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { startOidcWorld, type OidcWorld } from '../world/oidcWorld.ts';
import { PeopleWorld, type Person } from '../world/peopleWorld.ts';
import { issueServer } from '../world/pki.ts';
import { LeapClock } from './leapClock.ts';
import { PolicyServer } from './policyServer.ts';
import { Dice, hastyRandom } from './seeded.ts';
import { TokenGate } from './tokenGate.ts';

/** Short for people, long for machines that nine others use as well. */
const TIMING = { connectMs: 2500, silenceMs: 2000, probeMs: 2000, wakeMs: 1500 };
const MINUTE = 60_000;
/** EX_NOHOST, what doveadm ends with when it found nobody to kick. */
const NOBODY_KICKED = 68;
/** A transaction that did not move for so long has lost its client. */
const DEAD_LINE_MS = 1500;

/** A mail on its way: what was written, and what sends it again. */
export interface Letter {
  readonly from: Person;
  readonly to: Person;
  readonly subject: string;
  readonly body: string;
  readonly draft: { readonly draftId: string; readonly text: string };
}

/**
 * Alice, signed in through the browser, whose every way to the world can be spoiled; and Bob, whose own ways are sound. Both are on one
 * real mail host, and each has a clock that leaps.
 */
export class FaultWorld {
  readonly mail: MailWorld;
  readonly oidc: OidcWorld;
  readonly kme: KmeWorld;
  readonly gate: TokenGate;
  readonly policy: PolicyServer;
  readonly #clock = new LeapClock();
  readonly #bobsClock = new LeapClock();
  readonly imap: CuttingProxy;
  readonly smtp: CuttingProxy;
  readonly #bobs: { readonly imap: CuttingProxy; readonly smtp: CuttingProxy };
  readonly letters: Letter[] = [];
  alice!: Person;
  bob!: Person;
  /** How often Alice had to sign in again. */
  signIns = 0;
  /** Makes Alice's secret store refuse the next so many writes. */
  lockedWrites = 0;
  readonly #deadLines = new Set<string>();
  readonly #stoppedKmes = new Set<string>();
  #lastSubject = 0;
  #stored = { toAlice: 0, toBob: 0 };

  private constructor(
    parts: Pick<FaultWorld, 'mail' | 'oidc' | 'kme' | 'gate' | 'policy' | 'imap' | 'smtp'>,
    bobs: { imap: CuttingProxy; smtp: CuttingProxy },
  ) {
    this.mail = parts.mail;
    this.oidc = parts.oidc;
    this.kme = parts.kme;
    this.gate = parts.gate;
    this.policy = parts.policy;
    this.imap = parts.imap;
    this.smtp = parts.smtp;
    this.#bobs = bobs;
  }

  static async start(): Promise<FaultWorld> {
    const users = [
      { email: 'alice@example.test', displayName: 'Alice', password: 'alice-password' },
      { email: 'bob@other.test', displayName: 'Bob', password: 'bob-password' },
    ];
    const oidc = await startOidcWorld({ users });
    const [gate, policy] = [await TokenGate.start(oidc.introspectionUrl), await PolicyServer.start()];
    const mail = await startMailWorld({
      users,
      tls: { ...(await issueServer()), caPem: oidc.caPem },
      introspectionUrl: gate.url,
      policyPort: policy.port,
    });
    const [kme, imap, smtp, bobsImap, bobsSmtp] = await Promise.all([
      startKmeWorld({ stock: 200_000 }),
      startCuttingProxy(mail.imap),
      startCuttingProxy(mail.smtp),
      startCuttingProxy(mail.imap),
      startCuttingProxy(mail.smtp),
    ]);
    const world = new FaultWorld({ mail, oidc, kme, gate, policy, imap, smtp }, { imap: bobsImap, smtp: bobsSmtp });
    await world.people();
    return world;
  }

  /** Both engines, new: at the beginning, and after a row that failed, so that the next one starts clean. */
  async people(): Promise<void> {
    await this.#closeEngines();
    await this.untilHostIsQuiet();
    for (const email of ['alice@example.test', 'bob@other.test']) {
      for (const folder of ['INBOX', 'Sent']) await this.mail.doveadm(['expunge', '-u', email, 'mailbox', folder, 'all']);
    }
    const shared = { mail: this.mail, oidc: this.oidc, kme: this.kme };
    const ports = (clock: LeapClock) => ({ clock, random: hastyRandom(new Dice(7)), timing: TIMING });
    const hers = new PeopleWorld({ ...shared, imapProxy: this.imap, smtpProxy: this.smtp }, { ports: ports(this.#clock) });
    const his = new PeopleWorld({ ...shared, imapProxy: this.#bobs.imap, smtpProxy: this.#bobs.smtp }, { ports: ports(this.#bobsClock) });
    this.alice = await hers.person('alice');
    this.bob = await his.person('bob');
    const set = this.alice.secrets.set.bind(this.alice.secrets);
    this.alice.secrets.set = (name, value) => {
      if (this.lockedWrites-- > 0) throw new Error('the keyring is locked');
      return set(name, value);
    };
    await this.alice.signInWithBrowser();
    await this.bob.signInWithPassword();
    for (const person of [this.alice, this.bob]) await person.connectKeyManager();
    await this.alice.knows(this.bob);
    await this.bob.knows(this.alice);
    // A busy machine may take longer to answer than the short patience of these rows; that is not what they are about.
    for (const person of [this.alice, this.bob])
      await this.eventually(`${person.name} looks`, async () => (await outcomeOf(() => person.list())) === 'sent');
    this.letters.length = 0;
    this.#stored = await this.#count();
  }

  /** Takes back whatever fault is still set. */
  async calm(): Promise<void> {
    this.oidc.setTokenFault('none');
    this.oidc.discoveryFault = 'none';
    this.gate.state = 'open';
    this.policy.clear();
    this.lockedWrites = 0;
    for (const proxy of [this.imap, this.smtp]) {
      proxy.faultNext(undefined);
      proxy.admit('accept');
      proxy.slowDown(undefined);
    }
    for (const kmeId of this.#stoppedKmes) await this.kme.pair.start(kmeId);
    this.#stoppedKmes.clear();
    for (const kmeId of ['KME-A', 'KME-B'])
      Object.assign(this.kme.pair.faults(kmeId), { unavailable: 0, htmlError: 0, dropAfterCommit: 0 });
  }

  // ---- what happens to Alice ----------------------------------------------------------------------------------

  /** Time passes for both; nobody touches anything. */
  leap(ms: number): void {
    this.oidc.clockSkewMs += ms;
    this.#clock.leap(ms);
    this.#bobsClock.leap(ms);
  }

  /**
   * Time passes in which nothing happens. A request for keys is let finish first: it takes milliseconds here, and to a key manager that
   * delivers once, a request given up is a key lost.
   */
  async pass(ms: number): Promise<void> {
    const end = Date.now() + 1000;
    const asks = (): boolean => [this.#clock, this.#bobsClock].some((clock) => clock.waits(DEFAULT_TIMEOUTS.totalMs));
    while (asks() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 2));
    this.leap(ms);
  }

  /** Her access token as it lies in her secret store. */
  get accessToken(): string {
    return (JSON.parse(this.#grant()) as { accessToken: string }).accessToken;
  }

  /** An hour passes, and her token with it, at the mail host too; her connections end, so that the next ones need a new token. */
  expireToken(): void {
    this.gate.kill(this.accessToken);
    this.leap(60 * MINUTE);
    this.dropConnections();
  }

  dropConnections(): void {
    for (const proxy of [this.imap, this.smtp]) proxy.faultNow({ how: 'cut' });
  }

  /** The key manager of this SAE is away until all is calm. */
  async stopKeyManager(saeId: string): Promise<void> {
    const kmeId = this.kme.pair.kmeOf(saeId);
    this.#stoppedKmes.add(kmeId);
    await this.kme.pair.stop(kmeId);
  }

  /** Dovecot says BYE to all her sessions; `nobody` where she has none just now. */
  async kick(): Promise<'kicked' | 'nobody'> {
    try {
      await this.mail.doveadm(['kick', this.alice.email]);
      return 'kicked';
    } catch (error) {
      if ((error as { code?: number }).code === NOBODY_KICKED) return 'nobody';
      throw error;
    }
  }

  /** Closes her kept connection for sending, and waits until it is gone, so that the next mail opens one. */
  async dropSmtp(): Promise<void> {
    this.smtp.faultNow({ how: 'cut' });
    await this.smtp.untilClosed();
    await turn();
  }

  // ---- writing and reading ------------------------------------------------------------------------------------

  /** Writes and sends; resolves to the state reached: what became of the send, or the code of its failure. */
  async write(from: Person, to: Person, o: { level?: 'L1' | 'L2' | 'L4'; bytes?: number } = {}): Promise<string> {
    const subject = `letter ${(this.#lastSubject += 1)} to ${to.name}`;
    const body = `${subject}\n${`${'x'.repeat(76)}\n`.repeat(Math.ceil((o.bytes ?? 0) / 77))}`;
    const draft = await from.draft({ To: to.email, Subject: subject, Security: o.level ?? 'L4' }, body);
    this.letters.push({ from, to, subject, body, draft });
    return outcomeOf(async () => from.engine.sendDraft(draft));
  }

  /** Alice presses "look for new mail": `ok`, or the code of the failure. */
  look(): Promise<string> {
    return outcomeOf(async () => {
      await this.alice.engine.fetchMail({ accountId: this.alice.account.id });
      return { state: 'ok' };
    });
  }

  /** Her account as the views show it, e.g. `offline net.cut`. */
  async account(): Promise<string> {
    const [account] = await this.alice.engine.listAccounts();
    return [account?.state, account?.failure?.code].filter((part) => part !== undefined).join(' ');
  }

  /** Waits until `holds`, letting a quarter of a minute pass on both clocks again and again; at most half an hour. */
  async eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let waited = 0; waited < 30 * MINUTE; waited += MINUTE / 4) {
      for (let look = 0; look < 4; look += 1) {
        if (await holds()) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      await this.pass(MINUTE / 4);
    }
    throw new Error(`not within half an hour: ${what}; ${await this.#situation()}`);
  }

  async #situation(): Promise<string> {
    const entries = await this.alice.engine.listOutbox();
    const log = this.alice.log.slice(-12).map(({ event, facts }) => `${event} ${JSON.stringify(facts)}`);
    return `${await this.account()}; outbox ${entries.map(({ state, failure }) => `${state} ${failure?.code}`).join()}\n${log.join('\n')}`;
  }

  /** The fault is over: everything that was written goes out, as its writer would see to it. Nothing is sent by anybody else. */
  async settle(): Promise<void> {
    await this.eventually('everything is sent', async () => (await this.attend()) === 0);
  }

  /** What the two people do when they look at their screens: sign in again where asked to, decide what is left to them. How much is open. */
  async attend(): Promise<number> {
    // Anything else that keeps the account from working has to pass without the person.
    if (/^needs-sign-in auth\.(sign-in-again|token-refused)/.test(await this.account())) {
      this.signIns += 1;
      await this.alice.engine.signInAgain({ accountId: this.alice.account.id });
    }
    const states = await Promise.all(this.letters.map((letter) => this.#attend(letter)));
    return states.filter((state) => state === 'open').length;
  }

  async #attend({ from, to, subject, draft }: Letter): Promise<'done' | 'open'> {
    const entry = (await from.engine.listOutbox()).find((each) => each.subject === subject);
    if (entry?.state === 'acceptance-unknown') {
      // What a person does who is asked: asks the reader.
      await this.untilHostIsQuiet();
      const arrived = (await to.list('INBOX', 500)).some((message) => message.subject === subject);
      await outcomeOf(() => from.engine.settleOutbox({ outboxId: entry.id, as: arrived ? 'sent' : 'resend' }));
      return 'open';
    }
    if (entry) {
      // What the engine goes on with by itself is left to it.
      if (entry.nextTry === undefined && entry.state !== 'sending') await outcomeOf(() => from.engine.retryOutbox({ outboxId: entry.id }));
      return 'open';
    }
    const kept = (await from.engine.listDrafts()).some(({ id }) => id === draft.draftId);
    if (kept) await outcomeOf(() => from.engine.sendDraft(draft));
    return kept ? 'open' : 'done';
  }

  /**
   * Resolves when Postfix has nothing in hand: every message it took is delivered, every transaction that broke off is given up. One whose
   * line is dead without a word, so that Postfix waits for the rest of it, is none: nothing of it can come any more.
   */
  async untilHostIsQuiet(): Promise<void> {
    const began = Date.now();
    // Twice in a row: between two daemons a message is in nobody's log for a moment.
    for (let quiet = 0; quiet < 2;) {
      const open = unfinished(this.mail.logs()).filter(({ id }) => !this.#deadLines.has(id));
      quiet = this.policy.busy === 0 && open.length === 0 ? quiet + 1 : 0;
      if (open.every(({ taken }) => !taken) && Date.now() - began > DEAD_LINE_MS) for (const { id } of open) this.#deadLines.add(id);
      if (Date.now() - began > 20_000) throw new Error(`the mail host is not quiet: ${open.map(({ id }) => id).join()}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /**
   * The proof: the outbox is empty; everything written since the last proof is seen by its reader once, whole, without anybody looking for
   * it; its copy is in Sent; the server holds as many messages as were written, no Message-ID twice, neither in the inboxes nor in Sent.
   */
  async prove(): Promise<void> {
    for (const { from, to, subject, body } of this.letters) {
      const find = async (person: Person, folder: string) => (await list(person, folder)).filter((message) => message.subject === subject);
      await this.eventually(`${to.name} sees "${subject}"`, async () => (await find(to, 'INBOX')).some(({ seal }) => seal !== 'unopened'));
      const [message, ...more] = await find(to, 'INBOX');
      assert.deepEqual(more, [], `"${subject}" twice`);
      const { text } = await to.engine.openMessage({ messageId: message!.id });
      assert.equal(text.replaceAll('\r\n', '\n').trim(), body.trim(), `body of "${subject}"`);
      await this.eventually(`a copy of "${subject}" in Sent`, async () => {
        if ((await find(from, 'Sent')).length > 0) return true;
        await outcomeOf(() => from.engine.fetchMail({ accountId: from.account.id, folder: 'Sent' }));
        return false;
      });
    }
    for (const person of [this.alice, this.bob]) assert.deepEqual(await person.engine.listOutbox(), [], `outbox of ${person.name}`);
    await this.untilHostIsQuiet();
    const now = await this.#count();
    const written = (to: Person): number => this.letters.filter((letter) => letter.to === to).length;
    assert.equal(now.toBob - this.#stored.toBob, written(this.bob), 'messages that came to Bob');
    assert.equal(now.toAlice - this.#stored.toAlice, written(this.alice), 'messages that came to Alice');
    this.letters.length = 0;
    this.#stored = now;
  }

  async #count(): Promise<{ toAlice: number; toBob: number }> {
    const count = async (person: Person): Promise<number> => {
      const [inbox = 0] = await Promise.all(
        ['INBOX', 'Sent'].map(async (folder) => {
          const ids = (await this.mail.storedMessages(person.email, folder)).map(messageIdOf);
          assert.equal(new Set(ids).size, ids.length, `a Message-ID twice in ${folder} of ${person.name}`);
          return ids.length;
        }),
      );
      return inbox;
    };
    return { toAlice: await count(this.alice), toBob: await count(this.bob) };
  }

  #grant(): string {
    return [...this.alice.secrets].find(([name]) => name.startsWith('oauth.grant.'))?.[1] ?? '{}';
  }

  async #closeEngines(): Promise<void> {
    await this.alice?.dispose();
    await this.bob?.dispose();
  }

  async dispose(): Promise<void> {
    await this.#closeEngines();
    this.kme.dispose();
    this.oidc.dispose();
    this.gate.dispose();
    await Promise.all([this.imap, this.smtp, this.#bobs.imap, this.#bobs.smtp].map((proxy) => proxy.close()));
    await this.mail.stop();
    this.policy.dispose();
  }
}

/** The folder as the person's engine knows it now, without looking for more. */
async function list(person: Person, folder = 'INBOX') {
  return (await person.engine.getEmailList({ accountId: person.account.id, folder, limit: 500 })).messages;
}

/** `sent`, the state a result names, or the code of the failure; anything but a QuMailError is a defect and thrown. */
async function outcomeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    const result = (await run()) as { readonly state?: string } | undefined;
    return result?.state ?? 'sent';
  } catch (error) {
    if (error instanceof QuMailError) return error.code;
    throw error;
  }
}

export function messageIdOf(raw: Buffer): string {
  return /^Message-ID: *(.*)$/im.exec(raw.toString('latin1'))?.[1]?.trim() ?? 'none';
}

/** What Postfix has begun and neither delivered nor given up; `taken` once it has the whole message. */
function unfinished(logs: string): { readonly id: string; readonly taken: boolean }[] {
  const open = new Map<string, { readonly pid: string; readonly taken: boolean }>();
  for (const line of logs.split('\n')) {
    const [, daemon = '', pid = '', rest = ''] = /postfix\/(\w+)\[(\d+)\]: (.*)/.exec(line) ?? [];
    const id = /^([0-9A-F]{6,}): /.exec(rest)?.[1];
    if (daemon === 'qmgr' && id !== undefined) {
      if (rest.endsWith(': removed')) open.delete(id);
      else open.set(id, { pid: '', taken: true });
    }
    if (daemon !== 'smtpd') continue;
    // A smtpd that goes on to something else has handed over or dropped what it had before.
    for (const [other, state] of open) if (state.pid === pid) open.delete(other);
    if (id !== undefined && rest.includes(': client=')) open.set(id, { pid, taken: false });
  }
  return [...open].map(([id, { taken }]) => ({ id, taken }));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
