import type { ServerAddress } from '../../core/api.ts';
import { domainOf, knownProvider } from './mailDomains.ts';

/** What a person wrote for a server; `security` is undefined where the port does not tell. */
export interface ServerText {
  readonly host: string;
  readonly port: number;
  readonly security: ServerAddress['security'] | undefined;
}

const DEFAULT_PORT = { imap: 993, smtp: 465 } as const;
/** RFC 8314: implicit TLS on 993 and 465; RFC 3501 and RFC 6409: STARTTLS on 143 and 587. */
const SECURITY_OF_PORT: Readonly<Record<number, ServerAddress['security']>> = {
  993: 'tls',
  465: 'tls',
  143: 'starttls',
  587: 'starttls',
  25: 'starttls',
};

/** Reads `host`, `host:port` or `[IPv6]:port`; undefined where it is none of these. */
export function parseServer(text: string, protocol: 'imap' | 'smtp'): ServerText | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || host.length > 253) return undefined;
  const port = match?.[3] === undefined ? DEFAULT_PORT[protocol] : Number(match[3]);
  if (port < 1 || port > 65_535) return undefined;
  return { host: host.toLowerCase(), port, security: SECURITY_OF_PORT[port] };
}

/** The whole address: the port decides how it is encrypted where it can, else the person's `choice` does. */
export function serverAddress(text: string, protocol: 'imap' | 'smtp', choice: string | undefined): ServerAddress | undefined {
  const server = parseServer(text, protocol);
  if (!server) return undefined;
  return { host: server.host, port: server.port, security: server.security ?? (choice === 'starttls' ? 'starttls' : 'tls') };
}

/** Where the mail of `email` probably lives. */
export function suggestServer(email: string, protocol: 'imap' | 'smtp'): string {
  const domain = domainOf(email);
  if (domain === '') return '';
  return knownProvider(email)?.[protocol] ?? `${protocol}.${domain}:${DEFAULT_PORT[protocol]}`;
}

/** A server as people write it: `host:port`, an IPv6 address in brackets. */
export function serverText({ host, port }: Pick<ServerAddress, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
