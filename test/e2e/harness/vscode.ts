/**
 * A real VS Code with the packaged extension in it, driven through Chromium. Everything of one instance (settings, extensions, secrets)
 * lives in its `userDataDir`: give the same folder again and it is the same installation after a restart.
 */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import type { BrowserContext } from 'playwright-core';
import { codeServerFolder } from '../../../scripts/vscode/codeServer.ts';
import { type BrowserOptions, startBrowser } from './browser.ts';
import { ServerProcess, stickyPort } from '../../../scripts/vscode/serverProcess.ts';
import { Workbench } from './workbench.ts';

export interface VSCodeOptions {
  /** Packaged extensions to install first. */
  readonly vsix: readonly string[];
  /** A folder of its own; a temporary one, removed at the end, when left out. */
  readonly userDataDir?: string;
  /** The folder to open; an empty one inside userDataDir when left out. */
  readonly workspace?: string;
  /** Settings of any scope. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Chromium host-resolver rules, e.g. `MAP auth.qumail.test 127.0.0.1`. */
  readonly extraHostRules?: readonly string[];
  readonly browser?: Omit<BrowserOptions, 'profileDir' | 'hostRules'>;
  /** Environment of the extension host in addition to this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** A restricted window activates only extensions that declare support for it. */
  readonly trust?: 'trusted' | 'restricted';
  /** Names the screenshots: `out/screenshots/<name>-<step>.png`. */
  readonly name?: string;
}

/** Quiet defaults: nothing pops up that is not ours, nothing asks the network. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'window.commandCenter': false,
  'chat.disableAIFeatures': true,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'git.enabled': false,
  'workbench.settings.enableNaturalLanguageSearch': false,
  'remote.autoForwardPorts': false,
};

export class VSCode implements AsyncDisposable {
  readonly userDataDir: string;
  readonly context: BrowserContext;
  readonly workbench: Workbench;
  readonly #opened: AsyncDisposableStack;

  private constructor(parts: { userDataDir: string; context: BrowserContext; workbench: Workbench; opened: AsyncDisposableStack }) {
    this.userDataDir = parts.userDataDir;
    this.context = parts.context;
    this.workbench = parts.workbench;
    this.#opened = parts.opened;
  }

  static async start(options: VSCodeOptions): Promise<VSCode> {
    const ownFolder = options.userDataDir === undefined ? mkdtempSync(join(tmpdir(), 'qumail-vscode-')) : undefined;
    const userDataDir = options.userDataDir ?? (ownFolder as string);
    // What was opened so far goes again when a later step fails; after the last one it belongs to the instance.
    await using opened = new AsyncDisposableStack();
    opened.defer(() => removeFolder(ownFolder));

    const workspace = options.workspace ?? join(userDataDir, 'workspace');
    mkdirSync(workspace, { recursive: true });
    writeSettings(userDataDir, { ...SETTINGS, ...options.settings });
    for (const vsix of options.vsix) installExtension(userDataDir, vsix);

    const port = await stickyPort(userDataDir);
    const origin = `http://127.0.0.1:${port}`;
    const trust = options.trust === 'restricted' ? [] : ['--disable-workspace-trust'];
    const quiet = ['--auth', 'none', '--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'];
    const server = opened.use(
      new ServerProcess(process.execPath, [entry(), '--bind-addr', `127.0.0.1:${port}`, ...quiet, ...trust, ...folders(userDataDir)], {
        env: serverEnvironment(options.env),
        logFile: join(userDataDir, 'server.log'),
      }),
    );
    await server.answersAt(`${origin}/healthz`);
    const context = await startBrowser({
      ...options.browser,
      profileDir: join(userDataDir, 'browser'),
      ...(options.extraHostRules === undefined ? {} : { hostRules: options.extraHostRules }),
    });
    opened.defer(() => context.close());
    const page = context.pages()[0] ?? (await context.newPage());
    const workbench = new Workbench(page, options.name ?? 'vscode');
    await page.goto(`${origin}/?folder=${encodeURIComponent(workspace)}`);
    await workbench.ready();
    return new VSCode({ userDataDir, context, workbench, opened: opened.move() });
  }

  /** What an extension wrote to its log channel in every session so far, e.g. `QuMail.log`. */
  log(fileName: string): string {
    const files = globSync(`**/${fileName}`, { cwd: this.userDataDir });
    return files.map((file) => readFileSync(join(this.userDataDir, file), 'utf8')).join('');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync();
  }
}

function removeFolder(folder: string | undefined): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Starts one VS Code; several may run at once. Dispose of it with `await using` or in `after()`. */
export function startVSCode(options: VSCodeOptions): Promise<VSCode> {
  return VSCode.start(options);
}

function entry(): string {
  return join(codeServerFolder(), 'out', 'node', 'entry.js');
}

function folders(userDataDir: string): string[] {
  const config = join(userDataDir, 'code-server.yaml');
  writeFileSync(config, 'auth: none\n');
  return ['--config', config, '--user-data-dir', userDataDir, '--extensions-dir', join(userDataDir, 'extensions')];
}

/** VS Code reads user-scoped settings from one file and machine-scoped ones from another; it ignores what is not its own in each. */
function writeSettings(userDataDir: string, settings: Readonly<Record<string, unknown>>): void {
  for (const scope of ['User', 'Machine']) {
    mkdirSync(join(userDataDir, scope), { recursive: true });
    writeFileSync(join(userDataDir, scope, 'settings.json'), JSON.stringify(settings, null, 2));
  }
}

function installExtension(userDataDir: string, vsix: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [entry(), ...folders(userDataDir), '--force', '--install-extension', vsix],
    {
      encoding: 'utf8',
      env: serverEnvironment({}),
    },
  );
  if (status !== 0) throw new Error(`cannot install ${vsix}: ${stdout}${stderr}`);
}

/** A terminal inside another VS Code passes variables on that make code-server a mere command-line tool. */
function serverEnvironment(extra: Readonly<Record<string, string>> | undefined): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('VSCODE_') && !name.startsWith('CODE_SERVER_') && name !== 'PORT',
  );
  return { ...Object.fromEntries(inherited), ...extra };
}
