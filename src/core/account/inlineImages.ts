import type { ReadAttachment } from '../mail/readMime.ts';

/** Picture types that the reader shows inside a mail; no SVG, which is a document of its own. */
const SHOWN = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp']);
/** Octets of pictures put into one mail; what is beyond stays an attachment. */
const MAX_INLINE_BYTES = 8 * 1024 * 1024;
/** `src="cid:…"` (RFC 2392). */
const REFERENCE = /(\bsrc\s*=\s*)(["'])cid:([^"'<>\s]{1,998})\2/gi;

/**
 * Puts the pictures that a mail brought along (multipart/related, RFC 2387) where its HTML refers to them, as data: URLs,
 * so that showing them asks nobody.
 *
 * @returns the HTML, and the positions of the attachments that it shows by itself
 */
export function withInlineImages(html: string, attachments: readonly ReadAttachment[]): { html: string; shown: ReadonlySet<number> } {
  const byId = new Map<string, number>();
  let room = MAX_INLINE_BYTES;
  attachments.forEach(({ contentId, mimeType, content }, index) => {
    if (contentId === undefined || !SHOWN.has(mimeType.toLowerCase()) || content.length > room) return;
    room -= content.length;
    byId.set(contentId.replace(/^<|>$/g, ''), index);
  });
  if (byId.size === 0) return { html, shown: new Set() };
  const shown = new Set<number>();
  const text = html.replace(REFERENCE, (whole, attribute: string, quote: string, reference: string) => {
    const index = byId.get(decoded(reference));
    const picture = index === undefined ? undefined : attachments[index];
    if (index === undefined || !picture) return whole;
    // Once is enough: a mail that shows one picture ten thousand times must not become ten thousand pictures long.
    if (shown.has(index)) return whole;
    shown.add(index);
    return `${attribute}${quote}data:${picture.mimeType.toLowerCase()};base64,${picture.content.toString('base64')}${quote}`;
  });
  return { html: text, shown };
}

function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}
