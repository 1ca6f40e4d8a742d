import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatPanelPage } from './chatPanel.ts';
import { type VSCode, startVSCode } from './harness/vscode.ts';
import type { View, Workbench } from './harness/workbench.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';

const OF_ALICE = /The Lab.*alice@lab\.example/;
const OF_BOB = /The Lab.*bob@lab\.example/;

describe('e2e/a group in the lab', function () {
  let folder: string;
  let vscode: VSCode;
  let workbench: Workbench;
  let qumail: QuMail;
  let chat: ChatPanelPage;
  let chats: View;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'qumail-group-'));
    copyFileSync(join(import.meta.dirname, '../data/square.png'), join(folder, 'square.png'));
    vscode = await startVSCode({ vsix: [packagedExtension()], name: 'group' });
    workbench = vscode.workbench;
    qumail = new QuMail(workbench);
    chat = new ChatPanelPage(workbench);
    chats = workbench.view('Chats');
    await qumail.open();
    await qumail.command('Open Demo Lab');
    await qumail.account('bob@lab.example');
    await workbench.tab('My first sealed letter');
    await chats.open();
    await chats.select(OF_ALICE);
    await chat.shows(new RegExp(OF_ALICE.source, 's'));
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

  it('shows the picture that one of them chose to all, in the head, in Members & Safety and in the list', async () => {
    await qumail.command('Change Chat Picture');
    await workbench.quickInput.answerPath('workspace/', join(folder, 'square.png'));
    await chat.line('Alice (SIMULATED) changed the picture');
    await chat.head.locator('.avatar canvas').waitFor();
    await chats.select(OF_BOB);
    await chat.shows(new RegExp(OF_BOB.source, 's'));
    await chat.head.locator('.avatar canvas').waitFor();
    // Nothing of it is a file: the row has the picture itself.
    await (await chats.item(OF_BOB)).locator('.custom-view-tree-node-item-icon[style*="data:image/svg+xml"]').waitFor();
    await chat.head.getByRole('button', { name: /verified/ }).click();
    await workbench.quickInput.shown('Choose a person to compare safety numbers with');
    const group = workbench.page.locator('.quick-input-widget .monaco-list-row', { hasText: '4 members' });
    await group.locator('.quick-input-list-icon').waitFor();
    await workbench.screenshot('members');
    await workbench.quickInput.cancel();
  });

  it('counts down, where the eye is, how long a message stays', async () => {
    await qumail.commandAndPick('Disappearing Messages', '5 min');
    await chat.line('Bob (SIMULATED) lets messages disappear after 5 min');
    await chat.say('Only for **five minutes**');
    const timer = (await chat.line('Only for five minutes')).getByRole('timer');
    await timer.getByText(/disappears in [45]:\d\d/).waitFor();
    const before = await timer.innerText();
    await chat.changes(timer, before);
    await workbench.inEveryTheme('group');
  });
});
