import { h } from '../../reader/webview/dom.ts';
import { pageHost } from '../../reader/webview/pageHost.ts';
import type { ChatWords, HostWord, PageAsk } from '../chatProtocol.ts';
import { Composer } from './composer.ts';
import { ChatHeader } from './header.ts';
import { MessageList } from './list.ts';
import type { Page } from './page.ts';
import { Pending } from './pending.ts';
import { squareFile } from './square.ts';

/** What survives hiding the panel and reloading the window. */
interface PageState {
  readonly chatId?: string;
  readonly world?: 'real' | 'lab';
  readonly text?: string;
}

const vscode = pageHost<PageState>();
const root = document.getElementById('chat');

/** The parts of an open chat. */
interface Parts {
  readonly header: ChatHeader;
  readonly list: MessageList;
  readonly pending: Pending;
  readonly composer: Composer;
}

let parts: Parts | undefined;

function ask(request: PageAsk): void {
  vscode.postMessage(request);
}

function build(words: ChatWords, writable: 'yes' | 'no'): Parts {
  const page: Page = {
    words,
    ask,
    writable,
    lineOf: (id) => list.lines.byId(id),
    reply: (line) => composer.reply(line),
    edit: (line) => composer.edit(line),
    jump: (id) => {
      if (!list.reveal(id)) ask({ kind: 'jump', id });
    },
  };
  const list = new MessageList(page);
  const pending = new Pending(words, ({ text, files }) => composer.putBack(text, files));
  const composer = new Composer(page, {
    send: (message) => {
      ask({ kind: 'send', ref: pending.add(message), ...message });
      list.toEnd();
    },
    lastOwn: () => list.lines.lastOwn(),
    remember: (text) => vscode.setState({ ...vscode.getState(), text }),
  });
  const header = new ChatHeader(page, () => composer.focus());
  root?.replaceChildren(
    header.element,
    list.element,
    pending.element,
    composer.element,
    h('div', { class: 'drop', 'aria-hidden': 'true' }, words.drop),
  );
  return { header, list, pending, composer };
}

function hear(word: HostWord): void {
  if (word.kind === 'chat') {
    const state = vscode.getState();
    const kept = state?.chatId === word.chat.id ? state.text : undefined;
    vscode.setState({ chatId: word.chat.id, world: word.world, ...(kept !== undefined && { text: kept }) });
    parts = build(word.words, word.chat.writable ? 'yes' : 'no');
    parts.header.show(word.chat);
    parts.composer.show(word.chat);
    parts.composer.setText(kept ?? word.draft);
    parts.list.open(word.stretch, word.older, word.firstUnread);
    // Whoever works elsewhere meanwhile keeps the focus.
    if (document.hasFocus()) parts.composer.focus();
    return;
  }
  if (!parts) return;
  const { header, list, pending, composer } = parts;
  switch (word.kind) {
    case 'header':
      header.show(word.chat);
      return composer.show(word.chat);
    case 'lines':
      return list.take(word.stretch, word.older);
    case 'jump':
      return void list.reveal(word.id);
    case 'sent':
      return pending.done(word.ref);
    case 'refused':
      return pending.refused(word.ref, word.sentence);
    case 'picture':
      return list.picture(word.id, word.index, URL.createObjectURL(new Blob([word.content.slice()], { type: word.mimeType })));
    case 'group-picture':
      return header.picture(word.picture);
    case 'square': {
      const { ref, ...picture } = word;
      return void squareFile(picture).then((content) => ask({ kind: 'squared', ref, ...(content && { content }) }));
    }
    case 'found':
      return header.found(word.lines);
  }
}

window.addEventListener('message', (event: MessageEvent<HostWord>) => hear(event.data));

window.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
    event.preventDefault();
    parts?.header.openSearch();
  }
});

function dragged(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true && parts !== undefined;
}

window.addEventListener('dragover', (event) => {
  if (!dragged(event)) return;
  event.preventDefault();
  document.body.classList.add('dropping');
});
window.addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('dropping');
});
window.addEventListener('drop', (event) => {
  document.body.classList.remove('dropping');
  if (!dragged(event)) return;
  event.preventDefault();
  void parts?.composer.add([...(event.dataTransfer?.files ?? [])]);
});

window.addEventListener('focus', () => {
  if (document.activeElement === document.body) parts?.composer.focus();
});

ask({ kind: 'ready' });
