import type { BrowserContext, Page } from 'playwright-core';

/** Fills in the sign-in pages of the OAuth world's provider in a real browser, and waits for the page that says all went well. */
export async function signInOnPages(page: Page, email: string, keep: (step: string) => Promise<unknown>): Promise<void> {
  await page.locator('input[name="login"]').fill(email);
  await page.locator('input[name="password"]').fill('any');
  await keep('oauth-login');
  await page.locator('button[type="submit"]').click();
  await page.locator('input[name="prompt"][value="consent"]').waitFor({ state: 'attached' });
  await keep('oauth-consent');
  await page.locator('button[type="submit"]').click();
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/callback\?/);
  await page.locator('h1').waitFor();
  await keep('oauth-landing');
}

/** Counts the pages that a browser opens from now on. */
export function countPages(context: BrowserContext): () => number {
  let opened = 0;
  context.on('page', () => (opened += 1));
  return () => opened;
}
