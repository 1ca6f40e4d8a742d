import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { Contact, SafetyNumber } from '../../../src/core/api.ts';
import { parseTrustRequest } from '../../../src/views/trust/trustRequests.ts';
import { safetyPage } from '../../../src/views/trust/trustPage.ts';
import { trustHtml } from '../../../src/views/trust/trustHtml.ts';
import { plain } from './plainLocaliser.ts';
import { THEMES, type ThemeName } from './readerThemes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PICTURES = join(ROOT, 'out/screenshots');
const CHROMIUM = '/usr/bin/chromium';
const ORIGIN = 'https://trust.test';
const GROUPS = Array.from({ length: 12 }, (_, index) =>
  String(10_007 * (index + 1))
    .padStart(5, '0')
    .slice(0, 5),
);
const SAFETY: SafetyNumber = {
  digits: GROUPS.join(''),
  qr: `qumail:verify:${'Ab3_'.repeat(30)}`,
  ownFingerprint: 'CD01'.repeat(16),
  fingerprint: 'AB23'.repeat(16),
  mark: 'first-use',
};
const BOB: Contact = { accountId: 'a', address: 'bob@b.example', name: 'Bob', minimumLevel: 'L4', startLevel: 'L3' };

describe('views/trust page', function () {
  this.timeout(30_000);
  let browser: Browser | undefined;
  let page: Page;

  before(async function () {
    if (!existsSync(CHROMIUM)) {
      if (process.env['CI'] === 'true') throw new Error(`${CHROMIUM} is missing`);
      console.log(`        ${CHROMIUM} is not installed`);
      return this.skip();
    }
    const built = await build({
      absWorkingDir: ROOT,
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      target: 'chrome128',
      entryPoints: ['src/views/trust/webview/main.ts'],
    });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] });
    page = await browser.newPage({ viewport: { width: 900, height: 980 } });
    page.setDefaultTimeout(5000);
    await page.addInitScript(() => {
      const scope = globalThis as unknown as Record<string, unknown>;
      const asked: unknown[] = [];
      scope['asked'] = asked;
      scope['acquireVsCodeApi'] = () => ({ postMessage: (message: unknown) => asked.push(message) });
    });
    const html = trustHtml(safetyPage(BOB, SAFETY, 'pinned', plain), {
      nonce: 'n0nce',
      scriptUri: `${ORIGIN}/trust.js`,
      language: 'en',
      generation: 4,
    });
    await page.route('**/*', (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: html });
      if (pathname === '/trust.js') return route.fulfill({ contentType: 'text/javascript', body: built.outputFiles[0]?.text ?? '' });
      return route.abort();
    });
  });
  beforeEach(async () => void (await page.goto(`${ORIGIN}/`)));
  after(() => browser?.close());

  /** The requests the page has made since it said that it is there, each as the host takes it, once there are so many. */
  async function asked(count: number): Promise<readonly unknown[]> {
    await page.waitForFunction((wanted) => (globalThis as unknown as { asked: unknown[] }).asked.length > wanted, count);
    const all = await page.evaluate(() => (globalThis as unknown as { asked: unknown[] }).asked);
    const [first, ...others] = all.map((request) => parseTrustRequest(request));
    assert.deepEqual(first, { kind: 'ready' });
    return others;
  }

  it('compares what is typed group by group, and says so once it is decided', async () => {
    const typed = page.locator('#typed');
    await typed.fill(GROUPS.slice(0, 3).join(' '));
    assert.equal(await page.locator('.digits .same').count(), 3);
    assert.equal(await page.locator('#compared').innerText(), '');
    await typed.fill(GROUPS.with(5, '99999').join(''));
    assert.equal(await page.locator('.digits .other').count(), 1);
    assert.match(await page.locator('#compared').innerText(), /differ/);
    assert.equal(await page.getByRole('button', { name: 'They Match' }).isDisabled(), true);
    await typed.fill(GROUPS.join(' '));
    assert.equal(await page.locator('#compared').innerText(), '\u25CF\u00A0All sixty digits are the same.'.slice(2));
    assert.equal(await page.getByRole('button', { name: 'They Match' }).isDisabled(), false);
  });

  it('is used by the keyboard alone, in the order it is read', async () => {
    const reached: string[] = [];
    for (let press = 0; press < 6; press++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate<string>('document.activeElement.id || document.activeElement.innerText'));
    }
    assert.deepEqual(reached, ['typed', 'They Match', 'They Differ', 'picture', 'text', 'use']);
    await page.getByRole('button', { name: 'They Match' }).focus();
    await page.keyboard.press('Enter');
    assert.deepEqual(await asked(1), [{ kind: 'action', generation: 4, action: 'match' }]);
  });

  it('reads a code out of a picture, out of a pasted picture and out of pasted text', async () => {
    const picture = await page.locator('figure svg').screenshot();
    await page.locator('#picture').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: picture });
    assert.deepEqual(await asked(1), [{ kind: 'text', generation: 4, text: SAFETY.qr }]);
    await page.evaluate(pasteOf(picture));
    assert.deepEqual((await asked(2))[1], { kind: 'text', generation: 4, text: SAFETY.qr });
    await page.locator('#text').fill('qumail:verify:other');
    await page.locator('#use').click();
    assert.deepEqual((await asked(3))[2], { kind: 'text', generation: 4, text: 'qumail:verify:other' });
  });

  it('says that there is no code in what is no picture of one', async () => {
    await page.locator('#picture').setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('not a picture') });
    assert.deepEqual(await asked(1), [{ kind: 'no-code', generation: 4 }]);
  });

  it('has names for screen readers and colours of the theme', async () => {
    await page.getByRole('img', { name: 'QR code of your safety number with Bob' }).waitFor();
    await page.getByRole('region', { name: 'Safety number' }).waitFor();
    await page.getByRole('textbox', { name: 'Type or paste the number that Bob sees' }).waitFor();
    mkdirSync(PICTURES, { recursive: true });
    await page.locator('#typed').fill(GROUPS.with(5, '99999').join(' '));
    const backgrounds = new Set<string>();
    for (const [name, variables] of Object.entries(THEMES) as [ThemeName, Readonly<Record<string, string>>][]) {
      await page.evaluate(
        `for (const [name, value] of Object.entries(${JSON.stringify(variables)})) document.documentElement.style.setProperty(name, value)`,
      );
      backgrounds.add(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
      await page.screenshot({ path: join(PICTURES, `trust-page-${name}.png`) });
    }
    assert.ok(backgrounds.size >= 2, [...backgrounds].join());
  });
});

/** What a paste of this picture does in the page, as text: this file knows nothing of the page's own types. */
function pasteOf(picture: Buffer): string {
  return `{
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array([${[...picture].join()}])], 'code.png', { type: 'image/png' }));
    document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }`;
}
