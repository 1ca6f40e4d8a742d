/** Page objects for QuMail: what a person does with it through VS Code's own interface. */
import type { Locator } from 'playwright-core';
import type { ServerAddress } from '../../src/core/api.ts';
import type { View, Workbench } from './harness/workbench.ts';
import { Reader } from './reader.ts';

/** Signing in, sealing and delivering talk to real servers; two whole VS Codes share the machine with them. */
const SERVER_MS = 60_000;
/** How long to wait before pressing a row again, and how often. */
const AGAIN_MS = 8000;
const ATTEMPTS = 3;

export interface Letter {
  /** The account to write from, where there are several. */
  readonly from?: string;
  readonly to: string;
  readonly subject: string;
  readonly level: 'L1' | 'L2' | 'L3' | 'L4';
  readonly attach?: string;
  readonly body: string;
}

export interface MailServers {
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress;
}

/** What a wizard asks, by a part of its words, and what to answer. */
type Answer =
  | { readonly asked: string; readonly text: string; readonly pick?: undefined }
  | { readonly asked: string; readonly pick: string };

export class QuMail {
  readonly workbench: Workbench;
  readonly reader: Reader;

  constructor(workbench: Workbench) {
    this.workbench = workbench;
    this.reader = new Reader(workbench);
  }

  get mail(): View {
    return this.workbench.view('Mail');
  }

  get messages(): View {
    return this.workbench.view('Messages');
  }

  get keys(): View {
    return this.workbench.view('Contacts & Keys');
  }

  /** Shows QuMail's side bar. */
  async open(): Promise<void> {
    await this.workbench.openContainer('QuMail');
  }

  /** Runs one of QuMail's commands from the palette, e.g. `Fetch Mail`. */
  async command(title: string): Promise<void> {
    await this.workbench.runCommand(`QuMail: ${title}`);
  }

  /** Runs one of QuMail's commands that asks which one, in the words of `asked` where they are given, and chooses `label`. */
  async commandAndPick(title: string, label: string, asked?: string): Promise<void> {
    await this.workbench.runAndPick(`QuMail: ${title}`, label, asked);
  }

  /** Fills in the sign-in wizard with a password, and waits for the account. */
  async signInWithPassword(person: { email: string; name: string; password: string; servers: MailServers }): Promise<void> {
    await this.command('Sign In');
    await this.#fillIn([
      { asked: 'How do you sign in', pick: 'Password or app password' },
      { asked: 'E-mail address', text: person.email },
      { asked: 'Your name', text: person.name },
      { asked: 'kept in the secret storage', text: person.password },
      ...serverAnswers(person.servers),
    ]);
    await this.account(person.email);
  }

  /** Fills in the sign-in wizard for an OpenID Connect issuer; the pages in the browser are the caller's to fill in. */
  async startSignInWithOidc(person: { email: string; issuer: string; clientId: string; servers: MailServers }): Promise<void> {
    await this.command('Sign In');
    await this.#fillIn([
      { asked: 'How do you sign in', pick: 'Other OAuth provider' },
      { asked: 'E-mail address', text: person.email },
      { asked: 'OpenID Connect issuer', text: person.issuer },
      { asked: 'OAuth client ID', text: person.clientId },
      { asked: 'OAuth client secret', text: '' },
      ...serverAnswers(person.servers),
    ]);
  }

  /** Waits until the account is in the Mail view and online. */
  async account(email: string): Promise<Locator> {
    const row = this.workbench.page.locator('.part.sidebar .pane', {
      has: this.workbench.page.locator('.pane-header[aria-label^="Mail"]'),
    });
    const account = row.locator('.monaco-list-row', { hasText: email });
    await account.first().waitFor({ timeout: SERVER_MS });
    return account.first();
  }

  /** Opens the inbox of an account, the n-th that has one. */
  async openInbox(email: string, nth: number): Promise<void> {
    const { page } = this.workbench;
    const pane = page.locator('.part.sidebar .pane').filter({ has: page.locator('.pane-header[aria-label^="Mail"]') });
    const shown = page.locator('.part.sidebar .pane-header[aria-label^="Messages"]', { hasText: `Inbox · ${email}` });
    const account = pane.locator('.monaco-list-row', { hasText: email }).first();
    await pressUntil(pane.locator('.monaco-list-row', { hasText: /^\s*Inbox/ }).nth(nth), async () => {
      // A press that went astray may have folded the account up.
      if ((await account.getAttribute('aria-expanded')) === 'false') await account.click();
      await shown.waitFor({ timeout: AGAIN_MS });
    });
  }

  /** Connects the key manager of the only account through the wizard. */
  async connectKeyManager(keys: {
    url: string;
    kmeId: string;
    saeId: string;
    certFile: string;
    keyFile: string;
    caFile: string;
  }): Promise<void> {
    await this.command('Connect Key Manager');
    await this.#answer('Address of the key manager', keys.url);
    await this.#answer('KME ID', keys.kmeId);
    await this.#answer('Your own SAE ID', keys.saeId);
    await this.#choose('How did you get your client certificate?', 'PEM');
    await this.#answer('Client certificate (PEM)', keys.certFile);
    await this.#answer('Private key (PEM)', keys.keyFile);
    await this.#answer('Passphrase of the private key', '');
    await this.#answer('Certificate of the authority', keys.caFile);
    // The command shows its view by itself.
    await this.keys.item(/Key manager.*connected/);
  }

  /** Adds a contact through the wizard; `of` names the account where there are several. */
  async saveContact(contact: { of?: string; address: string; name: string; saeId: string }): Promise<void> {
    await this.command('Add or Edit Contact');
    if (contact.of !== undefined) await this.#choose('Add a contact to which account?', contact.of);
    await this.#answer('E-mail address of the contact', contact.address);
    await this.#answer('Name of the contact', contact.name);
    await this.#answer('SAE ID of the contact', contact.saeId);
    await this.#choose('Never send this contact', 'L4');
    await this.keys.item(contact.name);
  }

  /** Deletes a contact of one of several accounts. */
  async deleteContact(contact: { of: string; address: string }): Promise<void> {
    await this.command('Delete Contact');
    await this.#choose('Delete a contact of which account?', contact.of);
    await this.#choose('Delete which contact?', contact.address);
    await this.workbench.dialog.click('Delete the contact', 'Delete');
  }

  /** Starts a message; the draft is the active editor then. */
  async newMessage(from?: string): Promise<void> {
    const drafts = await this.drafts.count();
    if (from === undefined) await this.command('New Message');
    else await this.mail.chooseFromMenu(from, 'New Message');
    await this.drafts.nth(drafts).waitFor({ timeout: SERVER_MS });
    await this.#draftLine('From:');
  }

  /** Writes a message and leaves it unsent in the composer. */
  async compose(letter: Letter): Promise<void> {
    await this.newMessage(letter.from);
    const lines = [`To: ${letter.to}`, `Subject: ${letter.subject}`, `Security: ${letter.level}`];
    if (letter.attach !== undefined) lines.push(`Attach: ${letter.attach}`);
    await this.workbench.editor.setText([...lines, '', letter.body, ''].join('\n'));
    await this.#written(letter.subject);
  }

  /** Answers the message on show and writes `text` above the quotation; leaves it unsent. */
  async reply(text: string): Promise<void> {
    const drafts = await this.drafts.count();
    await this.reader.press('Reply');
    await this.drafts.nth(drafts).waitFor({ timeout: SERVER_MS });
    await this.#draftLine('From:');
    // The composer puts the cursor where the answer goes.
    await this.workbench.editor.type(text);
    await this.#written(text);
  }

  /** Presses Send in the title bar and waits until the mail server has the message. */
  async send(): Promise<void> {
    const { page } = this.workbench;
    const drafts = await this.drafts.count();
    const refused = page.locator('.notification-list-item:has(.codicon-error), .notification-list-item:has(.codicon-warning)').first();
    const tab = this.drafts.nth(drafts - 1);
    const begun = page.locator('.notification-list-item', { hasText: 'Sending "' }).first();
    // A toolbar that is drawn anew between press and release swallows the click, of a person too; pressing twice sends once.
    for (let tries = 0; tries < 3; tries += 1) {
      await this.workbench.clickEditorAction('Secure Send');
      const answered = [
        begun.waitFor({ timeout: 8000 }),
        refused.waitFor({ timeout: 8000 }),
        tab.waitFor({ state: 'detached', timeout: 8000 }),
      ];
      if (
        await Promise.any(answered).then(
          () => true,
          () => false,
        )
      )
        break;
    }
    const sent = tab.waitFor({ state: 'detached', timeout: SERVER_MS });
    const failed = refused.waitFor({ timeout: SERVER_MS }).then(async () => {
      throw new Error(`not sent: ${await refused.innerText()}`);
    });
    // Whichever loses the race ends by its time limit, unheard.
    sent.catch(() => {});
    failed.catch(() => {});
    await Promise.race([sent, failed]);
  }

  /** Composes and sends. */
  async write(letter: Letter): Promise<void> {
    await this.compose(letter);
    await this.send();
  }

  /** Waits for a message in the list and opens it in the reader. */
  async openMessage(subject: string): Promise<void> {
    await this.#message(subject).waitFor({ timeout: SERVER_MS });
    await pressUntil(this.#message(subject), () => this.reader.shows(subject, AGAIN_MS));
  }

  /** Opens a message that nobody can tell the subject of, by its sender. */
  async openUnopened(sender: string): Promise<void> {
    await this.#message(sender).waitFor({ timeout: SERVER_MS });
    await pressUntil(this.#message(sender), () => this.reader.shows('QuMail Secure Message', AGAIN_MS));
  }

  /** Tabs that show a draft. */
  get drafts(): Locator {
    return this.workbench.page.locator(
      '.tabs-container .tab:has(.qumail-draft-lang-file-icon), .tabs-container .tab:has([class*="qumail-ext-file-icon"])',
    );
  }

  #message(subject: string): Locator {
    const { page } = this.workbench;
    const pane = page.locator('.part.sidebar .pane').filter({ has: page.locator('.pane-header[aria-label^="Messages"]') });
    return pane.locator('.monaco-list-row', { hasText: subject }).first();
  }

  /** Waits until the text stands there and the composer has said what it makes of it. */
  async #written(text: string): Promise<void> {
    await this.#draftLine(text);
    await this.workbench.page.locator('.editor-group-container.active .codelens-decoration a', { hasText: 'Send' }).first().waitFor();
  }

  async #draftLine(text: string): Promise<void> {
    await this.workbench.page.locator('.editor-group-container.active .editor-instance .view-line', { hasText: text }).first().waitFor();
  }

  /** Answers the questions of a wizard in whatever order they come, until the last one named has been answered. */
  async #fillIn(answers: readonly Answer[]): Promise<void> {
    const left = new Set(answers);
    const isOver = (): boolean => answers.slice(-1).every((last) => !left.has(last));
    while (!isOver()) {
      const asks = [...left].map((answer) => this.workbench.quickInput.asking(answer.asked));
      await asks
        .reduce((any, one) => any.or(one))
        .first()
        .waitFor();
      const shown = await Promise.all(asks.map((ask) => ask.count()));
      const answer = [...left][shown.findIndex((count) => count > 0)];
      if (answer === undefined) continue;
      left.delete(answer);
      if (answer.pick === undefined) {
        await this.workbench.quickInput.type(answer.text);
        await this.workbench.quickInput.accept();
      } else await this.workbench.quickInput.pick(answer.pick);
      await this.workbench.quickInput.asking(answer.asked).waitFor({ state: 'detached' });
    }
  }

  async #answer(prompt: string, text: string): Promise<void> {
    await this.workbench.quickInput.answer(prompt, text);
  }

  async #choose(prompt: string, label: string): Promise<void> {
    await this.workbench.quickInput.shown(prompt);
    await this.workbench.quickInput.pick(label);
  }
}

function serverAnswers({ imap, smtp }: MailServers): readonly Answer[] {
  return [
    { asked: 'Which servers is the mail on?', pick: 'Enter the servers by hand' },
    { asked: 'IMAP server as host:port', text: `${imap.host}:${imap.port}` },
    { asked: 'connection to the IMAP server', pick: 'TLS' },
    { asked: 'SMTP server as host:port', text: `${smtp.host}:${smtp.port}` },
    { asked: 'connection to the SMTP server', pick: 'TLS' },
  ];
}

/** Presses a row of a tree until what it does has happened: a tree that is being drawn anew moves its rows away under the pointer. */
async function pressUntil(row: Locator, happened: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await row.click();
    try {
      return void (await happened());
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
