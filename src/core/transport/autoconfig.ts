import type { MailServers } from '../base/model.ts';
import type { ServerAddress } from '../base/types.ts';
import { mailHost } from './mailHost.ts';
import { child, childText, readXml, type XmlElement } from './xml.ts';

/** The address servers are looked for, in its parts. */
export interface Mailbox {
  readonly email: string;
  readonly local: string;
  /** A-labels, lower case. */
  readonly domain: string;
}

export type PasswordKind = 'password' | 'oauth2';

export interface Autoconfig {
  readonly servers: MailServers;
  readonly displayName?: string;
  readonly passwordKind?: PasswordKind;
}

/** Why a server named in a document is not used. */
export type ServerRefusal = 'plain-socket' | 'bad-host' | 'bad-port' | 'bad-user';

const MAX_NAME = 100;
const SECURITY: Readonly<Record<string, ServerAddress['security']>> = { SSL: 'tls', STARTTLS: 'starttls' };
const AUTHENTICATION: Readonly<Record<string, PasswordKind>> = {
  OAuth2: 'oauth2',
  'password-cleartext': 'password',
  'password-encrypted': 'password',
  plain: 'password',
  secure: 'password',
};

interface NamedServer {
  readonly address: ServerAddress;
  readonly userName: string;
  readonly passwordKind: PasswordKind | undefined;
}

/**
 * Reads a Thunderbird autoconfig document, version 1.1: of each kind the first server that QuMail may use, TLS from the first byte
 * before STARTTLS. Servers on plain sockets, with hosts that are not names, are passed over and told in `refused`; POP3 is not looked at.
 * `found` is undefined where IMAP or SMTP is missing then. Throws `net.protocol` or `net.too-large` for what is no such document.
 */
export function readAutoconfig(
  bytes: Uint8Array,
  mailbox: Mailbox,
): { readonly found: Autoconfig | undefined; readonly refused: readonly ServerRefusal[] } {
  const root = readXml(bytes);
  const provider = root.name === 'clientConfig' ? child(root, 'emailProvider') : undefined;
  const refused: ServerRefusal[] = [];
  const imap = firstUsable(provider, 'incomingServer', 'imap', mailbox, refused);
  const smtp = firstUsable(provider, 'outgoingServer', 'smtp', mailbox, refused);
  if (!imap || !smtp) return { found: undefined, refused };
  const displayName = printable(childText(provider, 'displayName'));
  const found: Autoconfig = {
    servers: {
      imap: imap.address,
      smtp: smtp.address,
      ...(imap.userName !== '' && imap.userName !== mailbox.email && { userName: imap.userName }),
    },
    ...(displayName !== '' && { displayName }),
    ...(imap.passwordKind && { passwordKind: imap.passwordKind }),
  };
  return { found, refused };
}

function firstUsable(
  provider: XmlElement | undefined,
  element: string,
  type: string,
  mailbox: Mailbox,
  refused: ServerRefusal[],
): NamedServer | undefined {
  const usable: NamedServer[] = [];
  for (const each of provider?.children ?? []) {
    if (each.name !== element || each.attributes.get('type') !== type) continue;
    const server = readServer(each, mailbox);
    if (typeof server === 'string') refused.push(server);
    else usable.push(server);
  }
  return usable.find(({ address }) => address.security === 'tls') ?? usable[0];
}

function readServer(element: XmlElement, mailbox: Mailbox): NamedServer | ServerRefusal {
  const text = (name: string): string => filled(childText(element, name), mailbox);
  const socket = text('socketType');
  if (!Object.hasOwn(SECURITY, socket)) return 'plain-socket';
  const host = mailHost(text('hostname'));
  if (host === undefined) return 'bad-host';
  const port = /^\d{1,5}$/.test(text('port')) ? Number(text('port')) : 0;
  if (port < 1 || port > 65535) return 'bad-port';
  const userName = text('username');
  if (userName.length > 254 || /\p{Cc}/u.test(userName)) return 'bad-user';
  return { address: { host, port, security: SECURITY[socket]! }, userName, passwordKind: passwordKindOf(element) };
}

/** The first method named that is known: documents name the provider's preference first. */
function passwordKindOf(element: XmlElement): PasswordKind | undefined {
  for (const { name, text } of element.children) {
    const method = text.trim();
    if (name === 'authentication' && Object.hasOwn(AUTHENTICATION, method)) return AUTHENTICATION[method];
  }
  return undefined;
}

function filled(text: string, mailbox: Mailbox): string {
  return text
    .replaceAll('%EMAILADDRESS%', () => mailbox.email)
    .replaceAll('%EMAILLOCALPART%', () => mailbox.local)
    .replaceAll('%EMAILDOMAIN%', () => mailbox.domain);
}

function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, MAX_NAME);
}
