import { ImapFlow, type ImapFlowOptions } from 'imapflow';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Credential } from '../base/ports.ts';
import { clientContext } from '../base/trustRoots.ts';
import { withCredential } from './credentials.ts';
import { MAX_MESSAGE_BYTES, type MailAccess, type TransportTiming } from './mailAccess.ts';
import type { ServerPause } from './serverPause.ts';
import { imapError } from './transportErrors.ts';

/** An authenticated IMAP connection. ImapFlow is imported in this file only. */
export type ImapClient = ImapFlow;

export interface ImapOpening {
  readonly access: MailAccess;
  readonly timing: TransportTiming;
  readonly log: Log;
  /** What the connection is for, in the log. */
  readonly purpose: 'work' | 'watch';
  /** A quiet connection is probed after this long, in milliseconds; a server that owes an answer by then is given up. */
  readonly silenceMs: number;
  /** Refuses to connect while the server wants peace, and learns when it does. */
  readonly pause: ServerPause;
}

/** Codes that explain a BYE (RFC 5530, and THROTTLED of Gmail and Yahoo). */
const BYE_CODES = ['THROTTLED', 'LIMIT', 'UNAVAILABLE', 'INUSE', 'SERVERBUG', 'EXPIRED', 'AUTHENTICATIONFAILED'];
const lastCodes = new WeakMap<ImapClient, string | undefined>();

/**
 * Connects and logs in. Rejects with `auth.wrong-password`, `auth.token-refused`, `net.*` or `imap.rejected`, and when `signal` is
 * aborted leaves no socket behind. The caller closes the client.
 */
export function openImap(opening: ImapOpening, first: 'cached' | 'fresh', signal: AbortSignal): Promise<ImapClient> {
  return withCredential(opening.access.credentials, first, signal, (credential) => connect(opening, credential, signal));
}

async function connect(opening: ImapOpening, credential: Credential, signal: AbortSignal): Promise<ImapClient> {
  throwIfCancelled(signal);
  opening.pause.refuse();
  const { host } = opening.access.servers.imap;
  const client = new ImapFlow(optionsFor(opening, credential));
  client.on('error', (error) => {
    client.context = error;
  });
  listenForCodes(client);
  client.on('alert', ({ message, response }: { message: string; response: string }) =>
    opening.log.warn('alert', { host, response, said: message }),
  );
  const onAbort = (): void => client.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    throwIfCancelled(signal);
    asListed(client);
    opening.log.info('connected', { host, purpose: opening.purpose });
    return client;
  } catch (error) {
    client.close();
    throwIfCancelled(signal);
    const refused = (error as { authenticationFailed?: boolean }).authenticationFailed === true;
    const failure = imapError(refused ? error : (byeOf(client) ?? error), { host, shown: credential.kind });
    opening.pause.note(failure);
    opening.log.warn('connect-failed', { host, purpose: opening.purpose, code: failure.code });
    throw failure;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** ImapFlow writes the personal namespace's prefix before every path without it: those of other namespaces would be others. */
function asListed(client: ImapClient): void {
  if (client.namespace) client.namespace = { ...client.namespace, prefix: '' };
}

/**
 * Why a connection ended, where ImapFlow rejected a command with nothing but that it ended (a timeout, a limit): its error event knows.
 * Returns `error` where there is nothing better.
 */
export function endOf(client: ImapClient, error: unknown): unknown {
  if (client.usable) return error;
  return byeOf(client) ?? (client.context instanceof Error ? client.context : error);
}

/** A BYE that carried a code, in the shape of an ImapFlow error, for imapError to name. */
function byeOf(client: ImapClient): object | undefined {
  const serverResponseCode = lastCodes.get(client);
  if (client.byeReason === undefined || serverResponseCode === undefined) return undefined;
  return { code: 'NoConnection', responseStatus: 'BYE', serverResponseCode, responseText: client.byeReason };
}

/** ImapFlow keeps the text of a BYE but not its code; its handlers of codes see every one. The next tagged answer ends what a code explains. */
function listenForCodes(client: ImapClient): void {
  const { sectionHandlers } = client as unknown as { sectionHandlers: Record<string, () => Promise<void>> };
  for (const code of BYE_CODES) sectionHandlers[code] = async () => void lastCodes.set(client, code);
  client.on('response', () => lastCodes.set(client, undefined));
}

function optionsFor(opening: ImapOpening, credential: Credential): ImapFlowOptions {
  const { servers, authorities } = opening.access;
  const { host, port, security } = servers.imap;
  return {
    host,
    port,
    secure: security === 'tls',
    ...(security === 'starttls' ? { doSTARTTLS: true } : {}),
    tls: { secureContext: contextFor(host, authorities(host)), rejectUnauthorized: true },
    auth:
      credential.kind === 'token'
        ? { user: credential.user, accessToken: credential.accessToken }
        : { user: credential.user, pass: credential.password },
    logger: false, // it would print what it sends
    qresync: true, // where offered: one command then tells of changes and disappearances alike
    disableAutoIdle: true,
    disableCompression: true, // secrets and attackers' text in one compressed stream
    clientInfo: { name: 'QuMail', version: false, vendor: false, 'support-url': false },
    connectionTimeout: opening.timing.connectMs,
    greetingTimeout: opening.timing.connectMs,
    socketTimeout: opening.silenceMs,
    maxLineLength: 64 * 1024 * 1024,
    maxLiteralSize: MAX_MESSAGE_BYTES,
    maxResponseSize: MAX_MESSAGE_BYTES + 64 * 1024 * 1024,
  };
}

/** Trusted roots for a host. A PEM in the person's settings that does not parse is `net.certificate`. */
export function contextFor(host: string, authorityPem: string | undefined): ReturnType<typeof clientContext> {
  try {
    return clientContext(authorityPem);
  } catch (error) {
    throw new QuMailError('net.certificate', { host, reason: 'bad-authority' }, { cause: error });
  }
}
