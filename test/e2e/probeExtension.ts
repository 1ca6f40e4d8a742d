import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const MANIFEST = {
  name: 'host-probe',
  displayName: 'Host Probe',
  description: 'Watches how late the event loop of the extension host is.',
  publisher: 'qumail-test',
  version: '0.0.1',
  engines: { vscode: '^1.100.0' },
  license: 'MIT',
  extensionKind: ['workspace'],
  activationEvents: ['*'],
  main: './probe.cjs',
};

/** Packages hostProbe.ts as an extension; returns the path of its VSIX. */
export async function probeExtension(folder: string): Promise<string> {
  const root = join(folder, 'probe');
  mkdirSync(root);
  writeFileSync(join(root, 'package.json'), JSON.stringify(MANIFEST));
  await build({
    entryPoints: [join(import.meta.dirname, 'hostProbe.ts')],
    outfile: join(root, 'probe.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
  });
  const vsix = join(folder, 'probe.vsix');
  const arguments_ = ['package', '--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', vsix];
  const { status, stdout, stderr } = spawnSync('vsce', arguments_, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the probe was not packaged: ${stdout}${stderr}`);
  return vsix;
}
