import MarkdownIt from 'markdown-it';

/**
 * The HTML alternative of a Markdown body: no raw HTML, links found in text, typed line breaks kept. Images are off:
 * quoted foreign text must not make our own mail load something from the network.
 */
export function markdownToHtml(markdown: string): string {
  const renderer = new MarkdownIt({ html: false, linkify: true, typographer: false, breaks: true }).disable('image');
  return `<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n${renderer.render(markdown)}</body></html>\n`;
}
