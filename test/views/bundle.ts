import { globSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');
const OUTPUT = join(ROOT, 'out/test-views');

/** Bundles the extension-host tests (test/views without unit/) for VS Code; returns the path of their entry. */
export async function bundleViewTests(): Promise<string> {
  rmSync(OUTPUT, { recursive: true, force: true });
  const files = globSync('test/views/**/*.test.ts', { cwd: ROOT }).filter((file) => !file.startsWith('test/views/unit/'));
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['test/views/entry.ts', ...files].map((file) => ({ in: file, out: relative('test/views', file).replace(/\.ts$/, '') })),
    outdir: OUTPUT,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    // Tests find their data by their own place in the tree, as they do when Node runs them unbundled.
    define: { 'import.meta.dirname': '__dirname' },
    logLevel: 'warning',
  });
  return join(OUTPUT, 'entry.cjs');
}
