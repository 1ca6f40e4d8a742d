/**
 * Debian and Ubuntu packages that a browser VS Code, a browser and a real mail host need. As root they are installed; otherwise the person
 * is told the one line to run. Plain JavaScript, Node built-ins only: it runs before anything else is there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** What compiling code-server's native modules takes. */
const EDITOR = ['python3', 'make', 'g++', 'libkrb5-dev', 'libsecret-1-dev', 'libx11-dev', 'libxkbfile-dev'];
const BROWSER = ['chromium'];
const MAIL_HOST = ['dovecot-imapd', 'dovecot-lmtpd', 'postfix'];
/** What the benchmark measures against. */
const REFERENCES = ['isync', 'notmuch', 'gnupg'];

/** What each part needs; anything else needs everything. */
const NEEDS = {
  start: EDITOR,
  check: [],
  unit: ['gnupg'],
  world: MAIL_HOST,
  faults: MAIL_HOST,
  bench: [...MAIL_HOST, ...REFERENCES],
  views: [...EDITOR, ...BROWSER],
  desktop: [],
};

const POLICY = '/usr/sbin/policy-rc.d';

/** Debian marks a package that is fully there "installed"; half-removed ones leave other words behind. */
function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f=${db:Status-Status}', name], { encoding: 'utf8' });
  return stdout === 'installed';
}

function run(command, args, input) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, args, { env, input, stdio: [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'] }).status === 0;
}

/** Installs without starting a single service: Postfix and Dovecot run from the tests' own folders on their own ports. */
function install(names) {
  const quiet = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    if (names.includes('postfix')) run('debconf-set-selections', [], 'postfix postfix/main_mailer_type select No configuration\n');
    return run('apt-get', [...quiet, 'update']) && run('apt-get', [...quiet, 'install', '-y', '--no-install-recommends', ...names]);
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

/**
 * Makes sure that the packages for `part` (a key of NEEDS, or anything else for all) are there.
 * Returns undefined when they are, else what the person should do. On systems without dpkg nothing is checked here: the
 * suites look for the programs themselves and say what they miss.
 */
export function ensureDebianPackages(part) {
  const wanted = NEEDS[part] ?? [...EDITOR, ...BROWSER, ...MAIL_HOST];
  if (process.platform !== 'linux' || wanted.length === 0 || spawnSync('dpkg-query', ['--version']).status !== 0) return undefined;
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return undefined;
  if (process.getuid?.() !== 0) {
    return `these packages are missing. Install them and start again:\n\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}\n`;
  }
  console.log(`QuMail set-up: installing ${missing.join(', ')} ...`);
  return install(missing) ? undefined : `apt-get could not install ${missing.join(' ')}; its messages are above.`;
}
