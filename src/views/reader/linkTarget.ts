/** Schemes a link in a mail may lead to. Everything else (command:, vscode:, file:, javascript:, data:) goes nowhere. */
const SCHEMES = new Set(['https:', 'http:', 'mailto:']);

/** What a link really is, as opposed to what it looks like. */
export type LinkTarget =
  | { readonly kind: 'refused' }
  | {
      readonly kind: 'open';
      /** Normalised by the URL parser, host in ASCII (punycode), so that look-alike letters show. */
      readonly url: string;
      /** Host of a web address, address of a mailto link. */
      readonly where: string;
      /** Reasons to ask first. */
      readonly suspicion?: LinkSuspicion;
    };

/**
 * `text-names-other-host`: the visible text reads as an address on another host (`claimed`).
 * `user-info`: `https://bank.example@evil.example/`. `look-alike`: an internationalised host name.
 */
export type LinkSuspicion =
  | { readonly kind: 'text-names-other-host'; readonly claimed: string }
  | { readonly kind: 'user-info' }
  | { readonly kind: 'look-alike' };

/** Judges a link that was clicked in a mail: `url` from its href, `text` as the person saw it. Never throws. */
export function judgeLink(url: string, text: string): LinkTarget {
  const parsed = parseUrl(url);
  if (!parsed || !SCHEMES.has(parsed.protocol)) return { kind: 'refused' };
  // Anything before the colon of a mailto link is an address: nothing to spoof beyond what the composer shows.
  if (parsed.protocol === 'mailto:') return { kind: 'open', url: parsed.href, where: decodeQuietly(parsed.pathname) };
  if (!parsed.hostname) return { kind: 'refused' };
  const suspicion = suspicionOf(parsed, text);
  return { kind: 'open', url: parsed.href, where: parsed.host, ...(suspicion ? { suspicion } : {}) };
}

function suspicionOf(url: URL, text: string): LinkSuspicion | undefined {
  if (url.username || url.password) return { kind: 'user-info' };
  const claimed = claimedHost(text);
  if (claimed && !sameSite(claimed, url.hostname)) return { kind: 'text-names-other-host', claimed };
  if (/(^|\.)xn--/.test(url.hostname)) return { kind: 'look-alike' };
  return undefined;
}

/** The host that a link text claims to lead to, when the text reads as a web address; undefined for ordinary words. */
export function claimedHost(text: string): string | undefined {
  const trimmed = text
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Cc}]/gu, '')
    .trim();
  const match = /^(?:https?:\/\/)?((?:[\p{L}\p{N}-]{1,63}\.)+\p{L}{2,63})(?::\d+)?(?:[/?#].*)?$/iu.exec(trimmed.slice(0, 300));
  if (!match?.[1]) return undefined;
  return parseUrl(`https://${match[1]}/`)?.hostname;
}

/** Same host, or one a subdomain of the other: `example.org` written for `www.example.org` is no spoof. */
function sameSite(a: string, b: string): boolean {
  const [x, y] = [a.toLowerCase().replace(/^www\./, ''), b.toLowerCase().replace(/^www\./, '')];
  return x === y || x.endsWith(`.${y}`) || y.endsWith(`.${x}`);
}

function parseUrl(text: string): URL | undefined {
  return URL.parse(text) ?? undefined;
}

function decodeQuietly(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
