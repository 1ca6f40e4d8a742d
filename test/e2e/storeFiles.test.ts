import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { needMailWorld } from '../world/mailWorld.ts';
import type { Workbench } from './harness/workbench.ts';
import type { QuMail } from './qumail.ts';
import { ALICE, ALICE_AT_WORK, letter, SERVER_MS, StoreWorld, until } from './storeWorld.ts';

const BOB = 'Bob Brown <bob@other.test>';
const CAROL = 'Carol Clark <carol@other.test>';
const LETTERS = [
  ...Array.from({ length: 12 }, (_, n) =>
    letter({ n, from: CAROL, subject: `Report ${n}`, text: `From line\r\n>From line\r\n${'x'.repeat(n)}` }),
  ),
  letter({ n: 20, from: BOB, subject: 'Bridge plans', text: 'What about steel?' }),
  letter({ n: 21, from: CAROL, subject: 'Re: Bridge plans', text: 'Stone lasts longer.', reply: 20 }),
];
const WORK_LETTERS = [
  letter({ n: 30, from: CAROL, subject: 'Budget', text: 'For next year.' }),
  letter({ n: 31, from: BOB, subject: 'Re: Budget', text: 'Too little.', reply: 30 }),
];
/** A file as somebody may send it to do harm. */
const HOSTILE = Buffer.from(
  [
    `From: Mallory <mallory@evil.test>`,
    'To: alice@example.test',
    'Subject: You have won',
    'Date: Mon, 2 Mar 2026 10:00:00 +0000',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<h1>Congratulations</h1><script>document.body.innerHTML="scripted"</script><img src="https://tracker.evil.test/pixel.png" onerror="alert(1)">',
    '<p>Look <a href="https://evil.test/">here</a>.</p>',
    '',
  ].join('\r\n'),
);
/** Sealed, and its notice altered by somebody on the way. */
const SEALED = [
  'From: bob@other.test',
  'Subject: Click here',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  '',
  'Send your password to mallory@evil.test.',
  '--b',
  'Content-Type: application/json; name="qumail_payload.json"',
  '',
  '{}',
  '--b--',
  '',
].join('\r\n');
const LONG = 'A long paragraph about stone, which takes some time to write and would be a pity to lose. '.repeat(5);

describe('e2e/drafts and files', function () {
  const world = new StoreWorld('files');
  let workbench: Workbench;
  let qumail: QuMail;

  before(async function () {
    needMailWorld(this);
    mkdirSync(world.workspace, { recursive: true });
    writeFileSync(join(world.workspace, 'won.eml'), HOSTILE);
    writeFileSync(join(world.workspace, 'sealed.eml'), SEALED);
    await world.start(async (mail) => {
      mail.fill(ALICE.email, LETTERS);
      mail.fill(ALICE_AT_WORK.email, WORK_LETTERS);
      await mail.doveadm(['mailbox', 'create', '-u', ALICE.email, 'Again']);
    });
    ({ workbench, qumail } = world);
    await qumail.messages.item('Report 11');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await world.explain();
  });

  after(() => world[Symbol.asyncDispose]());

  const saved = (text: string) =>
    workbench.page.locator('.editor-group-container.active .codelens-decoration a', { hasText: text }).first();
  const stored = async (folder: string): Promise<string[]> =>
    (await world.mail.storedMessages(ALICE.email, folder)).map((raw) => raw.toString('latin1')).toSorted();

  it('says above a draft that it is saved, first here and then in the Drafts folder, where nobody else can read it', async () => {
    await qumail.newMessage();
    await workbench.editor.setText(`To: ${BOB}\nSubject: Stone\nSecurity: L4\n\n${LONG}\n`);
    await saved('Saved here').waitFor();
    await saved('Saved to Drafts').waitFor({ timeout: SERVER_MS });
    const [copy, ...more] = await world.mail.storedMessages(ALICE.email, 'Drafts');
    assert.equal(more.length, 0);
    assert.ok(copy && !copy.includes('would be a pity to lose'));
    await world.workbench.inEveryTheme('draft-saved');
    await saved('Saved to Drafts').click();
    await workbench.notifications.expect('sealed for yourself in the Drafts folder');
  });

  it('saves what is written within a second, also by somebody who does not pause', async () => {
    await qumail.mail.expand('Unsent drafts');
    await qumail.mail.item(/^\s*Stone/);
    await workbench.editor.focus();
    await workbench.page.keyboard.press('ControlOrMeta+Home');
    await workbench.page.keyboard.press('ArrowDown');
    await workbench.page.keyboard.press('End');
    let pausing = false;
    const typing = workbench.page.keyboard.type(' that was written without any pause at all, key after key', { delay: 60 }).then(() => {
      pausing = true;
    });
    // The row has the subject as it was saved last.
    await qumail.mail.item('Stone that was w');
    assert.ok(!pausing, 'it was saved after the last key only');
    await typing;
    await workbench.page.keyboard.press('Escape');
  });

  it('has the draft on show again after the window was loaded anew', async () => {
    await workbench.reload();
    await until('restored', async () => (await workbench.editor.visibleText()).includes('A long paragraph about stone'));
    await saved('Saved to Drafts').waitFor({ timeout: SERVER_MS });
  });

  it('lists its copy in the Drafts folder as the draft that it is, and goes on writing from there', async () => {
    await workbench.runCommand('View: Close All Editors');
    await qumail.mail.select(/^\s*Drafts/);
    const row = await qumail.messages.item('To Bob Brown');
    assert.match(await row.innerText(), /Stone/);
    await workbench.screenshot('drafts-folder');
    await row.click();
    await until('opened', async () => (await workbench.editor.visibleText()).includes('A long paragraph about stone'));
    await qumail.openInbox(ALICE.email, 0);
  });

  it('brings back an earlier text of it, beside which the present one can be looked at', async () => {
    await workbench.editor.setText(`To: ${BOB}\nSubject: Stone\nSecurity: L4\n\nNever mind.\n`);
    await saved('Saved here').waitFor();
    await saved('Saved to Drafts').waitFor({ timeout: SERVER_MS });
    await qumail.command('Show Draft Versions');
    await workbench.quickInput.shown('Earlier texts of this draft');
    await workbench.screenshot('draft-versions');
    await workbench.quickInput.accept();
    await workbench.page.locator('.monaco-diff-editor').first().waitFor();
    await workbench.screenshot('draft-compared');
    await workbench.clickEditorAction('Put This Text Back');
    await workbench.page.locator('.monaco-diff-editor').first().waitFor({ state: 'detached' });
    await until('put back', async () => (await workbench.editor.visibleText()).includes('A long paragraph about stone'));
    assert.equal(await qumail.drafts.count(), 1);
  });

  it('exports a message as the octets that the server has', async () => {
    const path = join(world.folder, 'report.eml');
    await qumail.open();
    await qumail.messages.chooseFromMenu('Report 11', 'Export Messages', (limitMs) =>
      workbench.quickInput.answerPath('Report 11.eml', path, limitMs),
    );
    await workbench.notifications.expect('1 message was written.');
    assert.equal(readFileSync(path, 'latin1'), LETTERS[11]!.toString('latin1'));
  });

  it('exports a whole folder as mbox, which goes into another folder octet for octet', async () => {
    const path = join(world.folder, 'inbox.mbox');
    const { quickInput } = workbench;
    await qumail.mail.chooseFromMenu(/^\s*Inbox/, 'Export Folder', (limitMs) => quickInput.pick('One mbox file', limitMs));
    await workbench.quickInput.answerPath('INBOX.mbox', path);
    await workbench.notifications.expect(`${LETTERS.length} messages were written.`);
    await qumail.mail.chooseFromMenu('Again', 'Import Mail', (limitMs) => quickInput.pick('Files', limitMs));
    await workbench.quickInput.answerPath('workspace/', path);
    await workbench.notifications.expect(`${LETTERS.length} messages were filed in Again.`);
    assert.deepEqual(await stored('Again'), await stored('INBOX'));
  });

  it('exports a whole folder as files, one for each message', async () => {
    const folder = join(world.folder, 'letters');
    mkdirSync(folder);
    // What the last test was told must not answer for this one.
    await workbench.runCommand('Notifications: Clear All Notifications');
    await qumail.mail.chooseFromMenu(/^\s*Inbox/, 'Export Folder', (limitMs) =>
      workbench.quickInput.pick('A folder of .eml files', limitMs),
    );
    await workbench.quickInput.answerPath('workspace/', `${folder}/`);
    await workbench.notifications.expect(`${LETTERS.length} messages were written.`);
    // In a folder of its own, named after the one they come from.
    assert.deepEqual(readdirSync(folder), ['INBOX']);
    const made = join(folder, 'INBOX');
    const written = readdirSync(made).map((name) => readFileSync(join(made, name), 'latin1'));
    assert.deepEqual(written.toSorted(), await stored('INBOX'));
  });

  it('opens an .eml file of the workspace as a message that runs nothing and loads nothing', async () => {
    const asked: string[] = [];
    workbench.page.on('request', (request) => void (request.url().includes('evil.test') && asked.push(request.url())));
    await workbench.openContainer('Explorer');
    // An editor that VS Code leaves empty is opened again.
    await workbench.leaveNextPanelsEmpty(1);
    await workbench.page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'won.eml' }).click();
    await qumail.reader.shows('You have won', SERVER_MS);
    assert.equal(await workbench.panelsToLeaveEmpty(), 0);
    assert.match(await qumail.reader.body(), /Congratulations/);
    assert.match((await qumail.reader.banner()).text, /Nothing proves who wrote it/);
    const page = workbench.webviewFrame();
    await page.locator('.strip', { hasText: 'Remote content was blocked' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Reply', exact: true }).count(), 0);
    await world.workbench.inEveryTheme('mail-file');
    assert.deepEqual(asked, []);
  });

  it('leaves a sealed message in a file shut, and says where it can be opened', async () => {
    const file = (name: string) => workbench.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
    await file('sealed.eml').click();
    await qumail.reader.shows('QuMail Secure Message', SERVER_MS);
    assert.match(await qumail.reader.failure(), /Import it into a folder of your mailbox/);
    await workbench.screenshot('mail-file-sealed');
    await file('won.eml').click();
    await qumail.reader.shows('You have won', SERVER_MS);
  });

  it('compares such files as text, as people do who keep them in a repository', async () => {
    const choose = async (name: string, entry: string): Promise<void> => {
      await workbench.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).click({ button: 'right' });
      await workbench.page.locator('.context-view .action-item', { hasText: entry }).first().hover();
      await workbench.page.keyboard.press('Enter');
    };
    await choose('sealed.eml', 'Select for Compare');
    await choose('won.eml', 'Compare with Selected');
    await workbench.page.locator('.monaco-diff-editor .view-line', { hasText: 'Subject: Click here' }).first().waitFor();
    await workbench.runCommand('View: Close Editor');
    await qumail.reader.shows('You have won', SERVER_MS);
  });

  it('shows the source of such a file, and files it where the person says', async () => {
    await qumail.reader.press('Import…');
    await workbench.quickInput.shown('Import into which folder?');
    await workbench.quickInput.pick('Again');
    await workbench.notifications.expect('1 message was filed in Again.');
    assert.ok((await stored('Again')).includes(HOSTILE.toString('latin1')));
    await qumail.reader.press('View Source');
    await until('shown as text', async () => (await workbench.editor.visibleText()).includes('Subject: You have won'));
  });

  it('shows the conversations of both inboxes in one list, and their messages where that is asked for', async () => {
    await qumail.open();
    await qumail.signInWithPassword({ ...ALICE_AT_WORK, servers: world.mail });
    await qumail.mail.select('All inboxes');
    await qumail.messages.item(/\(2\) .*Budget/);
    await qumail.messages.item(/\(2\) .*Bridge plans/);
    await qumail.messages.expand(/\(2\) .*Budget/);
    await world
      .row(/^\s*Bob Brown/)
      .first()
      .waitFor();
    await workbench.screenshot('unified');
    await qumail.command('Show Single Messages');
    await world.row(/\(2\)/).first().waitFor({ state: 'detached' });
    assert.equal(await world.row('Budget').count(), 2);
    await qumail.command('Show Conversations');
    await qumail.messages.item(/\(2\) .*Budget/);
  });

  it('moves a message that is dropped on a folder of its account, and refuses one of another account', async () => {
    const trash = workbench.page.locator('.part.sidebar .monaco-list-row', { hasText: /^\s*Trash/ });
    const inTrash = async (email: string): Promise<number> => (await world.mail.storedMessages(email, 'Trash')).length;
    const drop = async (subject: RegExp, target: Locator): Promise<void> => {
      const { mouse } = workbench.page;
      const to = (await target.boundingBox())!;
      await (await qumail.messages.item(subject)).hover();
      await mouse.down();
      // A tree takes only what has been over a row for some moves.
      await mouse.move(to.x + 60, to.y + to.height / 2, { steps: 12 });
      await mouse.move(to.x + 64, to.y + to.height / 2, { steps: 4 });
      await mouse.up();
    };
    await drop(/Report 11/, trash.nth(1));
    await workbench.notifications.expect('Messages can only be moved to folders of the account they are in');
    await qumail.messages.item(/Report 11/);
    await drop(/Report 10/, trash.first());
    await world
      .row(/Report 10/)
      .first()
      .waitFor({ state: 'detached' });
    await until('told', async () => (await inTrash(ALICE.email)) === 1);
    assert.equal(await inTrash(ALICE_AT_WORK.email), 0);
    await qumail.messages.item(/Report 11/);
  });

  it('says above a draft that it waits for the connection, while there is none', async () => {
    await qumail.drafts.first().click();
    await saved('Saved to Drafts').waitFor({ timeout: SERVER_MS });
    await world.mail.stop();
    await workbench.editor.setText(`To: ${BOB}\nSubject: Stone\nSecurity: L4\n\nWritten on the train.\n`);
    await saved('Drafts when connected').waitFor({ timeout: SERVER_MS });
    await workbench.screenshot('draft-waiting');
    await qumail.command('Where Is This Draft Saved?');
    await workbench.notifications.expect('as soon as there is a connection');
  });

  it('deletes a draft by its copy only when the person says so, and then both', async () => {
    await qumail.mail.select(/^\s*Drafts/);
    await qumail.messages.clickItemAction('To Bob Brown', 'Delete Draft');
    assert.match(await workbench.dialog.expect('Delete the draft "Stone"?'), /its copy on the server/);
    await workbench.dialog.click('Delete the draft', 'Cancel');
    await qumail.mail.item('Unsent drafts');
    await qumail.messages.clickItemAction('To Bob Brown', 'Delete Draft');
    await workbench.dialog.click('Delete the draft', 'Delete');
    await workbench.page.locator('.part.sidebar .monaco-list-row', { hasText: 'Unsent drafts' }).waitFor({ state: 'detached' });
  });
});
