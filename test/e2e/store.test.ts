import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needMailWorld, startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { type VSCode, startVSCode } from './harness/vscode.ts';
import type { Theme, Workbench } from './harness/workbench.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';

const ALICE = { email: 'alice@example.test', name: 'Alice', password: 'alice-password' };
const THEMES: readonly { readonly theme: Theme; readonly name: string }[] = [
  { theme: 'Default Light Modern', name: 'light' },
  { theme: 'Default High Contrast', name: 'high-contrast' },
  { theme: 'Default Dark Modern', name: 'dark' },
];
const SERVER_MS = 60_000;

/** A message as the server has it, `minutes` after the first one. */
function letter(o: { n: number; from: string; subject: string; text: string; reply?: number; head?: string }): Buffer {
  const date = new Date(Date.UTC(2026, 8, 1, 9) + o.n * 3_600_000).toUTCString().replace('GMT', '+0000');
  const reply = o.reply === undefined ? '' : `In-Reply-To: <${o.reply}@example.test>\r\nReferences: <${o.reply}@example.test>\r\n`;
  const head = `From: ${o.from}\r\nTo: Alice <alice@example.test>\r\nSubject: ${o.subject}\r\nDate: ${date}\r\n${reply}${o.head ?? ''}`;
  return Buffer.from(`${head}Message-ID: <${o.n}@example.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${o.text}\r\n`);
}

const BOB = 'Bob Brown <bob@other.test>';
const CAROL = 'Carol Clark <carol@other.test>';
const MAILBOX = [
  ...Array.from({ length: 60 }, (_, n) => letter({ n, from: CAROL, subject: `Minutes of meeting ${n}`, text: 'As every week.' })),
  letter({ n: 60, from: BOB, subject: 'Shopping', text: 'Please bring the ripest kumquat you can find, and bread.' }),
  letter({ n: 61, from: BOB, subject: 'Bridge plans', text: 'What about steel?' }),
  letter({ n: 62, from: CAROL, subject: 'Re: Bridge plans', text: 'Stone lasts longer.', reply: 61 }),
  letter({ n: 63, from: BOB, subject: 'Re: Bridge plans', text: 'Stone it is.', reply: 62 }),
  letter({ n: 64, from: CAROL, subject: 'Nothing important', text: 'May be put away.' }),
];

describe('e2e/the offline store', function () {
  let folder: string;
  let mail: MailWorld;
  let vscode: VSCode;
  let workbench: Workbench;
  let qumail: QuMail;

  before(async function () {
    needMailWorld(this);
    folder = mkdtempSync(join(tmpdir(), 'qumail-store-'));
    const caPem = await testCaPem();
    writeFileSync(join(folder, 'ca.pem'), caPem);
    mail = await startMailWorld({ users: [ALICE], tls: { ...(await issueServer()), caPem } });
    mail.fill(ALICE.email, MAILBOX);
    // What is put into a mailbox counts as read.
    await mail.doveadm(['flags', 'remove', '-u', ALICE.email, '\\Seen', 'mailbox', 'INBOX', 'subject', 'Bridge']);
    await mail.doveadm(['mailbox', 'create', '-u', ALICE.email, 'Archive']);
    vscode = await startVSCode({
      vsix: [packagedExtension()],
      name: 'store',
      settings: { 'qumail.certificateAuthorities': { '127.0.0.1': join(folder, 'ca.pem') } },
    });
    workbench = vscode.workbench;
    qumail = new QuMail(workbench);
    await qumail.open();
    await qumail.signInWithPassword({ ...ALICE, servers: mail });
    await qumail.messages.item('Nothing important');
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    await workbench.screenshot('failed');
    console.log(vscode.log('QuMail.log'));
  });

  after(async () => {
    await vscode?.[Symbol.asyncDispose]();
    await mail?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function inEveryTheme(view: string, prepare: () => Promise<void> = async () => {}): Promise<void> {
    for (const { theme, name } of THEMES) {
      await workbench.setTheme(theme);
      await prepare();
      await workbench.screenshot(`${view}-${name}`);
    }
  }

  const rows = () => workbench.page.locator('.part.sidebar .pane', { has: workbench.page.locator('.pane-header[aria-label^="Messages"]') });
  const row = (text: string | RegExp) => rows().locator('.monaco-list-row', { hasText: text });

  it('shows a conversation as one row with its people and unread count, and its messages below', async () => {
    const thread = await qumail.messages.item(/Bob Brown, Carol Clark/);
    assert.match(await thread.innerText(), /\(3\)/);
    assert.match((await thread.getAttribute('aria-label')) ?? '', /3 messages, 3 unread/);
    await qumail.messages.expand(/Bob Brown, Carol Clark/);
    await row(/^\s*Bob Brown/)
      .nth(2)
      .waitFor();
    await inEveryTheme('conversation');
  });

  it('shows single messages instead when that is asked for', async () => {
    await qumail.command('Show Single Messages');
    await row('Re: Bridge plans').nth(1).waitFor();
    assert.equal(await row('Bridge plans').count(), 3);
    await qumail.command('Show Conversations');
    await qumail.messages.item(/\(3\)/);
  });

  it('finds a message by a word of its text while it is being typed, and shows where', async () => {
    const box = workbench.page.locator('.quick-input-widget:visible');
    await qumail.command('Search Mail');
    await workbench.quickInput.shown('Search Mail');
    await workbench.quickInput.type('kumq');
    const hit = box.locator('.monaco-list-row', { hasText: 'Shopping' });
    await hit.first().waitFor({ timeout: SERVER_MS });
    assert.match(await hit.first().innerText(), /‹kumquat›/);
    await workbench.screenshot('search');
    await workbench.quickInput.type('level:');
    await box.locator('.monaco-list-row', { hasText: 'L2' }).first().waitFor();
    await workbench.screenshot('search-completion');
    await workbench.quickInput.type('kumquat (');
    await box.locator('.monaco-list-row .codicon-warning').first().waitFor();
    await workbench.quickInput.type('kumquat');
    await hit.first().waitFor();
    await workbench.quickInput.pick('Show all results as a list');
    const found = row('Shopping — ').first();
    await found.waitFor();
    assert.deepEqual(await found.locator('.highlight').allInnerTexts(), ['kumquat']);
    await inEveryTheme('search-list');
    await found.click();
    await qumail.reader.shows('Shopping', SERVER_MS);
  });

  it('keeps a search as a row with its count', async () => {
    await qumail.messages.clickTitleAction('Save Search');
    await workbench.quickInput.answer('Save this search as', 'Fruit');
    const search = await qumail.mail.item('Fruit');
    assert.match((await search.getAttribute('aria-label')) ?? '', /0 unread of 1/);
  });

  it('archives with a key and takes it back with another', async () => {
    await qumail.openInbox(ALICE.email, 0);
    await row('Nothing important').first().click();
    await qumail.reader.shows('Nothing important', SERVER_MS);
    await row('Nothing important')
      .first()
      .click({ modifiers: ['ControlOrMeta'] });
    await row('Nothing important').first().focus();
    await row('Nothing important').first().press('e');
    await row('Nothing important').first().waitFor({ state: 'detached' });
    await rows().locator('.monaco-list').press('ControlOrMeta+z');
    await row('Nothing important').first().waitFor();
  });

  it('does the same without a connection, and says that the server has not heard of it', async () => {
    await mail.stop();
    await qumail.messages.clickItemAction('Nothing important', 'Archive');
    await row('Nothing important').first().waitFor({ state: 'detached' });
    await qumail.mail.item('Changes on the way');
    await qumail.mail.select('Archive');
    const archived = await qumail.messages.item('Nothing important');
    assert.match(await archived.innerText(), /⟳/);
    await inEveryTheme('offline');
  });
});
