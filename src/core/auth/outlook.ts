import type { ServerAddress } from '../base/types.ts';

/** Domains of Microsoft's personal mailboxes; `live` and `hotmail` exist under many countries' domains. */
const PERSONAL = /@(?:outlook|hotmail|live|msn)(?:\.[a-z]{2,3}){1,2}$/i;

/**
 * Outlook through the editor's `microsoft` sign-in. Sources: Microsoft "Authenticate an IMAP, POP or SMTP connection using OAuth" (scopes,
 * XOAUTH2, user name = address) and "POP, IMAP, and SMTP settings for Outlook.com". A token is for one resource, and IMAP and SMTP are one:
 * outlook.office.com.
 */
export const OUTLOOK = {
  scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://outlook.office.com/SMTP.Send', 'offline_access'],
} as const;

/** Work mailboxes are submitted to another host than personal ones. */
export function outlookServers(email: string): { readonly imap: ServerAddress; readonly smtp: ServerAddress } {
  return {
    imap: { host: 'outlook.office365.com', port: 993, security: 'tls' },
    smtp: { host: PERSONAL.test(email) ? 'smtp-mail.outlook.com' : 'smtp.office365.com', port: 587, security: 'starttls' },
  };
}
