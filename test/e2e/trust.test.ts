import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VSCode, startVSCode } from './harness/vscode.ts';
import type { Workbench } from './harness/workbench.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';

const ALICE = 'alice@lab.example';
const BOB = 'bob@lab.example';

/** DESIGN 7. */
const ACTIVATE_MS = 20;

describe('e2e/keys and trust', function () {
  let folder: string;
  let vscode: VSCode;
  let workbench: Workbench;
  let qumail: QuMail;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'qumail-trust-'));
    vscode = await startVSCode({ vsix: [packagedExtension()], name: 'trust' });
    workbench = vscode.workbench;
    qumail = new QuMail(workbench);
    await qumail.open();
    await qumail.command('Open Demo Lab');
    await qumail.account(BOB);
    await workbench.tab('My first sealed letter');
  });
  after(async () => {
    await vscode?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    await workbench.screenshot('failed');
    console.log(vscode.log('QuMail.log'));
  });

  it('sends at L3, without a key of any key manager, to somebody whose card has come, and says who signed it', async () => {
    // The first letter carries the card of the one who wrote it; the answer can be sealed to its certificate.
    await qumail.send();
    await qumail.openInbox(BOB, 1);
    await qumail.openMessage('My first sealed letter');
    await qumail.write({ from: BOB, to: ALICE, subject: 'After quantum', level: 'L3', body: 'nobody else reads this' });
    await qumail.openInbox(ALICE, 0);
    await qumail.openMessage('After quantum');
    const banner = await qumail.reader.banner();
    assert.equal(banner.level, 'L3');
    assert.match(banner.text, new RegExp(`Sealed against quantum computers and signed by ${BOB}`));
    assert.deepEqual(await qumail.reader.keyIds(), []);
    assert.match((await qumail.reader.banner()).text, /Post-quantum yes.*Signature valid/);
    await workbench.inEveryTheme('banner-l3');
  });

  it('shows the safety number in twelve groups, compares what is typed, and marks the contact verified', async () => {
    await workbench.leaveNextPanelsEmpty(1);
    await qumail.commandAndPick('Verify Contact', ALICE, 'Verify which contact?');
    await workbench.quickInput.pick('Bob');
    await workbench.tab('Verify Bob');
    const page = workbench.webviewFrame();
    // VS Code has left the panel empty, and another has taken its place.
    await page.locator('.digits li').last().waitFor();
    assert.equal(await workbench.panelsToLeaveEmpty(), 0);
    const groups = await page.locator('.digits li').allInnerTexts();
    assert.equal(groups.length, 12);
    for (const group of groups) assert.match(group, /^\d{5}$/);
    const typed = page.locator('#typed');
    await typed.fill(groups.with(3, groups[3] === '00000' ? '11111' : '00000').join(' '));
    assert.match(await page.locator('#compared').innerText(), /differ/);
    await workbench.inEveryTheme('safety-number');
    await typed.fill(groups.join(' '));
    assert.match(await page.locator('#compared').innerText(), /same/);
    // Reached by the keyboard alone.
    await page.getByRole('button', { name: 'They Match' }).focus();
    await workbench.page.keyboard.press('Enter');
    await page.locator('.mark .good', { hasText: 'verified' }).waitFor();
    await workbench.screenshot('verified');
  });

  it('reads the QR code of the other side out of a picture, and refuses one that is not of these two', async () => {
    const page = workbench.webviewFrame();
    // A picture of the own code: shown by this side, it proves nothing.
    const picture = await page.locator('figure svg').screenshot();
    await page.locator('#picture').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: picture });
    await workbench.notifications.expect(/code|differ/);
    await workbench.screenshot('own-code-refused');
  });

  it('marks the contact in Contacts & Keys and tests the key manager', async () => {
    await qumail.keys.open();
    await qumail.keys.item(/Bob.*verified/);
    await qumail.commandAndPick('Test Key Manager', ALICE, 'Test the key manager of which account?');
    await workbench.tab('Key Manager Test');
    const page = workbench.webviewFrame();
    await page.locator('table').waitFor();
    assert.ok((await page.locator('tbody tr').count()) >= 12);
    await workbench.inEveryTheme('conformance');
  });

  it('shows the own contact card as a code', async () => {
    await qumail.commandAndPick('Show Own Contact Card', ALICE);
    await workbench.tab('Contact Card');
    await workbench.webviewFrame().locator('figure svg').waitFor();
    await workbench.inEveryTheme('contact-card');
  });

  it('writes a backup after the words were written down, and finds the audit log intact', async () => {
    await qumail.command('Create Backup');
    const shown = await workbench.dialog.expect('Write down these 24 words');
    await workbench.screenshot('recovery-words');
    const words = [...shown.matchAll(/(\d+)\. ([a-z]+)/g)].map(([, , word]) => word ?? '');
    assert.equal(words.length, 24);
    await workbench.dialog.click('Write down these 24 words', 'I Wrote Them Down');
    let last = 0;
    for (let asked = 0; asked < 3; asked++) {
      const prompt = workbench.page.locator('.quick-input-message', { hasText: /Word \d+ of/, hasNotText: `Word ${last} of` });
      last = Number(/Word (\d+) of/.exec(await prompt.innerText())?.[1]);
      await workbench.quickInput.answer(`Word ${last} of the recovery phrase`, words[last - 1] ?? '');
    }
    const path = join(folder, 'all.qumailbackup');
    await workbench.quickInput.answerPath('.qumailbackup', path);
    const summary = await workbench.dialog.expect('The backup is written');
    assert.match(summary, /Never in a backup: pads, quantum keys, sign-ins and passwords/);
    await workbench.dialog.click('The backup is written', 'OK');
    assert.doesNotMatch(readFileSync(path, 'latin1'), /lab\.example/);
    await qumail.command('Verify Audit Log');
    await workbench.notifications.expect('The audit log is intact');
  });

  it('locks with a passphrase, and shows nothing until it is unlocked', async () => {
    await qumail.command('Set Passphrase');
    await workbench.quickInput.answer('The new passphrase', 'four unrelated words here');
    await workbench.quickInput.answer('The same once more', 'four unrelated words here');
    await workbench.page.locator('.part.statusbar', { hasText: 'protected with the passphrase' }).waitFor();
    await qumail.compose({ to: BOB, subject: 'Not for eyes', level: 'L4', body: 'Shut when QuMail locks.' });
    await qumail.command('Lock Now');
    const locked = workbench.view('Welcome');
    assert.match(await locked.welcome(), /locked with your passphrase/);
    await workbench.page.locator('.tabs-container .tab', { hasText: 'After quantum' }).waitFor({ state: 'detached' });
    await qumail.drafts.first().waitFor({ state: 'detached' });
    await workbench.screenshot('locked');
    await locked.clickWelcome('Unlock');
    await workbench.quickInput.answer('Your passphrase', 'four unrelated words here');
    await qumail.account(ALICE);
  });

  it(`is active within ${ACTIVATE_MS} ms, of three starts at best`, async () => {
    const took = (): number[] => [...vscode.log('QuMail.log').matchAll(/activated in ([\d.]+) ms/g)].map(([, ms]) => Number(ms));
    while (Math.min(...took()) > ACTIVATE_MS && took().length < 3) {
      await workbench.reload();
      await qumail.open();
      await workbench.view('Welcome').welcome();
    }
    console.log(`        activate() took ${took().join(', ')} ms`);
    assert.ok(Math.min(...took()) <= ACTIVATE_MS);
  });
});
