import type { ProviderId, ServerAddress } from '../base/types.ts';

/** Those QuMail signs in to by itself, through the browser. */
const OAUTH_PROVIDER_IDS = ['google', 'yahoo', 'oidc'] as const satisfies readonly ProviderId[];
export type OAuthProviderId = (typeof OAUTH_PROVIDER_IDS)[number];

/** Whether QuMail holds a grant of its own for accounts of this provider. */
export function isOAuthProvider(provider: ProviderId): provider is OAuthProviderId {
  return OAUTH_PROVIDER_IDS.some((id) => id === provider);
}

/** Everything that differs between one OAuth provider and the next, as data. */
export interface OAuthProvider {
  readonly id: OAuthProviderId;
  /** A brand name, the same in every language. */
  readonly label: string;
  /** OpenID issuer. Where absent, the person names one and the endpoints come from its discovery document. */
  readonly issuer?: string;
  /** `discovered`: the discovery document is asked first, and the endpoints here are for when it cannot be had. */
  readonly endpoints: 'fixed' | 'discovered';
  readonly authorizationEndpoint?: string;
  readonly tokenEndpoint?: string;
  /** RFC 7009. */
  readonly revocationEndpoint?: string;
  /** Asked for the e-mail address where the ID token does not tell it. */
  readonly userinfoEndpoint?: string;
  readonly scopes: readonly string[];
  /** Asked for only where the discovery document lists them: an unknown scope makes some servers refuse the whole request. */
  readonly scopesWhereOffered: readonly string[];
  /** Sent with the authorization request in addition to the standard parameters. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** `required`: a "desktop" client of this provider has one too, and the token endpoint insists. */
  readonly clientSecret: 'required' | 'optional' | 'none';
  /** Where the mailbox is; absent = the person says. */
  readonly servers?: { readonly imap: ServerAddress; readonly smtp: ServerAddress };
  readonly sasl: 'xoauth2';
  /** True where the SMTP server files a copy in Sent by itself, so that QuMail must not. */
  readonly filesOwnSent: boolean;
}

/** Submission hosts known to file what they send, however one signs in to them. */
const SELF_FILING_HOSTS: ReadonlySet<string> = new Set([
  ...['smtp.gmail.com', 'smtp.googlemail.com'],
  ...['smtp.office365.com', 'smtp-mail.outlook.com'],
]);

/** Whether the SMTP server files a copy in Sent by itself. */
export function filesOwnSent(account: { provider: ProviderId; servers: { smtp: ServerAddress } }, providers: ProviderTable): boolean {
  if (isOAuthProvider(account.provider) && providers[account.provider].filesOwnSent) return true;
  return SELF_FILING_HOSTS.has(account.servers.smtp.host.toLowerCase());
}

export type ProviderTable = Readonly<Record<OAuthProviderId, OAuthProvider>>;

/**
 * The one table. Sources: Google "OAuth 2.0 for Mobile & Desktop Apps" and "OAuth 2.0 Mechanism" (Gmail IMAP); Yahoo "OAuth 2.0 Guide";
 * OpenID Connect Discovery 1.0. Tests hand in another table with the same keys.
 */
export const OAUTH_PROVIDERS: ProviderTable = {
  google: {
    id: 'google',
    label: 'Google (Gmail)',
    issuer: 'https://accounts.google.com',
    endpoints: 'fixed',
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    revocationEndpoint: 'https://oauth2.googleapis.com/revoke',
    userinfoEndpoint: 'https://openidconnect.googleapis.com/v1/userinfo',
    scopes: ['openid', 'email', 'profile', 'https://mail.google.com/'],
    scopesWhereOffered: [],
    // Google hands out a refresh token for `offline` only, and after the first time only when consent is asked for again.
    authorizationParameters: { access_type: 'offline', prompt: 'consent' },
    clientSecret: 'required',
    servers: {
      imap: { host: 'imap.gmail.com', port: 993, security: 'tls' },
      smtp: { host: 'smtp.gmail.com', port: 465, security: 'tls' },
    },
    sasl: 'xoauth2',
    filesOwnSent: true,
  },
  yahoo: {
    id: 'yahoo',
    label: 'Yahoo Mail',
    issuer: 'https://api.login.yahoo.com',
    endpoints: 'discovered',
    authorizationEndpoint: 'https://api.login.yahoo.com/oauth2/request_auth',
    tokenEndpoint: 'https://api.login.yahoo.com/oauth2/get_token',
    revocationEndpoint: 'https://api.login.yahoo.com/oauth2/revoke',
    userinfoEndpoint: 'https://api.login.yahoo.com/openid/v1/userinfo',
    scopes: ['openid', 'email', 'profile', 'mail-w'],
    scopesWhereOffered: [],
    authorizationParameters: {},
    clientSecret: 'optional',
    servers: {
      imap: { host: 'imap.mail.yahoo.com', port: 993, security: 'tls' },
      smtp: { host: 'smtp.mail.yahoo.com', port: 465, security: 'tls' },
    },
    sasl: 'xoauth2',
    filesOwnSent: false,
  },
  oidc: {
    id: 'oidc',
    label: 'OpenID Connect',
    endpoints: 'discovered',
    scopes: ['openid', 'email', 'offline_access'],
    scopesWhereOffered: ['profile', 'mail'],
    // OpenID Connect Core section 11: offline_access is ignored unless consent is asked for.
    authorizationParameters: { prompt: 'consent' },
    clientSecret: 'optional',
    sasl: 'xoauth2',
    filesOwnSent: false,
  },
};
