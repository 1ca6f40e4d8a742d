import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALICE, BOB, startKmeWorld, type KmeWorld } from '../world/kmeWorld.ts';
import { needMailWorld, startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { issueServer, testCaPem } from '../world/pki.ts';
import { ChatPanelPage } from './chatPanel.ts';
import { type VSCode, startVSCode } from './harness/vscode.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';

const PEOPLE = {
  alice: { email: 'alice@example.test', name: 'Alice', password: 'alice-password', saeId: ALICE },
  bob: { email: 'bob@other.test', name: 'Bob', password: 'bob-password', saeId: BOB },
} as const;
type PersonName = keyof typeof PEOPLE;

/** Lines measured, and how long 95 of 100 may take from the key press in one window to the screen of the other. */
const LINES = 20;
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
    const [alice, bob] = await Promise.all([takeSeat('alice', vsix), takeSeat('bob', vsix)]);
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

  async function takeSeat(name: PersonName, vsix: string): Promise<Seat> {
    const workspace = join(folder, name);
    mkdirSync(workspace);
    const { certPem, keyPem } = await kme.pair.client(PEOPLE[name].saeId);
    writeFileSync(join(workspace, 'client.pem'), certPem);
    writeFileSync(join(workspace, 'client-key.pem'), keyPem, { mode: 0o600 });
    writeFileSync(join(workspace, 'kme-ca.pem'), kme.pair.caPem);
    const settings = { 'qumail.certificateAuthorities': { '127.0.0.1': join(folder, 'ca.pem') } };
    const vscode = await startVSCode({ vsix: [vsix], name: `chat-${name}`, workspace, settings });
    return { vscode, qumail: new QuMail(vscode.workbench), chat: new ChatPanelPage(vscode.workbench) };
  }

  /** Signed in, with a key manager and the other as a contact. */
  async function settle(own: PersonName, other: PersonName): Promise<void> {
    const { qumail } = seats[own];
    await qumail.open();
    await qumail.signInWithPassword({ ...PEOPLE[own], servers: mail });
    const { url, kmeId, saeId } = await kme.profile(PEOPLE[own].saeId);
    const file = (name: string): string => join(folder, own, name);
    await qumail.connectKeyManager({
      url,
      kmeId,
      saeId,
      certFile: file('client.pem'),
      keyFile: file('client-key.pem'),
      caFile: file('kme-ca.pem'),
    });
    await qumail.saveContact({ address: PEOPLE[other].email, name: PEOPLE[other].name, saeId: PEOPLE[other].saeId });
  }

  it('begins between people who have written to each other, sealed at L2', async () => {
    const { alice, bob } = seats;
    // Contact cards come with the first sealed letters.
    await alice.qumail.write({ to: PEOPLE.bob.email, subject: 'Shall we chat?', level: 'L2', body: 'It is quicker.' });
    await bob.qumail.openMessage('Shall we chat?');
    await bob.qumail.reply('Gladly.');
    await bob.qumail.send();
    await alice.qumail.openMessage('Re: Shall we chat?');
    await alice.qumail.command('New Chat');
    const { quickInput, page } = alice.vscode.workbench;
    await quickInput.shown('With whom?');
    await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Bob' }).first().click();
    await quickInput.accept();
    await quickInput.shown('Never below which level?');
    await alice.vscode.workbench.screenshot('reach');
    await quickInput.pick('L2');
    await alice.chat.shows('Bob');
    await alice.chat.say('Are you there?');
    await bob.qumail.command('Open Chat');
    await bob.vscode.workbench.quickInput.pick('Alice');
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

  it('carries lines from window to window and tells how long they took', async () => {
    const { alice, bob } = seats;
    const took: number[] = [];
    for (let index = 0; index < LINES; index++) {
      const [from, to] = index % 2 === 0 ? [alice, bob] : [bob, alice];
      const text = `line number ${index} of many`;
      const began = performance.now();
      await from.chat.say(text);
      await to.chat.line(text);
      took.push(performance.now() - began);
    }
    const sorted = took.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
    console.log(`        one line, window to window: median ${at(0.5).toFixed(0)} ms, p95 ${at(0.95).toFixed(0)} ms (${LINES} lines)`);
    // The bar is for a machine that has nothing else to do; a busy one is given thrice the time.
    assert.ok(at(0.95) <= 3 * LINE_MS, `p95 ${at(0.95)} ms, bar ${LINE_MS} ms`);
  });

  it('is there again after the window was reloaded', async () => {
    const { bob } = seats;
    await bob.vscode.workbench.reload();
    await bob.chat.shows('Alice');
    await bob.chat.line('line number 19 of many');
    await bob.vscode.workbench.screenshot('after-reload');
  });
});
