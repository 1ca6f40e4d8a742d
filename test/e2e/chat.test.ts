import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKmeWorld, type KmeWorld } from '../world/kmeWorld.ts';
import { needMailWorld, startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { ChatPanelPage } from './chatPanel.ts';
import type { VSCode } from './harness/vscode.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';
import { introduce, PEOPLE, takeSeat, type PersonName } from './seat.ts';

/**
 * Lines of a series, how many series at most, and how long 95 of 100 lines may take from the key press in one window to the screen of the other.
 * Other programs on the machine only ever add to that: the best series counts, and all are printed.
 */
const LINES = 24;
const SERIES = 3;
const LINE_MS = 1500;

interface Seat {
  readonly vscode: VSCode;
  readonly qumail: QuMail;
  readonly chat: ChatPanelPage;
}

describe('e2e/a chat between two windows', function () {
  let folder: string;
  let mail: MailWorld;
  let kme: KmeWorld;
  let seats: Record<PersonName, Seat>;

  before(async function () {
    needMailWorld(this);
    folder = mkdtempSync(join(tmpdir(), 'qumail-chat-'));
    const users = Object.values(PEOPLE);
    const caPem = await testCaPem();
    mail = await startMailWorld({ users, tls: { ...(await issueServer()), caPem } });
    kme = await startKmeWorld();
    writeFileSync(join(folder, 'ca.pem'), caPem);
    const vsix = packagedExtension();
    const [alice, bob] = await Promise.all([sit('alice', vsix), sit('bob', vsix)]);
    seats = { alice, bob };
    await Promise.all([settle('alice', 'bob'), settle('bob', 'alice')]);
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { vscode } of Object.values(seats ?? {})) {
      await vscode.workbench.screenshot('failed');
      console.log(vscode.log('QuMail.log'));
    }
  });

  after(async () => {
    await Promise.all(Object.values(seats ?? {}).map(({ vscode }) => vscode[Symbol.asyncDispose]()));
    kme?.dispose();
    await mail?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function sit(name: PersonName, vsix: string): Promise<Seat> {
    const vscode = await takeSeat(name, { folder, kme }, { vsix: [vsix], name: `chat-${name}` });
    return { vscode, qumail: new QuMail(vscode.workbench), chat: new ChatPanelPage(vscode.workbench) };
  }

  /** Signed in, with a key manager and the other as a contact. */
  async function settle(own: PersonName, other: PersonName): Promise<void> {
    const { qumail } = seats[own];
    await qumail.open();
    await qumail.signInWithPassword({ ...PEOPLE[own], servers: mail });
    await introduce(qumail, own, other, { folder, kme });
  }

  it('begins between people who have written to each other, sealed at L2', async () => {
    const { alice, bob } = seats;
    // Contact cards come with the first sealed letters.
    await alice.qumail.write({ to: PEOPLE.bob.email, subject: 'Shall we chat?', level: 'L2', body: 'It is quicker.' });
    await bob.qumail.openMessage('Shall we chat?');
    await bob.qumail.reply('Gladly.');
    await bob.qumail.send();
    await alice.qumail.openMessage('Re: Shall we chat?');
    await alice.qumail.commandAndPick('New Chat', 'Bob');
    const { quickInput } = alice.vscode.workbench;
    await quickInput.shown('With whom?');
    await quickInput.accept();
    await quickInput.shown('Never below which level?');
    await alice.vscode.workbench.screenshot('reach');
    await quickInput.pick('L2');
    await alice.chat.shows('Bob');
    await alice.chat.say('Are you there?');
    await bob.qumail.commandAndPick('Open Chat', 'Alice');
    await bob.chat.shows('Alice');
    const line = await bob.chat.line('Are you there?');
    assert.match(await line.innerText(), /L2 · Quantum-aided AES/);
  });

  it('carries a reply with its quote, and a reaction', async () => {
    const { alice, bob } = seats;
    await bob.chat.reply('Are you there?', 'I am, and **wide awake**.');
    const answer = await alice.chat.line('I am, and wide awake.');
    assert.match(await answer.innerText(), /Alice|Are you there\?/);
    await alice.chat.react('I am, and wide awake.', '🎉');
    await (await bob.chat.line('I am, and wide awake.')).locator('.reaction', { hasText: '🎉 1' }).waitFor({ timeout: 30_000 });
  });

  it(`carries a line from window to window within ${LINE_MS} ms, 95 of 100`, async () => {
    const { alice, bob } = seats;
    await Promise.all([alice.chat.startClock(), bob.chat.startClock()]);
    const p95s: number[] = [];
    while (p95s.length < SERIES && !p95s.some((ms) => ms <= LINE_MS)) {
      const took: number[] = [];
      for (let index = 0; index < LINES; index++) {
        const [from, to] = index % 2 === 0 ? [alice, bob] : [bob, alice];
        took.push(await timeOf(from.chat, to.chat, `line number ${index} of series ${p95s.length}`));
      }
      const sorted = took.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
      p95s.push(at(0.95));
      console.log(`        one line, window to window: median ${at(0.5).toFixed(0)} ms, p95 ${at(0.95).toFixed(0)} ms (${LINES} lines)`);
    }
    assert.ok(Math.min(...p95s) <= LINE_MS, `p95 ${p95s.join(', ')} ms, bar ${LINE_MS} ms`);
  });

  it('finds a line among all chats and goes to it, also where the panel takes the focus from the box that has just opened', async () => {
    const { alice } = seats;
    const { workbench } = alice.vscode;
    await workbench.panelTakesFocusFrom('Words of a message');
    await alice.qumail.command('Search All Chats');
    await workbench.page.locator('.quick-input-widget input[placeholder^="Words of a message"]:focus').waitFor();
    await workbench.page.keyboard.type('wide awake');
    await workbench.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'I am, and wide awake.' }).waitFor();
    await workbench.screenshot('search-all');
    await workbench.quickInput.accept();
    await alice.chat.revealed('I am, and wide awake.');
  });

  it('keeps what was found in the Chats view, each a way to its line, until it is closed', async () => {
    const { alice } = seats;
    const { workbench } = alice.vscode;
    await alice.qumail.command('Search All Chats');
    await workbench.quickInput.shown('Search All Chats');
    await workbench.quickInput.type('Are you there');
    await workbench.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Are you there?' }).waitFor();
    await workbench.page.locator('.quick-input-widget .action-label[aria-label="Show all results in the Chats view"]').click();
    const chats = workbench.view('Chats');
    await (await chats.item(/Are you there\?/)).click();
    await alice.chat.revealed('Are you there?');
    await workbench.screenshot('search-kept');
    const results = await chats.item(/"Are you there"/);
    await results.hover();
    await results.locator('.action-label[aria-label^="Close Search Results"]').click();
    await results.waitFor({ state: 'detached' });
  });

  it('leads from Members & Safety to the numbers of the person chosen, and comes back verified', async () => {
    const { alice } = seats;
    const { workbench } = alice.vscode;
    await alice.chat.head.getByRole('button', { name: 'not verified' }).click();
    await workbench.quickInput.shown('Choose a person to compare safety numbers with');
    await workbench.screenshot('members');
    await workbench.quickInput.pick('Bob');
    await workbench.tab('Verify Bob');
    const page = workbench.webviewFrame();
    const groups = await page.locator('.digits li').allInnerTexts();
    await page.locator('#typed').fill(groups.join(' '));
    await page.getByRole('button', { name: 'They Match' }).click();
    await page.locator('.mark .good').waitFor();
    await workbench.runCommand('View: Close Editor');
    await alice.chat.head.getByRole('button', { name: 'everybody verified' }).waitFor();
    await workbench.screenshot('verified');
  });

  it('is there again after the window was reloaded, with what was being written', async () => {
    const { bob } = seats;
    await bob.chat.write('half a sentence');
    // Also where VS Code leaves the panel empty that it has kept.
    await bob.vscode.workbench.leaveNextPanelsEmpty(1);
    await bob.vscode.workbench.reload();
    await bob.chat.shows('Alice');
    await bob.chat.line(`line number ${LINES - 1} of series`);
    assert.equal(await bob.vscode.workbench.panelsToLeaveEmpty(), 0);
    assert.equal(await bob.chat.written(), 'half a sentence');
    assert.equal((await bob.vscode.workbench.tabs()).filter((tab) => tab.includes('Alice')).length, 1);
    await bob.vscode.workbench.screenshot('after-reload');
  });
});

/** Milliseconds from the key press in one window until the line is drawn in the other, by the clock that both share. */
async function timeOf(from: ChatPanelPage, to: ChatPanelPage, text: string): Promise<number> {
  await from.say(text);
  await to.line(text);
  const [pressed, drawn] = await Promise.all([from.pressedAt(), to.drawnAt(text)]);
  return (drawn ?? Number.NaN) - pressed;
}
