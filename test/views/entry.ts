/**
 * Entry of the extension-host suite, loaded by VS Code itself (in the browser or on the desktop): runs the bundled test files beside
 * it in mocha and rejects when one fails.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Reporter from '../report/reporter.ts';

declare const __dirname: string;

const TEST_MS = 30_000;

export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({ ui: 'bdd', timeout: TEST_MS, forbidOnly: true, reporter: Reporter as never });
  for (const file of readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.test.cjs')) mocha.addFile(join(__dirname, file));
  }
  await mocha.loadFilesAsync();
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} failed`);
}
