/**
 * Runs the extension-host suite inside a real VS Code in a real browser: VS Code's own server from the cache, opened with the extension
 * and the test entry as its payload. The outcome comes back through the functions that VS Code calls on the page; the counts are in the report
 * that the reporter writes.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeServerFolder } from '../../scripts/vscode/codeServer.ts';
import { startBrowser } from '../e2e/harness/browser.ts';
import { ServerProcess, freePort } from '../../scripts/vscode/serverProcess.ts';
import { bundleViewTests } from './bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT_MS = 8 * 60_000;

/** VS Code hides the browser's half of the key of SecretStorage behind this answer. */
const KEY_HALF = Buffer.alloc(32, 7);

const folder = mkdtempSync(join(tmpdir(), 'qumail-views-'));
const workspace = join(folder, 'workspace');
mkdirSync(workspace);
mkdirSync(join(folder, 'data', 'User'), { recursive: true });
const settings = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'git.enabled': false,
  'chat.disableAIFeatures': true,
};
writeFileSync(join(folder, 'data', 'User', 'settings.json'), JSON.stringify(settings));

const entry = await bundleViewTests();
const port = await freePort();
const authority = `127.0.0.1:${port}`;
const payload = [
  ['extensionDevelopmentPath', `vscode-remote://${authority}${ROOT}`],
  ['extensionTestsPath', `vscode-remote://${authority}${entry}`],
];

const arguments_ = ['--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--accept-server-license-terms'];
arguments_.push('--enable-smoke-test-driver', '--telemetry-level', 'off', '--server-data-dir', folder);
const server = new ServerProcess(process.execPath, [join(codeServerFolder(), 'lib/vscode/out/server-main.js'), ...arguments_], {
  env: { ...process.env, QUMAIL_TEST_ROOT: ROOT },
  logFile: join(folder, 'server.log'),
});

try {
  await server.answersAt(`http://${authority}/`);
  process.exitCode = await runInBrowser();
} finally {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function runInBrowser(): Promise<number> {
  const context = await startBrowser({ profileDir: join(folder, 'browser') });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.route('**/mint-key', (route) => route.fulfill({ body: KEY_HALF, contentType: 'application/octet-stream' }));
    const outcome = Promise.withResolvers<number>();
    await page.exposeFunction('codeAutomationExit', (code: number) => outcome.resolve(code));
    await page.exposeFunction('codeAutomationLog', (type: string, args: readonly unknown[]) => printLine(type, args));
    await page.goto(`http://${authority}/?folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    const timer = setTimeout(() => outcome.reject(new Error(`the suite did not end within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    try {
      return await outcome.promise;
    } catch (error) {
      await page.screenshot({ path: join(ROOT, 'out/screenshots/views-hung.png') });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  } finally {
    await context.close();
  }
}

/** The extension host's console. Lines of the reporter are for people; the rest is VS Code talking to itself. */
function printLine(type: string, args: readonly unknown[]): void {
  const line = args.map(String).join(' ');
  if (/^ {2}(ok|skip|FAIL) |^\n?\d+ passed/.test(line) || process.env['QUMAIL_VERBOSE'] === '1')
    console.log(type === 'error' ? `! ${line}` : line);
}
