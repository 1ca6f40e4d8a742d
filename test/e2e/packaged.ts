import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

let built: string | undefined;

/** Path of the packaged extension under test: `QUMAIL_VSIX`, else what `npm run package` makes, once per test process. */
export function packagedExtension(): string {
  built ??= process.env['QUMAIL_VSIX'] ?? build();
  return built;
}

function build(): string {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'package'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm run package failed: ${stdout}${stderr}`);
  return join(ROOT, 'qumail.vsix');
}
