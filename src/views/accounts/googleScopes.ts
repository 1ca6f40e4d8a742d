/** What QuMail asks Google for: who it is, and the mailbox over IMAP and SMTP. */
export const GOOGLE_SCOPES = ['openid', 'email', 'https://mail.google.com/'] as const;

/** Google's own long names of the short OpenID Connect scopes. */
const ALIASES: Readonly<Record<string, string>> = {
  'https://www.googleapis.com/auth/userinfo.email': 'email',
  'https://www.googleapis.com/auth/userinfo.profile': 'profile',
};

/** Whether every wanted scope is among those held. */
export function coversScopes(held: readonly string[], wanted: readonly string[]): boolean {
  const short = (scope: string): string => ALIASES[scope] ?? scope;
  const known = new Set(held.map(short));
  return wanted.every((scope) => known.has(short(scope)));
}
