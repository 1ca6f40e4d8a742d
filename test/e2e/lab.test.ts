import assert from 'node:assert/strict';
import { type VSCode, startVSCode } from './harness/vscode.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';

describe('e2e/demo lab', function () {
  let vscode: VSCode;
  let qumail: QuMail;

  before(async () => {
    vscode = await startVSCode({ vsix: [packagedExtension()], name: 'lab' });
    qumail = new QuMail(vscode.workbench);
  });
  after(() => vscode?.[Symbol.asyncDispose]());

  it('offers signing in and the demo lab to a newcomer', async () => {
    await qumail.open();
    assert.match(await vscode.workbench.view('Sign In').welcome(), /Open Demo Lab/);
    await vscode.workbench.screenshot('sign-in-view');
  });

  it('opens', async () => {
    const began = Date.now();
    await qumail.command('Open Demo Lab');
    await qumail.account('bob@lab.example');
    console.log('open', Date.now() - began);
    await vscode.workbench.tab('My first sealed letter');
    await vscode.workbench.screenshot('opened');
    console.log(await vscode.workbench.page.locator('.tabs-container .tab').evaluateAll((els) => els.map((e: any) => e.outerHTML)));
    await qumail.send();
    console.log('sent', Date.now() - began);
    await qumail.openFolder('Inbox', 1);
    await qumail.openMessage('My first sealed letter');
    console.log(await qumail.reader.banner(), await qumail.reader.body());
    console.log('read', Date.now() - began);
    await vscode.workbench.screenshot('read');
  });
});
