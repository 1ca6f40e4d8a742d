/**
 * The first step of `npm start` and `npm test`: brings a fresh clone to where the TypeScript scripts can run, then hands over
 * to them on the project's own Node 24. Plain JavaScript, Node built-ins only: it runs on Node 20 without node_modules.
 *
 *   node scripts/bootstrap.mjs start|test [arguments for scripts/start.ts or scripts/test.ts]
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages } from './debian.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';

function fail(message) {
  console.error(`\nQuMail set-up: ${message}`);
  process.exit(1);
}

/** Installs node_modules exactly as locked, unless the stamp inside says that this very lock file is installed already. */
function ensureNodeModules() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.qumail-lock');
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : hiddenLockIsNewer() ? lock : '';
  if (installed !== lock) {
    console.log('QuMail set-up: installing node_modules (npm ci), about a minute ...');
    const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: 'inherit',
      shell: windows,
    });
    if (status !== 0) fail('npm ci failed; its messages are above.');
  }
  writeFileSync(stamp, lock);
}

/** Someone ran npm by hand: npm's own record of what it installed lists the same packages as the lock file. */
function hiddenLockIsNewer() {
  try {
    const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
    const installed = read('node_modules/.package-lock.json');
    return Object.entries(read('package-lock.json')).every(
      ([path, entry]) => path === '' || entry.optional === true || installed[path]?.version === entry.version,
    );
  } catch {
    return false;
  }
}

const [command, ...rest] = process.argv.slice(2);
if (command !== 'start' && command !== 'test') fail('say "start" or "test".');

ensureNodeModules();

const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
if (!existsSync(node)) fail('node_modules holds no Node 24. Was npm told to ignore install scripts? Then: npm ci --ignore-scripts=false');

const missing = ensureDebianPackages(command === 'start' ? 'start' : (rest[0] ?? 'test'));
if (missing !== undefined) fail(missing);

const env = { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter) };
const child = spawn(node, [join(root, 'scripts', `${command}.ts`), ...rest], { cwd: root, stdio: 'inherit', env });
// The terminal sends Ctrl+C to both; the child cleans up and this process waits for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
