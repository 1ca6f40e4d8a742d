import { h } from './dom.ts';
import type { CleanMail } from './sanitize.ts';

export interface MailFrameOptions {
  readonly mail: CleanMail;
  readonly remote: 'blocked' | 'allowed';
  readonly title: string;
  readonly onLink: (url: string, text: string) => void;
  /** The target under the pointer or the focus, '' for none. */
  readonly onHover: (url: string) => void;
}

/** Tallest frame, in CSS pixels; beyond it the frame scrolls by itself. */
const MAX_HEIGHT = 60_000;

/**
 * Shows a sanitised mail in a sandboxed frame.
 *
 * The sandbox is `allow-same-origin` and nothing else. Without `allow-scripts` no script can run in the frame in any form
 * (elements, handlers, `javascript:` addresses), without `allow-forms`, `allow-popups` and `allow-top-navigation` nothing
 * can be sent or opened or navigated. `allow-same-origin` gives code inside the frame the page's origin, and there is no
 * code inside; what it buys is that this page can reach in: put the sanitised nodes there without turning them into text
 * and parsing them again (so no mutation XSS), listen for clicks, and measure the height. The page's own policy is
 * inherited by a `srcdoc` document, and the frame's own one narrows it further.
 */
export function mailFrame(options: MailFrameOptions): HTMLIFrameElement {
  const images = options.remote === 'allowed' ? 'img-src data: https:' : 'img-src data:';
  const frame = h('iframe', {
    class: `mail ${options.mail.colours === 'own' ? 'paper' : 'themed'}`,
    sandbox: 'allow-same-origin',
    referrerpolicy: 'no-referrer',
    title: options.title,
    srcdoc:
      '<!DOCTYPE html><html><head><meta charset="utf-8">' +
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; ${images}; form-action 'none'; base-uri 'none'">` +
      '<meta name="referrer" content="no-referrer"></head><body></body></html>',
  });
  frame.addEventListener('load', () => fillFrame(frame, options), { once: true });
  return frame;
}

const BASE = `
html { overflow-x: auto; overflow-y: hidden; }
html.tall { overflow-y: auto; }
body { margin: 0; padding: 4px 0; overflow-wrap: break-word; font-family: var(--reader-font); font-size: var(--reader-size); line-height: 1.5; }
html.paper { color-scheme: light; background: #ffffff; color: #1f1f1f; }
.qumail-paper { padding: 16px 20px; }
.qumail-themed > :first-child { margin-top: 0; }
.qumail-themed { color: var(--reader-foreground); }
[data-link] { cursor: pointer; text-decoration: underline; color: -webkit-link; }
.qumail-themed [data-link] { color: var(--reader-link); }
[data-link]:focus-visible { outline: 2px solid var(--reader-focus); outline-offset: 2px; }
img { max-width: 100%; }
img:not([height]) { height: auto; }
img[data-blocked] { outline: 1px dashed #8888; outline-offset: -1px; font-size: 12px; }
pre { white-space: pre-wrap; }
.qumail-themed pre, .qumail-themed code { font-family: var(--reader-mono); background: var(--reader-code); border-radius: 3px; }
.qumail-themed pre { padding: 8px 12px; }
.qumail-themed code { padding: 1px 4px; }
.qumail-themed pre code { padding: 0; background: none; }
.qumail-themed blockquote { margin: 0 0 0 2px; padding: 0 0 0 12px; border-left: 3px solid var(--reader-quote-border); color: var(--reader-quote); }
.qumail-themed table:not([role]) { border-collapse: collapse; }
.qumail-themed hr { border: 0; border-top: 1px solid var(--reader-quote-border); }
`;

function fillFrame(frame: HTMLIFrameElement, { mail, onLink, onHover }: MailFrameOptions): void {
  const inner = frame.contentWindow;
  const target = frame.contentDocument;
  if (!inner || !target) return;
  const base = target.createElement('style');
  base.textContent = BASE;
  const own = target.createElement('style');
  own.textContent = mail.css;
  target.head.append(base, own);
  const body = target.importNode(mail.body, true);
  body.classList.add(mail.colours === 'own' ? 'qumail-paper' : 'qumail-themed');
  // A mail with colours of its own was written for white paper; its own body colours come on top.
  if (mail.colours === 'own') target.documentElement.classList.add('paper');
  target.body.replaceWith(body);

  const linkAt = (event: Event): HTMLElement | undefined =>
    (event.target as Partial<Element> | null)?.closest?.('[data-link]') as HTMLElement | undefined;
  const follow = (event: Event): void => {
    const element = linkAt(event);
    if (!element) return;
    event.preventDefault();
    const url = mail.links[Number(element.dataset['link'])];
    if (url === undefined) return;
    if (url.startsWith('#')) target.getElementById(url.slice(1))?.scrollIntoView();
    else onLink(url, (element.textContent ?? '').trim().slice(0, 300));
  };
  // Listeners sit on the window: properties of a document can be shadowed by named elements, those of a window cannot.
  inner.addEventListener('click', follow);
  inner.addEventListener('auxclick', (event) => (event.button === 1 ? follow(event) : undefined));
  inner.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') follow(event);
    // VS Code listens for its key bindings on the page, which does not hear what happens in a frame.
    if (!event.defaultPrevented) window.dispatchEvent(new KeyboardEvent(event.type, event));
  });
  const hover = (event: Event): void => {
    const element = linkAt(event);
    const url = element && mail.links[Number(element.dataset['link'])];
    onHover(url && !url.startsWith('#') ? url : '');
  };
  inner.addEventListener('pointerover', hover);
  inner.addEventListener('focusin', hover);
  inner.addEventListener('pointerout', () => onHover(''));

  const fit = (): void => fitHeight(frame, target.documentElement);
  inner.addEventListener('load', fit, true);
  inner.addEventListener('toggle', fit, true);
  applyTheme(frame);
  fit();
  let width = frame.clientWidth;
  new ResizeObserver(() => {
    if (frame.clientWidth === width) return;
    width = frame.clientWidth;
    fit();
  }).observe(frame);
}

/**
 * Gives the frame the height of its content. It is measured at height 0, so that `100vh` or `height: 100%` in a mail
 * measures as nothing and cannot make the frame grow with each look.
 */
function fitHeight(frame: HTMLIFrameElement, content: HTMLElement): void {
  const scroller = document.scrollingElement;
  const top = scroller?.scrollTop ?? 0;
  content.classList.remove('tall');
  frame.style.height = '0';
  // Wide mails scroll sideways inside; the bar needs room of its own.
  const height = content.scrollHeight + (content.scrollWidth > content.clientWidth ? 16 : 0);
  frame.style.height = `${Math.min(Math.max(height, 24), MAX_HEIGHT)}px`;
  content.classList.toggle('tall', height > MAX_HEIGHT);
  if (scroller) scroller.scrollTop = top;
}

/** Hands the editor's colours and fonts into the frame: custom properties do not cross documents. */
export function applyTheme(frame: HTMLIFrameElement): void {
  const inside = frame.contentDocument?.documentElement.style;
  if (!inside) return;
  const theme = getComputedStyle(document.body);
  const hand = (name: string, ...sources: string[]): void => {
    const value = sources.map((source) => theme.getPropertyValue(source).trim()).find((found) => found !== '');
    if (value) inside.setProperty(name, value);
  };
  hand('--reader-foreground', '--vscode-editor-foreground', '--vscode-foreground');
  hand('--reader-link', '--vscode-textLink-foreground');
  hand('--reader-focus', '--vscode-focusBorder');
  hand('--reader-quote', '--vscode-descriptionForeground');
  hand('--reader-quote-border', '--vscode-contrastBorder', '--vscode-textBlockQuote-border', '--vscode-widget-border');
  hand('--reader-code', '--vscode-textCodeBlock-background');
  hand('--reader-font', '--vscode-font-family');
  hand('--reader-mono', '--vscode-editor-font-family');
  hand('--reader-size', '--reader-text-size');
}
