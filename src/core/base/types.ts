/** L1 one-time pad, L2 quantum-aided AES, L3 post-quantum, L4 none (PROTOCOL). */
export const SECURITY_LEVELS = ['L1', 'L2', 'L3', 'L4'] as const;
export type SecurityLevel = (typeof SECURITY_LEVELS)[number];

/** A mailbox address with its display name; `address` is NFC with a lower-case domain. */
export interface Address {
  readonly name: string;
  readonly address: string;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, or STARTTLS that must succeed. There is no third way. */
  readonly security: 'tls' | 'starttls';
}

export const PROVIDER_IDS = ['google', 'yahoo', 'oidc', 'qumail_native', 'outlook', 'token_command'] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];

/** Mailbox flags QuMail shows and sets (RFC 9051). */
export const MAIL_FLAGS = ['seen', 'flagged', 'answered', 'draft'] as const;
export type MailFlag = (typeof MAIL_FLAGS)[number];

/** RFC 6154 roles. */
export type SpecialUse = 'inbox' | 'sent' | 'drafts' | 'trash' | 'junk' | 'archive' | 'all' | 'flagged';
