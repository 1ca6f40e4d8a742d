import { existsSync } from 'node:fs';
import { type BrowserContext, chromium } from 'playwright-core';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** A browser that does nothing of its own. */
export const QUIET_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface BrowserOptions {
  /** Profile folder: local storage, and with it VS Code's SecretStorage, lives there and survives a restart. */
  readonly profileDir: string;
  /** Chromium host-resolver rules, e.g. `MAP auth.qumail.test 127.0.0.1`. */
  readonly hostRules?: readonly string[];
  /** Hosts whose certificate the browser accepts although it does not know their CA. The program under test never does. */
  readonly certificates?: 'checked' | 'test-authority';
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
}

/** Starts Chromium with a profile of its own. Set `QUMAIL_HEADED=1` to watch. */
export async function startBrowser(options: BrowserOptions): Promise<BrowserContext> {
  const executablePath = process.env['QUMAIL_CHROMIUM'] ?? CANDIDATES.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('no Chromium found; set QUMAIL_CHROMIUM to one');
  const rules = options.hostRules ?? [];
  return chromium.launchPersistentContext(options.profileDir, {
    executablePath,
    headless: process.env['QUMAIL_HEADED'] !== '1',
    args: [...QUIET_FLAGS, ...(rules.length > 0 ? [`--host-resolver-rules=${rules.join(',')}`] : [])],
    viewport: options.viewport ?? { width: 1280, height: 800 },
    colorScheme: options.colorScheme ?? 'dark',
    ignoreHTTPSErrors: options.certificates === 'test-authority',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
}
