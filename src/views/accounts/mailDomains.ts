/** Mail providers that people have mailboxes at, as far as their sign-in differs from "address and password". */
export type KnownProviderId = 'google' | 'yahoo' | 'outlook' | 'icloud' | 'fastmail';

export interface KnownProvider {
  readonly id: KnownProviderId;
  readonly label: string;
  readonly imap: string;
  readonly smtp: string;
  /** Where an app password is made; undefined where the provider gives out none. */
  readonly appPasswords?: string;
}

const PROVIDERS: Readonly<Record<KnownProviderId, KnownProvider>> = {
  google: {
    id: 'google',
    label: 'Google',
    imap: 'imap.gmail.com:993',
    smtp: 'smtp.gmail.com:465',
    appPasswords: 'https://myaccount.google.com/apppasswords',
  },
  yahoo: {
    id: 'yahoo',
    label: 'Yahoo',
    imap: 'imap.mail.yahoo.com:993',
    smtp: 'smtp.mail.yahoo.com:465',
    appPasswords: 'https://login.yahoo.com/account/security',
  },
  outlook: { id: 'outlook', label: 'Microsoft', imap: 'outlook.office365.com:993', smtp: 'smtp.office365.com:587' },
  icloud: {
    id: 'icloud',
    label: 'iCloud',
    imap: 'imap.mail.me.com:993',
    smtp: 'smtp.mail.me.com:587',
    appPasswords: 'https://account.apple.com/account/manage',
  },
  fastmail: {
    id: 'fastmail',
    label: 'Fastmail',
    imap: 'imap.fastmail.com:993',
    smtp: 'smtp.fastmail.com:465',
    appPasswords: 'https://app.fastmail.com/settings/security/tokens',
  },
};

/** Domains of mailboxes, country endings of the large ones among them. */
const DOMAINS: readonly (readonly [domain: RegExp, provider: KnownProviderId])[] = [
  [/^(gmail|googlemail)\.com$/, 'google'],
  [/^(yahoo\.(com|[a-z]{2}|co\.[a-z]{2}|com\.[a-z]{2})|ymail\.com|rocketmail\.com)$/, 'yahoo'],
  [/^((outlook|hotmail|live)\.(com|[a-z]{2}|co\.[a-z]{2}|com\.[a-z]{2})|msn\.com|passport\.com)$/, 'outlook'],
  [/^(icloud|me|mac)\.com$/, 'icloud'],
  [/^fastmail\.(com|fm)$/, 'fastmail'],
];

/** The part behind the last `@`, in lower case; '' where there is none. */
export function domainOf(email: string): string {
  const at = email.lastIndexOf('@');
  return at < 0
    ? ''
    : email
        .slice(at + 1)
        .trim()
        .toLowerCase();
}

/** Who runs the mailbox, told from its domain alone; undefined for a domain of one's own. */
export function knownProvider(email: string): KnownProvider | undefined {
  const domain = domainOf(email);
  const id = DOMAINS.find(([pattern]) => pattern.test(domain))?.[1];
  return id && PROVIDERS[id];
}
