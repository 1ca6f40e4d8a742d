import { Resolver } from 'node:dns/promises';
import type { MailServers } from '../base/model.ts';
import type { ServerAddress } from '../base/types.ts';
import { mailHost } from './mailHost.ts';

/** One SRV record (RFC 2782). */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The SRV records of a name such as `_imaps._tcp.example.org`; rejects where the name or the network is missing. */
export type ResolveSrv = (name: string, signal: AbortSignal) => Promise<readonly SrvRecord[]>;

/** The system's name servers. `servers` is for a test that brings its own, as `address:port`. */
export function systemSrv(servers?: readonly string[]): ResolveSrv {
  return async (name, signal) => {
    const resolver = new Resolver({ timeout: 3000, tries: 2 });
    if (servers) resolver.setServers([...servers]);
    const onAbort = (): void => resolver.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await resolver.resolveSrv(name);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}

/** Services in order of preference: TLS from the first byte (RFC 8314), then STARTTLS (RFC 6186). */
export const SRV_SERVICES = {
  imap: [
    { service: '_imaps._tcp', security: 'tls' },
    { service: '_imap._tcp', security: 'starttls' },
  ],
  smtp: [
    { service: '_submissions._tcp', security: 'tls' },
    { service: '_submission._tcp', security: 'starttls' },
  ],
} as const satisfies Record<'imap' | 'smtp', readonly { service: string; security: ServerAddress['security'] }[]>;

/**
 * The servers that SRV records name, by the records of each service: lowest priority first, then highest weight (one answer is shown to
 * a person, so it is not drawn by lot as RFC 2782 would). A target of `.` says that the service is not offered here. Undefined where
 * IMAP or SMTP is missing.
 */
export function readSrv(records: ReadonlyMap<string, readonly SrvRecord[]>): MailServers | undefined {
  const imap = best('imap', records);
  const smtp = best('smtp', records);
  return imap && smtp && { imap, smtp };
}

function best(kind: 'imap' | 'smtp', records: ReadonlyMap<string, readonly SrvRecord[]>): ServerAddress | undefined {
  for (const { service, security } of SRV_SERVICES[kind]) {
    const ordered = [...(records.get(service) ?? [])].sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    for (const { name, port } of ordered) {
      const host = mailHost(name);
      if (host !== undefined && Number.isInteger(port) && port >= 1 && port <= 65535) return { host, port, security };
    }
  }
  return undefined;
}
