import type { HeaderField } from './headerField.ts';
import { fieldValue } from './headerSection.ts';
import { normalizeAddress } from './address.ts';

/** How one may leave the list a message came over. */
export interface UnsubscribeOffer {
  /** Takes one POST without any further question (RFC 8058). */
  readonly oneClick?: URL;
  readonly mailto?: { readonly address: string; readonly subject: string };
}

const MAX_FIELD = 8192;
const MAX_URIS = 10;

/**
 * What List-Unsubscribe (RFC 2369) and List-Unsubscribe-Post (RFC 8058) offer. One click only over https, without credentials or odd ports
 * in the address, and only where both fields are covered by a DKIM signature that the receiving server found good. Without a word of
 * the receiving server the signature's claim has to do: then it is the person who asks.
 */
export function unsubscribeOffer(fields: readonly HeaderField[]): UnsubscribeOffer {
  const uris = [...(fieldValue(fields, 'List-Unsubscribe') ?? '').slice(0, MAX_FIELD).matchAll(/<([^<>\s]{1,2048})>/g)]
    .slice(0, MAX_URIS)
    .map(([, uri]) => uri!);
  const post = (fieldValue(fields, 'List-Unsubscribe-Post') ?? '').trim() === 'List-Unsubscribe=One-Click';
  const oneClick = post && isSigned(fields) ? uris.map(httpsUrl).find((url) => url !== undefined) : undefined;
  const mailto = uris.map(mailtoOf).find((found) => found !== undefined);
  return { ...(oneClick && { oneClick }), ...(mailto && { mailto }) };
}

function httpsUrl(uri: string): URL | undefined {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  // A list server has a name in the DNS; an address or a bare name would be something in this person's own network.
  const name = url.hostname;
  return name.includes('.') &&
    !/^[\d.]+$/.test(name) &&
    !name.startsWith('[') &&
    !/\.(?:local|localhost|internal|lan|home|arpa)$/.test(name)
    ? url
    : undefined;
}

function mailtoOf(uri: string): { address: string; subject: string } | undefined {
  const url = /^mailto:/i.test(uri) && URL.canParse(uri) ? new URL(uri) : undefined;
  if (!url) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    return undefined;
  }
  const address = normalizeAddress(path);
  const subject = (url.searchParams.get('subject') ?? '').replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return address === undefined ? undefined : { address, subject: subject.slice(0, 500) || 'unsubscribe' };
}

/** RFC 8058 section 4: a valid DKIM signature covers both fields. */
function isSigned(fields: readonly HeaderField[]): boolean {
  const covering = fields
    .filter(({ name }) => name.toLowerCase() === 'dkim-signature')
    .flatMap(({ value }) => {
      const tags = tagsOf(value.slice(0, MAX_FIELD));
      const covered = (tags.get('h') ?? '')
        .toLowerCase()
        .split(':')
        .map((name) => name.trim());
      const domain = tags.get('d')?.toLowerCase();
      return domain !== undefined && covered.includes('list-unsubscribe') && covered.includes('list-unsubscribe-post') ? [domain] : [];
    });
  if (covering.length === 0) return false;
  const results = receiversResults(fields);
  if (results === undefined) return true;
  const passed = [...results.matchAll(/\bdkim\s*=\s*pass\b([^;]*)/gi)].flatMap(
    ([, rest]) => /\bheader\.(?:d|i)\s*=\s*(?:[^\s;@]*@)?([\w.-]+)/i.exec(rest!)?.[1]?.toLowerCase() ?? [],
  );
  return covering.some((domain) => passed.some((by) => by === domain || by.endsWith(`.${domain}`)));
}

/**
 * The Authentication-Results (RFC 8601) of the receiving server: those above the second Received field, since each hop puts its own on
 * top. What stands below came with the message and is the sender's to write.
 */
function receiversResults(fields: readonly HeaderField[]): string | undefined {
  let received = 0;
  const found: string[] = [];
  for (const { name, value } of fields) {
    const lower = name.toLowerCase();
    if (lower === 'received' && ++received > 1) break;
    if (lower === 'authentication-results') found.push(value.slice(0, MAX_FIELD));
  }
  return found.length === 0 ? undefined : found[0];
}

function tagsOf(value: string): Map<string, string> {
  return new Map(
    value.split(';').flatMap((tag) => {
      const at = tag.indexOf('=');
      return at < 0 ? [] : [[tag.slice(0, at).trim(), tag.slice(at + 1).replace(/\s+/g, '')] as const];
    }),
  );
}
