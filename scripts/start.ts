/**
 * `npm start`: builds QuMail, installs it into a VS Code profile of its own and opens the demo lab there: in desktop VS Code where there is one,
 * else in a VS Code in the browser, whose address it prints. Ctrl+C ends everything.
 *
 * `QUMAIL_START=browser|desktop` chooses; `QUMAIL_PROFILE` names the folder of the profile (default: in the cache folder).
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ServerProcess, stickyPort } from './vscode/serverProcess.ts';
import { cacheFolder, ensureCodeServer } from './vscode/codeServer.ts';

const ROOT = dirname(import.meta.dirname);
const PROFILE = process.env['QUMAIL_PROFILE'] ?? join(cacheFolder(), 'profile');
const VSIX = [join(ROOT, 'qumail.vsix'), join(ROOT, 'out/opener.vsix')];

const say = (line: string): void => console.log(`[qumail] ${line}`);

function run(command: string, args: readonly string[], cwd = ROOT): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${error === undefined ? '' : String(error)}${stdout}${stderr}`);
}

function buildPackages(): void {
  say('building ...');
  mkdirSync(join(ROOT, 'out'), { recursive: true });
  run('npm', ['run', '--silent', 'package']);
  const opener = ['package', '--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', VSIX[1] as string];
  run('vsce', opener, join(ROOT, 'scripts/vscode/opener'));
}

/** The folder that VS Code shows; the settings are written once and are the person's own from then on. */
function prepareProfile(): string {
  const workspace = join(PROFILE, 'demo');
  mkdirSync(workspace, { recursive: true });
  mkdirSync(join(PROFILE, 'User'), { recursive: true });
  const settings = join(PROFILE, 'User', 'settings.json');
  const quiet = {
    'workbench.startupEditor': 'none',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'telemetry.telemetryLevel': 'off',
    'chat.disableAIFeatures': true,
    'remote.autoForwardPorts': false,
  };
  if (!existsSync(settings)) writeFileSync(settings, JSON.stringify(quiet, null, 2));
  return workspace;
}

function hasDesktop(): boolean {
  if (process.env['QUMAIL_START'] !== undefined) return process.env['QUMAIL_START'] === 'desktop';
  const display = process.platform !== 'linux' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
  return display && spawnSync('code', ['--version'], { shell: process.platform === 'win32' }).status === 0;
}

async function openDesktop(workspace: string): Promise<void> {
  const profile = ['--user-data-dir', PROFILE, '--extensions-dir', join(PROFILE, 'extensions')];
  run('code', [...profile, '--force', ...VSIX.flatMap((file) => ['--install-extension', file])]);
  say('opening VS Code with the demo lab; close its window to end');
  const shell = process.platform === 'win32';
  const window = spawn('code', [...profile, '--disable-workspace-trust', '--new-window', '--wait', workspace], { stdio: 'inherit', shell });
  await once(window, 'exit');
}

async function openBrowser(workspace: string): Promise<void> {
  const folder = await ensureCodeServer(say);
  const entry = join(folder, 'out/node/entry.js');
  const config = join(PROFILE, 'code-server.yaml');
  writeFileSync(config, 'auth: none\n');
  const profile = ['--config', config, '--user-data-dir', PROFILE, '--extensions-dir', join(PROFILE, 'extensions')];
  say('installing QuMail into its own profile ...');
  for (const file of VSIX) run(process.execPath, [entry, ...profile, '--force', '--install-extension', file]);

  const origin = `127.0.0.1:${await stickyPort(PROFILE)}`;
  const quiet = [
    '--auth',
    'none',
    '--disable-telemetry',
    '--disable-update-check',
    '--disable-workspace-trust',
    '--disable-getting-started-override',
  ];
  await using server = new ServerProcess(process.execPath, [entry, '--bind-addr', origin, ...quiet, ...profile], {
    env: process.env,
    logFile: join(PROFILE, 'server.log'),
  });
  await server.answersAt(`http://${origin}/healthz`);
  say('QuMail runs in a VS Code in your browser, with the demo lab (SIMULATED mail host and key managers) opening by itself:');
  console.log(`\n  http://${origin}/?folder=${encodeURIComponent(workspace)}\n`);
  say('only this machine can reach it, without a password. Ctrl+C ends it.');
  await stopped();
  say('ending ...');
}

async function stopped(): Promise<void> {
  const never = setInterval(() => {}, 1 << 30);
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve).once('SIGHUP', resolve));
  clearInterval(never);
}

const workspace = prepareProfile();
buildPackages();
await (hasDesktop() ? openDesktop(workspace) : openBrowser(workspace));
