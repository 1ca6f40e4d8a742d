import type { BodyMode, HostMessage, ReaderRequest, ShownFailure } from '../readerProtocol.ts';
import { bannerView } from './banner.ts';
import { bodyView } from './body.ts';
import { button, h, icon } from './dom.ts';
import { attachmentsView, headerView } from './header.ts';
import { applyTheme } from './mailFrame.ts';
import type { Page } from './page.ts';
import { pageHost } from './pageHost.ts';

/** What survives hiding the panel and reloading the window. */
interface PageState {
  readonly messageId?: number;
  readonly world?: 'real' | 'lab';
  readonly mode?: BodyMode;
}

const vscode = pageHost<PageState>();
const root = document.getElementById('reader');
const target = h('div', { class: 'target', 'aria-hidden': 'true' });
document.body.append(target);

function ask(request: ReaderRequest): void {
  vscode.postMessage(request);
}

function pageOf({ words, generation, messageId, world }: HostMessage): Page {
  vscode.setState({ ...vscode.getState(), messageId, world });
  return {
    words,
    generation,
    ask,
    mode: vscode.getState()?.mode ?? 'html',
    setMode: (mode) => vscode.setState({ ...vscode.getState(), mode }),
    showTarget: (url) => {
      target.textContent = url;
      target.classList.toggle('shown', url !== '');
    },
  };
}

function show(message: HostMessage): void {
  const page = pageOf(message);
  page.showTarget('');
  switch (message.kind) {
    case 'loading':
      root?.replaceChildren(
        h(
          'div',
          { class: 'state', role: 'status' },
          h('span', { class: 'codicon codicon-loading spin', 'aria-hidden': 'true' }),
          message.words.loading,
        ),
      );
      return;
    case 'failed':
      root?.replaceChildren(failureView(message.failure, page));
      return;
    case 'message': {
      const { banner, attachments, failure } = message.message;
      root?.replaceChildren(
        bannerView(banner, page),
        headerView(message.message, page),
        ...(attachments.length > 0 ? [attachmentsView(attachments, page)] : []),
        failure ? failureView(failure, page) : bodyView(message, page),
      );
      scrollTo(0, 0);
    }
  }
}

/** Why there is nothing to read, and what to do about it. */
function failureView(failure: ShownFailure, { words, generation }: Page): HTMLElement {
  // Where trying again is the next step, one button is enough.
  const step = failure.button === words.retry ? '' : failure.button;
  return h(
    'div',
    { class: 'state failure', role: 'alert' },
    h('span', { class: 'failure-icon' }, icon('error')),
    h('h2', {}, words.failedTitle),
    h('p', {}, failure.sentence),
    failure.step ? h('p', { class: 'hint' }, failure.step) : undefined,
    h(
      'div',
      { class: 'buttons' },
      step ? button({ label: step, hint: step, kind: 'action primary', onclick: () => ask({ kind: 'next-step', generation }) }) : undefined,
      button({
        label: words.retry,
        hint: words.retry,
        kind: step ? 'action' : 'action primary',
        onclick: () => ask({ kind: 'retry', generation }),
      }),
    ),
  );
}

window.addEventListener('message', (event: MessageEvent<HostMessage>) => {
  // Only VS Code's own frame talks to this page; the mail's frame has no script that could.
  if (event.source && event.source === document.querySelector('iframe')?.contentWindow) return;
  show(event.data);
});

// A change of theme changes the variables on the page, not those handed into the frame.
new MutationObserver(() => {
  for (const frame of document.querySelectorAll<HTMLIFrameElement>('iframe.mail')) applyTheme(frame);
}).observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });

ask({ kind: 'ready' });
