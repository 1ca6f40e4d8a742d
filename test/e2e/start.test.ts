import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startBrowser } from './harness/browser.ts';
import { Workbench } from './harness/workbench.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('e2e/npm start', () => {
  let folder: string;
  let child: ChildProcess;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'qumail-start-'))));
  after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('prints an address where VS Code opens the demo lab by itself, and ends with Ctrl+C', async () => {
    const env = { ...process.env, QUMAIL_START: 'browser', QUMAIL_PROFILE: join(folder, 'profile') };
    child = spawn(process.execPath, ['scripts/start.ts'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const address = await printedAddress(child);

    const context = await startBrowser({ profileDir: join(folder, 'browser') });
    try {
      const page = context.pages()[0] ?? (await context.newPage());
      await page.goto(address);
      const workbench = new Workbench(page, 'start');
      await workbench.ready();
      await workbench.page.locator('.part.statusbar', { hasText: 'SIMULATED' }).waitFor({ timeout: 60_000 });
      const mail = workbench.view('Mail');
      assert.match(await (await mail.item('alice@lab.example')).innerText(), /SIMULATED/);
      await mail.item('bob@lab.example');
      await workbench.tab('My first sealed letter');
      await workbench.screenshot('lab');
    } finally {
      await context.close();
    }

    child.kill('SIGINT');
    assert.deepEqual(await exited, [0, null]);
    await assert.rejects(fetch(address));
  });
});

/** The first address among the lines that it prints. */
async function printedAddress(process: ChildProcess): Promise<string> {
  assert.ok(process.stdout);
  for await (const line of createInterface(process.stdout)) {
    const address = /http:\/\/\S+/.exec(line)?.[0];
    if (address !== undefined) return address;
  }
  throw new Error('it ended without printing an address');
}
