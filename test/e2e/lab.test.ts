import assert from 'node:assert/strict';
import { type VSCode, startVSCode } from './harness/vscode.ts';
import type { Workbench } from './harness/workbench.ts';
import { packagedExtension } from './packaged.ts';
import { ChatPanelPage } from './chatPanel.ts';
import { QuMail } from './qumail.ts';

const ALICE = 'alice@lab.example';
const BOB = 'bob@lab.example';
/** What a newcomer is promised: from opening the lab to having read mail of every level. */
const NEWCOMER_MS = 60_000;

describe('e2e/the demo lab', function () {
  let vscode: VSCode;
  let workbench: Workbench;
  let qumail: QuMail;

  before(async () => {
    vscode = await startVSCode({ vsix: [packagedExtension()], name: 'lab' });
    workbench = vscode.workbench;
    qumail = new QuMail(workbench);
  });
  after(() => vscode?.[Symbol.asyncDispose]());
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    await workbench.screenshot('failed');
    console.log(vscode.log('QuMail.log'));
  });

  it('offers signing in and itself to a newcomer', async () => {
    await qumail.open();
    const welcome = await workbench.view('Welcome').welcome();
    assert.match(welcome, /Sign In/);
    assert.match(welcome, /Open Demo Lab/);
    await workbench.inEveryTheme('sign-in-view');
  });

  it('takes a newcomer from nothing to mail of every level, sent and read, within a minute', async () => {
    const began = Date.now();
    await qumail.command('Open Demo Lab');
    await qumail.account(BOB);
    await workbench.tab('My first sealed letter');
    await workbench.screenshot('opened');
    // The letter that waits in the editor is sealed at L2.
    await qumail.send();
    await qumail.openInbox(BOB, 1);
    await qumail.openMessage('My first sealed letter');
    assert.equal((await qumail.reader.banner()).level, 'L2');
    assert.match((await qumail.reader.banner()).text, new RegExp(`SIMULATED.*sealed by ${ALICE}`));
    for (const level of ['L1', 'L4'] as const) {
      const subject = `A letter at ${level}`;
      await qumail.write({ from: ALICE, to: BOB, subject, level, body: `This went at ${level}.` });
      await qumail.openMessage(subject);
      assert.equal((await qumail.reader.banner()).level, level);
      assert.equal((await qumail.reader.body()).trim(), `This went at ${level}.`);
    }
    const seconds = (Date.now() - began) / 1000;
    console.log(`        the demo lab: opened, three letters sent and read in ${seconds.toFixed(1)} s`);
    assert.ok(seconds * 1000 < NEWCOMER_MS);
  });

  it('marks everything as SIMULATED', async () => {
    await qumail.keys.open();
    await qumail.keys.item('Simulated key managers');
    for (const account of [ALICE, BOB]) assert.match(await (await qumail.mail.item(account)).innerText(), /SIMULATED/);
    for (const manager of await qumail.keys.items()) if (manager.startsWith('Key manager')) assert.match(manager, /SIMULATED/);
    assert.ok((await workbench.statusBar()).some((item) => item.includes('SIMULATED')));
    assert.match(await (await qumail.messages.item('A letter at L1')).innerText(), /SIMULATED/);
    await qumail.openMessage('A letter at L1');
    assert.match((await qumail.reader.banner()).text, /SIMULATED/);
  });

  it('has a group of four in which everybody reads what one of them says', async () => {
    const chat = new ChatPanelPage(workbench);
    const chats = workbench.view('Chats');
    await chats.open();
    await chats.select(/The Lab.*bob@lab\.example/);
    await chat.shows(/The Lab.*bob@lab\.example/s);
    assert.match(await (await chat.line('Welcome to The Lab')).innerText(), /L2 · Quantum-aided AES/);
    await chat.reply('Welcome to The Lab', 'Hello from **Bob**');
    await chat.react('Welcome to The Lab', '👍');
    await chats.select(/The Lab.*carol@lab\.example/);
    await chat.shows(/The Lab.*carol@lab\.example/s);
    const line = await chat.line('Hello from Bob');
    await line.locator('.quoted', { hasText: 'Welcome' }).waitFor();
    assert.match(await chat.head.innerText(), /SIMULATED/);
    await workbench.inEveryTheme('chat');
  });

  it('draws lists, reader and keys in dark, light and high contrast', async () => {
    await qumail.openMessage('My first sealed letter');
    assert.ok((await qumail.reader.keyIds()).length > 0);
    await workbench.inEveryTheme('reader-opened');
    await qumail.openMessage('A letter at L4');
    await workbench.inEveryTheme('reader-plain');
  });

  it('draws the composer with completion and with what is wrong in dark, light and high contrast', async () => {
    await qumail.newMessage(ALICE);
    await workbench.editor.setText(
      `From: ${ALICE}\nTo: ${BOB}, not-an-address\nSubject: Plans\nSecurity: L3\n\n# Hello\n\nsome **text**\n`,
    );
    await workbench.page.locator('.squiggly-error').first().waitFor();
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Send' }).first().waitFor();
    await workbench.inEveryTheme('composer-problems');
    await workbench.editor.setText('To: \nSubject: \nSecurity: \n\n');
    const suggestions = workbench.page.locator('.suggest-widget.visible .monaco-list-row');
    await workbench.inEveryTheme('composer-completion', async () => {
      await workbench.editor.focus();
      await workbench.page.keyboard.press('ControlOrMeta+Home');
      await workbench.page.keyboard.press('End');
      await workbench.runCommand('Trigger Suggest');
      await suggestions.filter({ hasText: BOB }).first().waitFor();
    });
    await suggestions.filter({ hasText: BOB }).first().click();
    assert.match(await workbench.editor.visibleText(), /^To: .*bob@lab\.example/);
  });

  it('says why a sealed letter cannot be opened, in dark, light and high contrast', async () => {
    const subject = 'From someone unknown';
    await qumail.deleteContact({ of: ALICE, address: BOB });
    await qumail.write({ from: BOB, to: ALICE, subject, level: 'L2', body: 'sealed all the same' });
    await qumail.openInbox(ALICE, 0);
    await qumail.openUnopened('bob');
    assert.match(await qumail.reader.failure(), /could not be opened/);
    await workbench.inEveryTheme('reader-failed');
    const saeId = 'lab-sae-bob';
    await qumail.saveContact({ of: ALICE, address: BOB, name: 'Bob', saeId });
    await qumail.reader.press('Try Again');
    await qumail.reader.shows(subject);
    assert.equal((await qumail.reader.body()).trim(), 'sealed all the same');
  });
});
