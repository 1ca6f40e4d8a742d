/** The extension-host suite in desktop VS Code, which @vscode/test-electron downloads (or takes from `QUMAIL_DESKTOP_VSCODE`). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { bundleViewTests } from './bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'qumail-desktop-'));
const installed = process.env['QUMAIL_DESKTOP_VSCODE'];

try {
  process.exitCode = await runTests({
    extensionDevelopmentPath: ROOT,
    extensionTestsPath: await bundleViewTests(),
    ...(installed === undefined ? {} : { vscodeExecutablePath: installed }),
    extensionTestsEnv: { QUMAIL_TEST_ROOT: ROOT, QUMAIL_TEST_REPORT: process.env['QUMAIL_TEST_REPORT'] },
    launchArgs: [folder, '--user-data-dir', join(folder, 'data'), '--disable-extensions', '--disable-workspace-trust', '--skip-welcome'],
  });
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
