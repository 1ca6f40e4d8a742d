import { QuMailError } from '../base/errors.ts';

/** An element; attributes and children in document order, text as the direct text content joined together. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface Open {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
}

export const MAX_XML_BYTES = 64 * 1024;
const MAX_DEPTH = 16;
const MAX_ELEMENTS = 2000;
const NAME = '[A-Za-z_][A-Za-z0-9._:-]{0,63}';
/** One piece of markup or text; sticky, and without nested repetition, so that it is linear in the document. */
const TOKEN = new RegExp(
  [
    String.raw`<!--(?:[^-]|-(?!-))*-->`,
    String.raw`<!\[CDATA\[([^]*?)\]\]>`,
    String.raw`</(${NAME})\s*>`,
    String.raw`<(${NAME})((?:\s+${NAME}\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(/?)>`,
    '([^<]+)',
  ].join('|'),
  'y',
);
const ATTRIBUTE = new RegExp(String.raw`(${NAME})\s*=\s*(?:"([^"]*)"|'([^']*)')`, 'g');
const DECLARATION = /^<\?xml\s[^<>?]{1,200}\?>/;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads a small XML document: elements, attributes, text, CDATA, comments, the five predefined entities and character references, in
 * UTF-8. There are no document types, no entities of its own, no processing instructions, so nothing in it can grow or point outside.
 * Limits: 64 KiB, 16 levels, 2,000 elements. Anything else rejects the whole document with `net.protocol` (details: reason) or
 * `net.too-large`.
 */
export function readXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > MAX_XML_BYTES) throw new QuMailError('net.too-large', { limit: MAX_XML_BYTES });
  const text = decode(bytes);
  const top: Open = { name: '', attributes: new Map(), children: [], text: '' };
  const open: Open[] = [top];
  let elements = 0;
  TOKEN.lastIndex = DECLARATION.exec(text)?.[0].length ?? 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text) ?? bad('xml-syntax');
    const [, cdata, closed, name, attributes = '', empty, plain] = match;
    const current = open.at(-1)!;
    if (name !== undefined) {
      if (++elements > MAX_ELEMENTS || open.length > MAX_DEPTH) bad('xml-limit');
      const element: Open = { name, attributes: attributesOf(attributes), children: [], text: '' };
      current.children.push(element);
      if (empty === '') open.push(element);
    } else if (closed !== undefined) {
      if (open.length === 1 || current.name !== closed) bad('xml-nesting');
      open.pop();
    } else {
      const content = cdata ?? (plain === undefined ? '' : unescaped(plain));
      if (open.length === 1 && content.trim() !== '') bad('xml-syntax');
      current.text += content;
    }
  }
  const [root, ...more] = top.children;
  if (!root || more.length > 0 || open.length > 1) return bad('xml-nesting');
  return root;
}

/** The first child of this name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((each) => each.name === name);
}

/** The trimmed text of the first child of this name; '' where there is none. */
export function childText(element: XmlElement | undefined, name: string): string {
  return child(element, name)?.text.trim() ?? '';
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bad('xml-encoding');
  }
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single] of text.matchAll(ATTRIBUTE)) {
    if (attributes.has(name)) bad('xml-syntax');
    attributes.set(name, unescaped(double ?? single ?? ''));
  }
  return attributes;
}

/** Every `&` must begin a reference that is known without a document type. */
function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{2,4}));|&/g, (_whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined && Object.hasOwn(NAMED, name)) return NAMED[name]!;
    const point = decimal === undefined ? (hex === undefined ? -1 : Number.parseInt(hex, 16)) : Number(decimal);
    if (point <= 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return bad('xml-entity');
    return String.fromCodePoint(point);
  });
}

function bad(reason: string): never {
  throw new QuMailError('net.protocol', { reason });
}
