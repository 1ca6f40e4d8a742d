import { domainToASCII } from 'node:url';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { DiscoveredServers } from '../base/model.ts';
import type { Clock, HttpFetch } from '../base/ports.ts';
import type { ServerAddress } from '../base/types.ts';
import { readAutoconfig, type Mailbox } from './autoconfig.ts';
import { mailHost } from './mailHost.ts';
import type { MailProtocol, ProbeServer } from './probeServer.ts';
import { readSrv, SRV_SERVICES, type ResolveSrv, type SrvRecord } from './srvRecords.ts';
import { MAX_XML_BYTES } from './xml.ts';

export interface DiscoveryDeps {
  readonly fetch: HttpFetch;
  readonly resolveSrv: ResolveSrv;
  readonly probe: ProbeServer;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything together, in milliseconds. */
const TOTAL_MS = 10_000;
/** Once one source has answered, the others get this much longer. */
const GRACE_MS = 3000;
const MAX_REDIRECTS = 3;
const CENTRAL = 'https://autoconfig.thunderbird.net/v1.1';
const RANK: readonly DiscoveredServers['source'][] = ['autoconfig', 'central', 'srv', 'well-known'];

/** Names that mail hosts commonly have under a domain, most specific first (F4). */
const WELL_KNOWN: Readonly<Record<MailProtocol, readonly (readonly [string, number, ServerAddress['security']])[]>> = {
  imap: [
    ['imap', 993, 'tls'],
    ['mail', 993, 'tls'],
  ],
  smtp: [
    ['smtp', 465, 'tls'],
    ['mail', 465, 'tls'],
    ['smtp', 587, 'starttls'],
    ['mail', 587, 'starttls'],
  ],
};

/**
 * Finds the servers of a mail address: the provider's own Thunderbird autoconfig, Thunderbird's central database, RFC 6186 and RFC 8314
 * SRV records, then well-known names that answer with a certificate of their own. All are asked at once, within ten seconds. Nothing
 * that is found is used before the person has seen it; every result is TLS or STARTTLS at a host with a name.
 *
 * The whole address goes to the provider's own hosts only; the central database learns the domain.
 */
export class ServerDiscovery {
  readonly #deps: DiscoveryDeps;

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
  }

  /**
   * Best first, each set of servers once. Empty when nothing was found, offline too. Rejects with `account.bad-settings` for what is no
   * address under a domain name, and with `engine.cancelled`.
   */
  async discoverServers(
    request: { readonly email: string },
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly DiscoveredServers[]> {
    const mailbox = mailboxOf(request.email);
    if (!mailbox) throw new QuMailError('account.bad-settings', { field: 'email' });
    const end = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, end.signal]) : end.signal;
    const found: DiscoveredServers[] = [];
    const over = Promise.withResolvers<void>();
    let timer = this.#deps.clock.after(TOTAL_MS, over.resolve);
    const began = this.#deps.clock.now();
    const note = (results: readonly DiscoveredServers[]): void => {
      if (results.length === 0 || end.signal.aborted) return;
      found.push(...results);
      timer.dispose();
      const left = TOTAL_MS - (this.#deps.clock.now() - began);
      timer = this.#deps.clock.after(Math.max(0, Math.min(GRACE_MS, left)), over.resolve);
    };
    const sources = [
      this.#autoconfig(mailbox, signal),
      this.#central(mailbox, signal),
      this.#srv(mailbox, signal),
      this.#wellKnown(mailbox, signal),
    ];
    options.signal?.addEventListener('abort', () => over.resolve(), { once: true });
    try {
      await Promise.race([over.promise, Promise.all(sources.map((source) => source.then(note, () => {})))]);
    } finally {
      timer.dispose();
      end.abort();
    }
    if (options.signal?.aborted) throw new QuMailError('engine.cancelled');
    return ranked(found);
  }

  async #autoconfig(mailbox: Mailbox, signal: AbortSignal): Promise<DiscoveredServers[]> {
    const { domain, email } = mailbox;
    const urls = [
      `https://autoconfig.${domain}/mail/config-v1.1.xml?emailaddress=${encodeURIComponent(email)}`,
      `https://${domain}/.well-known/autoconfig/mail/config-v1.1.xml`,
    ];
    return (await Promise.all(urls.map((url) => this.#document('autoconfig', url, mailbox, signal)))).flat();
  }

  #central(mailbox: Mailbox, signal: AbortSignal): Promise<DiscoveredServers[]> {
    return this.#document('central', `${CENTRAL}/${mailbox.domain}`, mailbox, signal);
  }

  async #document(source: 'autoconfig' | 'central', url: string, mailbox: Mailbox, signal: AbortSignal): Promise<DiscoveredServers[]> {
    try {
      const body = await this.#get(url, signal);
      if (!body) return [];
      const { found, refused } = readAutoconfig(body, mailbox);
      if (refused.length > 0) this.#deps.log.warn('discovery-refused', { source, reasons: [...new Set(refused)].join(' ') });
      return found ? [{ source, ...found }] : [];
    } catch (error) {
      const { code, details } = QuMailError.from(error);
      const reason = typeof details['reason'] === 'string' ? details['reason'] : undefined;
      // A host that is not there is how most domains say that they have none.
      if (!signal.aborted && code !== 'net.host-unknown') this.#deps.log.info('discovery-failed', { source, code, reason });
      return [];
    }
  }

  /** The body of a 200, following a few redirects to https under host names; undefined for any other status. */
  async #get(url: string, signal: AbortSignal): Promise<Buffer | undefined> {
    let next = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await this.#deps.fetch({ method: 'GET', url: next, timeoutMs: TOTAL_MS, maxBytes: MAX_XML_BYTES, signal });
      if (answer.status === 200) return answer.body;
      const location = answer.headers['location'];
      if (answer.status < 300 || answer.status >= 400 || location === undefined) return undefined;
      next = redirectTarget(location, next);
    }
    throw new QuMailError('net.protocol', { reason: 'redirects' });
  }

  async #srv({ domain }: Mailbox, signal: AbortSignal): Promise<DiscoveredServers[]> {
    const services = [...SRV_SERVICES.imap, ...SRV_SERVICES.smtp].map(({ service }) => service);
    const entries = services.map(async (service): Promise<[string, readonly SrvRecord[]]> => {
      return [service, await this.#deps.resolveSrv(`${service}.${domain}`, signal).catch(() => [])];
    });
    const servers = readSrv(new Map(await Promise.all(entries)));
    return servers ? [{ source: 'srv', servers }] : [];
  }

  async #wellKnown({ domain }: Mailbox, signal: AbortSignal): Promise<DiscoveredServers[]> {
    const [imap, smtp] = await Promise.all([this.#firstAnswering('imap', domain, signal), this.#firstAnswering('smtp', domain, signal)]);
    return imap && smtp ? [{ source: 'well-known', servers: { imap, smtp } }] : [];
  }

  /** The first in order that answers; known as soon as those before it have failed. */
  async #firstAnswering(protocol: MailProtocol, domain: string, signal: AbortSignal): Promise<ServerAddress | undefined> {
    const candidates = WELL_KNOWN[protocol].map(([name, port, security]): [ServerAddress, Promise<boolean>] => {
      const server: ServerAddress = { host: `${name}.${domain}`, port, security };
      return [server, this.#deps.probe(protocol, server, signal)];
    });
    for (const [server, answering] of candidates) if (await answering) return server;
    return undefined;
  }
}

/** Best source first; the same servers are listed once, under their best source. */
function ranked(found: readonly DiscoveredServers[]): readonly DiscoveredServers[] {
  const seen = new Set<string>();
  return [...found]
    .sort((a, b) => RANK.indexOf(a.source) - RANK.indexOf(b.source))
    .filter(({ servers: { imap, smtp, userName } }) => {
      const key = JSON.stringify([imap.host, imap.port, imap.security, smtp.host, smtp.port, smtp.security, userName ?? '']);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

function mailboxOf(email: string): Mailbox | undefined {
  const spec = email.trim().normalize('NFC');
  const at = spec.lastIndexOf('@');
  const local = spec.slice(0, at);
  if (at < 1 || spec.length > 254 || /[\p{C}\p{Z}]/u.test(spec)) return undefined;
  const domain = mailHost(domainToASCII(spec.slice(at + 1)));
  return domain === undefined ? undefined : { email: `${local}@${domain}`, local, domain };
}

/** Where a redirect leads, if one may follow: https, the usual port, a host with a name. */
function redirectTarget(location: string, from: string): string {
  const url = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (!url) throw new QuMailError('net.protocol', { reason: 'redirect' });
  if (url.protocol !== 'https:') throw new QuMailError('net.tls-required', { host: url.hostname });
  if (mailHost(url.hostname) === undefined || url.port !== '' || url.username !== '' || url.password !== '')
    throw new QuMailError('net.protocol', { reason: 'redirect' });
  return url.href;
}
