/** What VS Code's URI handler hands over. */
export interface RedirectParts {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  /** Already un-escaped once by VS Code. */
  readonly query: string;
}

/**
 * The redirect as an address with a well-formed query. VS Code un-escapes a query when it parses it, and writing it out again
 * escapes even `=` and `&`; so names and values are escaped here, one by one, which also keeps a `+` a plus sign.
 */
export function redirectText({ scheme, authority, path, query }: RedirectParts): string {
  const pairs = query
    .split('&')
    .filter(Boolean)
    .map((pair) => {
      const equals = pair.indexOf('=');
      const name = equals < 0 ? pair : pair.slice(0, equals);
      const value = equals < 0 ? '' : pair.slice(equals + 1);
      return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    });
  return `${scheme}://${authority}${path}?${pairs.join('&')}`;
}
