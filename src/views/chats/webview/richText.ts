import { h } from '../../reader/webview/dom.ts';
import { parseMarkdown, type Block, type Inline } from './markdown.ts';

export type OpenLink = (url: string, text: string) => void;

/** Markdown as elements of the page: each of the kinds below and no other, with text put in as text. */
export function richText(markdown: string, open: OpenLink): HTMLElement {
  return h('div', { class: 'rich', dir: 'auto' }, ...parseMarkdown(markdown).map((block) => blockElement(block, open)));
}

function blockElement(block: Block, open: OpenLink): HTMLElement {
  switch (block.kind) {
    case 'code':
      return h(
        'pre',
        { tabindex: '0' },
        block.language === '' ? undefined : h('span', { class: 'language' }, block.language),
        h('code', {}, block.text),
      );
    case 'quote':
      return h('blockquote', {}, ...block.blocks.map((inner) => blockElement(inner, open)));
    case 'list':
      return h(
        block.ordered === 'yes' ? 'ol' : 'ul',
        {},
        ...block.items.map((item) => h('li', {}, ...item.map((part) => inlineNode(part, open)))),
      );
    case 'heading':
    case 'paragraph':
      return h(
        'p',
        block.kind === 'heading' ? { class: 'heading' } : {},
        ...block.lines.flatMap((line, index) => [...(index > 0 ? [h('br')] : []), ...line.map((part) => inlineNode(part, open))]),
      );
  }
}

function inlineNode(part: Inline, open: OpenLink): Node | string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'code':
      return h('code', {}, part.text);
    case 'link':
      return link(part.url, part.text, open);
    case 'strong':
    case 'em':
    case 'del':
      return h(part.kind, {}, ...part.parts.map((inner) => inlineNode(inner, open)));
  }
}

/** Without an address in the document: only the host opens it, after it has looked where it leads. */
function link(url: string, text: string, open: OpenLink): HTMLElement {
  const follow = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
    open(url, text.slice(0, 300));
  };
  return h(
    'a',
    {
      role: 'link',
      tabindex: '0',
      title: url.slice(0, 300),
      onclick: follow,
      onkeydown: (event) => ((event as KeyboardEvent).key === 'Enter' ? follow(event) : undefined),
    },
    text,
  );
}
