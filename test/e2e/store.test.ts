import assert from 'node:assert/strict';
import { needMailWorld } from '../world/mailWorld.ts';
import type { Workbench } from './harness/workbench.ts';
import type { QuMail } from './qumail.ts';
import { ALICE, letter, SERVER_MS, StoreWorld, until } from './storeWorld.ts';

const BOB = 'Bob Brown <bob@other.test>';
const CAROL = 'Carol Clark <carol@other.test>';
const LIST = 'Gardeners <list@other.test>';
const MAILBOX = [
  ...Array.from({ length: 60 }, (_, n) => letter({ n, from: CAROL, subject: `Minutes of meeting ${n}`, text: 'As every week.' })),
  letter({ n: 60, from: BOB, subject: 'Shopping', text: 'Please bring the ripest kumquat you can find, and bread.' }),
  letter({ n: 61, from: BOB, subject: 'Bridge plans', text: 'What about steel?' }),
  letter({ n: 62, from: CAROL, subject: 'Re: Bridge plans', text: 'Stone lasts longer.', reply: 61 }),
  letter({ n: 63, from: BOB, subject: 'Re: Bridge plans', text: 'Stone it is.', reply: 62 }),
  letter({ n: 64, from: CAROL, subject: 'Nothing important', text: 'May be put away.' }),
  letter({
    n: 65,
    from: LIST,
    subject: 'Compost weekly',
    text: 'All about compost.',
    head: 'List-Unsubscribe: <mailto:leave@other.test?subject=leave%20compost>\r\n',
  }),
];

/** What is snoozed, and opened by nobody before it comes back. */
const LATER = 'Minutes of meeting 59';

describe('e2e/the offline store', function () {
  const world = new StoreWorld('store');
  let workbench: Workbench;
  let qumail: QuMail;
  /** When the snoozed message comes back, milliseconds since the epoch. */
  let back = 0;

  before(async function () {
    needMailWorld(this);
    await world.start(async (mail) => {
      mail.fill(ALICE.email, MAILBOX);
      // What is put into a mailbox counts as read.
      await mail.doveadm(['flags', 'remove', '-u', ALICE.email, '\\Seen', 'mailbox', 'INBOX', 'subject', 'Bridge']);
      await mail.doveadm(['mailbox', 'create', '-u', ALICE.email, 'Archive']);
    });
    ({ workbench, qumail } = world);
    await qumail.messages.item('Nothing important');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await world.explain();
  });

  after(() => world[Symbol.asyncDispose]());

  const row = (text: string | RegExp) => world.row(text);

  it('reads a message although VS Code leaves its panel empty at first', async () => {
    await workbench.leaveNextPanelsEmpty(1);
    await qumail.messages.select('Minutes of meeting 58');
    await qumail.reader.shows('Minutes of meeting 58');
    assert.equal(await workbench.panelsToLeaveEmpty(), 0);
    assert.deepEqual(await workbench.tabs(), ['Minutes of meeting 58']);
    assert.equal((await qumail.reader.body()).trim(), 'As every week.');
  });

  it('says what helps where VS Code leaves the next panel empty as well, and reads the message after that', async () => {
    await workbench.runCommand('View: Close All Editors');
    await workbench.page.locator('.tabs-container .tab').first().waitFor({ state: 'detached' });
    await workbench.leaveNextPanelsEmpty(2);
    await qumail.messages.select('Minutes of meeting 57');
    const said = /VS Code leaves this page empty.*reload the window/;
    await workbench.notifications.expect(said, SERVER_MS);
    await workbench.screenshot('panel-empty');
    // Whatever is opened next is tried in a panel of its own.
    await qumail.messages.select('Minutes of meeting 56');
    await qumail.reader.shows('Minutes of meeting 56');
    assert.deepEqual(await workbench.tabs(), ['Minutes of meeting 56']);
    const loaded = workbench.page.waitForEvent('load');
    await workbench.notifications.click(said, 'Reload Window');
    await loaded;
    await workbench.ready();
    await qumail.messages.item('Nothing important');
    await qumail.openMessage('Minutes of meeting 57');
    await workbench.runCommand('View: Close All Editors');
  });

  it('puts a message off until a time that is typed', async () => {
    back = Math.ceil((Date.now() + 10_000) / 60_000) * 60_000;
    await qumail.messages.chooseFromMenu(LATER, 'Snooze', async (limitMs) => {
      await workbench.quickInput.shown('Snooze this message', limitMs);
      await workbench.screenshot('snooze');
      await workbench.quickInput.pick('Another time', limitMs);
    });
    const at = new Date(back);
    const two = (n: number): string => String(n).padStart(2, '0');
    await workbench.quickInput.answer(
      'When?',
      `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`,
    );
    await row(LATER).first().waitFor({ state: 'detached' });
    await qumail.mail.select('Snoozed');
    assert.match(await (await qumail.messages.item(LATER)).innerText(), /until/);
    await qumail.openInbox(ALICE.email, 0);
  });

  it('shows a conversation as one row with its people and unread count, and its messages below', async () => {
    const thread = await qumail.messages.item(/Bob Brown, Carol Clark/);
    assert.match(await thread.innerText(), /\(3\)/);
    assert.match((await thread.getAttribute('aria-label')) ?? '', /3 messages, 3 unread/);
    await qumail.messages.expand(/Bob Brown, Carol Clark/);
    await row(/^\s*Bob Brown/)
      .nth(1)
      .waitFor();
    await world.workbench.inEveryTheme('conversation');
  });

  it('shows single messages instead when that is asked for', async () => {
    await qumail.command('Show Single Messages');
    await row('Re: Bridge plans').nth(1).waitFor();
    assert.equal(await row('Bridge plans').count(), 3);
    await qumail.command('Show Conversations');
    await qumail.messages.item(/\(3\)/);
  });

  it('files what comes later into a muted conversation away, read', async () => {
    await qumail.messages.chooseFromMenu(/\(3\)/, 'Mute Conversation', (limitMs) =>
      workbench.quickInput.pick('Mark later messages read and archive them', limitMs),
    );
    await until('muted', async () => (await workbench.statusBar()).some((text) => text.includes('Conversation muted')));
    world.mail.fill(ALICE.email, [letter({ n: 70, from: CAROL, subject: 'Re: Bridge plans', text: 'And another thing.', reply: 63 })]);
    await qumail.command('Fetch Mail');
    const archived = async (): Promise<boolean> =>
      (await world.mail.storedMessages(ALICE.email, 'Archive')).some((raw) => raw.includes('And another thing.'));
    await until('archived', archived);
    assert.match(await world.mail.doveadm(['fetch', '-u', ALICE.email, 'flags', 'mailbox', 'Archive']), /\\Seen/);
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
    await world.workbench.inEveryTheme('search-list');
    await found.click();
    await qumail.reader.shows('Shopping', SERVER_MS);
  });

  it('shows the source of a message as text', async () => {
    await qumail.reader.press('View Source');
    await until('shown', async () => (await workbench.editor.visibleText()).includes('Subject: Shopping'));
  });

  it('keeps a search as a row with its count', async () => {
    await qumail.messages.clickTitleAction('Save Search');
    await workbench.quickInput.answer('Save this search as', 'Fruit');
    const search = await qumail.mail.item('Fruit');
    assert.match((await search.getAttribute('aria-label')) ?? '', /[01] unread of 1/);
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
    await world.row().first().locator('xpath=ancestor::*[contains(@class,"monaco-list")][1]').press('ControlOrMeta+z');
    await row('Nothing important').first().waitFor();
  });

  /** Presses a key on a row as one does who has read it. */
  async function press(text: string, key: string): Promise<void> {
    await row(text).first().click();
    await qumail.reader.shows(text, SERVER_MS);
    await row(text)
      .first()
      .click({ modifiers: ['ControlOrMeta'] });
    await row(text).first().focus();
    await row(text).first().press(key);
  }
  const takeBack = (): Promise<void> => qumail.command('Undo Last Mail Action');
  const isRead = async (subject: string): Promise<boolean> => (await workbench.tabs()).some((tab) => tab.includes(subject));

  it('flags with a key and takes that back', async () => {
    await press('Nothing important', 's');
    await row('★ Nothing important').first().waitFor();
    await takeBack();
    await row('★ Nothing important').first().waitFor({ state: 'detached' });
  });

  it('deletes with a key without a question, takes the message off the screen, and brings it back', async () => {
    await press('Nothing important', 'Delete');
    await row('Nothing important').first().waitFor({ state: 'detached' });
    await until('closed', async () => !(await isRead('Nothing important')));
    await takeBack();
    await row('Nothing important').first().waitFor();
  });

  it('deletes from the title of the reader, and of what is in Trash asks before it is gone for ever', async () => {
    await row('Nothing important').first().click();
    await qumail.reader.shows('Nothing important', SERVER_MS);
    await workbench.clickEditorAction('Delete');
    await row('Nothing important').first().waitFor({ state: 'detached' });
    await until('closed', async () => !(await isRead('Nothing important')));
    await qumail.mail.select('Trash');
    await qumail.messages.item('Nothing important');
    await press('Nothing important', 'Delete');
    assert.match(await workbench.dialog.expect('Delete this message for ever?'), /It is in Trash already/);
    await workbench.screenshot('for-ever');
    await workbench.dialog.click('for ever?', 'Cancel');
    await qumail.messages.item('Nothing important');
    await takeBack();
    await qumail.openInbox(ALICE.email, 0);
    await qumail.messages.item('Nothing important');
  });

  it('takes a snooze back before what was done earlier', async () => {
    await qumail.messages.chooseFromMenu('Nothing important', 'Snooze', async (limitMs) => {
      await workbench.quickInput.shown('Snooze this message', limitMs);
      await workbench.quickInput.pick('Tomorrow', limitMs);
    });
    await row('Nothing important').first().waitFor({ state: 'detached' });
    await takeBack();
    await row('Nothing important').first().waitFor();
  });

  it('shows how a message is protected', async () => {
    await row('Nothing important').first().click();
    await qumail.reader.shows('Nothing important', SERVER_MS);
    await qumail.command('Show Protection');
    await until('shown', async () => (await workbench.editor.visibleText()).includes('everything: the message is not sealed'));
  });

  it('moves to a folder that is picked, and takes that back as well', async () => {
    await qumail.messages.chooseFromMenu('Nothing important', 'Move', async (limitMs) => {
      await workbench.quickInput.shown('Move to which folder?', limitMs);
      await workbench.quickInput.pick('Archive', limitMs);
    });
    await row('Nothing important').first().waitFor({ state: 'detached' });
    await qumail.command('Undo Last Mail Action');
    await row('Nothing important').first().waitFor();
  });

  it('writes to a list that takes messages only, for the person to look at and send', async () => {
    const asked = await qumail.messages.chooseFromMenu('Compost weekly', 'Unsubscribe', (limitMs) =>
      workbench.dialog.expect('Unsubscribe from the list of list@other.test?', limitMs),
    );
    assert.match(asked ?? '', /your address is in use/);
    await workbench.dialog.click('Unsubscribe from the list', 'Unsubscribe');
    await until('written', async () => /To: .*leave@other\.test[^]*Subject: leave compost/.test(await workbench.editor.visibleText()));
  });

  it('keeps of a folder what is chosen, and says so', async () => {
    // The draft of the last test has a row of its own, which moves others away under the pointer.
    await qumail.mail.item('Unsent drafts');
    await qumail.mail.chooseFromMenu('Archive', 'Keep Offline', async (limitMs) => {
      await workbench.quickInput.shown('Keep Archive offline', limitMs);
      await workbench.screenshot('keep-offline');
      await workbench.quickInput.pick('Sender and subject', limitMs);
    });
    await qumail.commandAndPick('Mail on This Machine', ALICE.email);
    await workbench.quickInput.shown('Keep which folder offline?');
    const archive = workbench.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: 'Archive' }).first();
    assert.match(await archive.innerText(), /Sender and subject/);
    await workbench.quickInput.cancel();
  });

  it('brings a snoozed message back at its time, unread', async () => {
    await qumail.openInbox(ALICE.email, 0);
    await row(LATER)
      .first()
      .waitFor({ timeout: Math.max(0, back - Date.now()) + SERVER_MS });
    assert.ok(Date.now() >= back);
    assert.match((await row(LATER).first().getAttribute('aria-label')) ?? '', /^Unread/);
  });

  it('does the same without a connection, and says that the server has not heard of it', async () => {
    await world.mail.stop();
    await qumail.messages.clickItemAction('Nothing important', 'Archive');
    await row('Nothing important').first().waitFor({ state: 'detached' });
    await qumail.mail.item('Changes on the way');
    await qumail.mail.select('Archive');
    const archived = await qumail.messages.item('Nothing important');
    assert.match(await archived.innerText(), /⟳/);
    await world.workbench.inEveryTheme('offline');
  });
});
