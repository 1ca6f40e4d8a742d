import { linkify } from '../../reader/webview/linkify.ts';

/** Runs of text and what they are. Nothing here is HTML: the page builds elements from it, and text stays text. */
export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly url: string; readonly text: string }
  | { readonly kind: 'strong' | 'em' | 'del'; readonly parts: readonly Inline[] };

export type Block =
  | { readonly kind: 'paragraph' | 'heading'; readonly lines: readonly (readonly Inline[])[] }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | { readonly kind: 'list'; readonly ordered: 'yes' | 'no'; readonly items: readonly (readonly Inline[])[] };

const MAX_DEPTH = 4;

/** The part of Markdown people use in a chat: emphasis, code, links, lists, quotes. Everything else stays as it was typed. */
export function parseMarkdown(text: string, depth = 0): Block[] {
  const blocks: Block[] = [];
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n');
  let paragraph: string[] = [];
  const flush = (): void => {
    if (paragraph.length > 0) blocks.push({ kind: 'paragraph', lines: paragraph.map((line) => inline(line)) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line);
    if (fence) {
      const code = runOf(lines, at + 1, (other) => !/^```\s*$/.test(other));
      flush();
      blocks.push({ kind: 'code', language: fence[1] ?? '', text: code.join('\n') });
      at += code.length + 1;
    } else if (line.trim() === '') flush();
    else if (line.startsWith('>') && depth < MAX_DEPTH) {
      flush();
      const quoted = runOf(lines, at, (other) => other.startsWith('>'));
      blocks.push({ kind: 'quote', blocks: parseMarkdown(quoted.map((each) => each.replace(/^> ?/, '')).join('\n'), depth + 1) });
      at += quoted.length - 1;
    } else if (BULLET.test(line) || NUMBER.test(line)) {
      flush();
      const mark = BULLET.test(line) ? BULLET : NUMBER;
      const items = runOf(lines, at, (other) => mark.test(other));
      blocks.push({ kind: 'list', ordered: mark === NUMBER ? 'yes' : 'no', items: items.map((each) => inline(each.replace(mark, ''))) });
      at += items.length - 1;
    } else if (/^#{1,6} /.test(line)) {
      flush();
      blocks.push({ kind: 'heading', lines: [inline(line.replace(/^#{1,6} /, ''))] });
    } else paragraph.push(line);
  }
  flush();
  return blocks;
}

/** With the name of a language and nothing else behind it: what is not shown as code is shown as it was typed. */
const FENCE = /^```([\w+#.-]{0,20})[ \t]*$/;
const BULLET = /^ {0,3}[-*+] (?=\S)/;
const NUMBER = /^ {0,3}\d{1,9}[.)] (?=\S)/;

function runOf(lines: readonly string[], from: number, belongs: (line: string) => boolean): string[] {
  let end = from;
  while (end < lines.length && belongs(lines[end] ?? '')) end++;
  return lines.slice(from, end);
}

/** Each alternative is bounded by its own closing mark, and none can match the same text in two ways. */
const MARKS =
  /(?<code>`[^`]{1,2000}`)|\[(?<label>[^[\]]{1,300})\]\((?<url>(?:https?:\/\/|mailto:)[^\s()<>]{1,2000})\)|\*\*(?<strong>[^*\s](?:[^*]{0,2000}[^*\s])?)\*\*|(?<![\w*])[*_](?<em>[^*_\s](?:[^*_]{0,2000}[^*_\s])?)[*_](?![\w*])|~~(?<del>[^~]{1,2000})~~/gu;

function inline(text: string, depth = 0): Inline[] {
  const parts: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(MARKS)) {
    parts.push(...plain(text.slice(from, match.index)));
    from = match.index + match[0].length;
    const { code, label, url, strong, em, del } = match.groups ?? {};
    if (code !== undefined) parts.push({ kind: 'code', text: code.slice(1, -1) });
    else if (label !== undefined && url !== undefined) parts.push({ kind: 'link', url, text: label });
    else {
      const kind = strong !== undefined ? 'strong' : em !== undefined ? 'em' : 'del';
      const inner = strong ?? em ?? del ?? '';
      parts.push({ kind, parts: depth < MAX_DEPTH ? inline(inner, depth + 1) : plain(inner) });
    }
  }
  return [...parts, ...plain(text.slice(from))];
}

function plain(text: string): Inline[] {
  return linkify(text).map((part): Inline =>
    part.url === undefined ? { kind: 'text', text: part.text } : { kind: 'link', url: part.url, text: part.text },
  );
}
