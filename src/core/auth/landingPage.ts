import { createHash } from 'node:crypto';
import type { LandingOutcome } from './redirect.ts';

/**
 * The words of the page that the browser shows at the end of a sign-in. Core writes sentences nowhere else; here it must, because
 * this page is served while the editor may be behind the browser, and no view of ours can draw it. Nothing from the request is ever
 * put into it, so there is nothing to escape.
 */
const WORDS: Readonly<Record<LandingOutcome | 'not-found', { readonly title: string; readonly text: string }>> = {
  'signed-in': {
    title: 'You are signed in',
    text: 'QuMail goes on in your editor, where it now opens your mailbox. You can close this page.',
  },
  denied: {
    title: 'Sign-in was declined',
    text: 'QuMail was not given access, and nothing was changed. You can close this page, and try again from your editor.',
  },
  failed: {
    title: 'Sign-in did not work',
    text: 'QuMail could not finish signing you in. Your editor shows the reason. You can close this page, and try again from there.',
  },
  'not-found': { title: 'Nothing here', text: 'This address only waits for a sign-in to QuMail. You can close this page.' },
};

const STYLE = [
  ':root{color-scheme:light dark}',
  'body{font:1.125rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center}',
  'main{max-width:34rem;padding:2rem}',
  'h1{font-size:1.75rem;line-height:1.25;margin:0 0 .75rem}',
  'p{margin:0}',
].join('');

/** Everything is refused but this very style sheet; `data:` is the empty icon that keeps the browser from asking for one. */
export const LANDING_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export function landingPage(outcome: LandingOutcome | 'not-found'): string {
  const { title, text } = WORDS[outcome];
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,"><title>${title} – QuMail</title>` +
    `<style>${STYLE}</style></head><body><main role="${outcome === 'signed-in' ? 'status' : 'alert'}"><h1>${title}</h1><p>${text}</p></main></body></html>`
  );
}
