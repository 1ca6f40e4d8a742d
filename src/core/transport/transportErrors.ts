import { QuMailError, type ErrorCode, type ErrorDetails } from '../base/errors.ts';
import { netErrorCode } from '../base/netErrors.ts';
import type { Credential } from '../base/ports.ts';

/** Where a failure happened, for the details of the error. */
export interface FailurePlace {
  readonly host: string;
  /** What the server was shown, where it may have refused just that. */
  readonly shown?: Credential['kind'];
}

/** What ImapFlow puts on its errors, as far as it is used here; all of it may be missing. */
interface ImapFailure {
  readonly code?: string;
  readonly responseStatus?: string;
  readonly serverResponseCode?: string;
  /** The answer as it was parsed, where ImapFlow read no code from it: that of a FETCH. */
  readonly response?: unknown;
  readonly responseText?: string;
  readonly authenticationFailed?: boolean;
  readonly mailboxMissing?: boolean;
  readonly tlsFailed?: boolean;
  readonly reason?: string;
  /** Milliseconds, where ImapFlow read them from a throttling answer. */
  readonly throttleReset?: number;
}

const IMAP_CODES: Readonly<Record<string, ErrorCode>> = {
  NoConnection: 'net.cut',
  EConnectionClosed: 'net.cut',
  StateLogout: 'net.cut',
  ClosedAfterConnectText: 'net.cut',
  ClosedAfterConnectTLS: 'net.cut',
  CONNECT_TIMEOUT: 'net.timeout',
  GREETING_TIMEOUT: 'net.timeout',
  UPGRADE_TIMEOUT: 'net.timeout',
  ETIMEOUT: 'net.timeout',
  LineTooLarge: 'net.too-large',
  LiteralTooLarge: 'net.too-large',
  ResponseTooLarge: 'net.too-large',
  TooManyTokens: 'net.too-large',
  TooManyResponses: 'net.too-large',
  STARTTLS_INJECTION: 'net.tls-required',
  NotFound: 'imap.mailbox-missing',
};

/** Response codes of a log-in that say nothing about the credentials (RFC 5530), or come with a text for the person (ALERT). */
const LOGIN_TROUBLE = new Set(['UNAVAILABLE', 'THROTTLED', 'SERVERBUG', 'LIMIT', 'INUSE', 'CONTACTADMIN', 'ALERT', 'WEBALERT']);
/** Response codes of any other command that mean the session's token is no longer good (RFC 5530). */
const SESSION_REFUSED = new Set(['AUTHENTICATIONFAILED', 'EXPIRED']);
/** Response codes that ask for peace (RFC 5530; THROTTLED is Gmail's and Yahoo's), and for how long at least, in milliseconds. */
const PAUSES: Readonly<Record<string, number>> = {
  THROTTLED: 60_000,
  LIMIT: 60_000,
  UNAVAILABLE: 15_000,
  INUSE: 15_000,
  SERVERBUG: 15_000,
};
/** Response codes with which a command is refused for other reasons than the messages it names (RFC 5530). */
const NOT_OF_MESSAGES = new Set([
  ...['UNAVAILABLE', 'INUSE', 'LIMIT', 'THROTTLED', 'OVERQUOTA', 'NOPERM', 'CONTACTADMIN', 'PRIVACYREQUIRED'],
  ...['AUTHENTICATIONFAILED', 'AUTHORIZATIONFAILED', 'EXPIRED', 'NONEXISTENT'],
]);
/** No server's wish is followed for longer than this. */
const MAX_PAUSE_MS = 3_600_000;
const MAILBOX_MISSING = new Set(['NONEXISTENT', 'TRYCREATE']);
const MAX_RESPONSE = 200;

/** An ImapFlow or socket failure under its code; what is unknown becomes `net.protocol`. */
export function imapError(error: unknown, place: FailurePlace): QuMailError {
  if (error instanceof QuMailError) return error;
  const failure = (typeof error === 'object' && error !== null ? error : {}) as ImapFailure;
  const details = { protocol: 'imap', host: place.host, ...reasonOf(failure) };
  const named = (code: ErrorCode, more: ErrorDetails = {}): QuMailError => new QuMailError(code, { ...details, ...more }, { cause: error });

  const status = failure.responseStatus;
  const code = responseCodeOf(failure);
  const refused = status === 'NO' || status === 'BAD' || (status === 'BYE' && code !== '');
  const pause = refused ? pauseOf(failure, code) : {};
  const response = refused ? { response: responseOf(failure), ...pause } : {};
  if (code === 'PRIVACYREQUIRED') return named('net.tls-required');
  if (failure.authenticationFailed && refused) {
    if (LOGIN_TROUBLE.has(code)) return named('imap.rejected', response);
    return named(place.shown === 'token' ? 'auth.token-refused' : 'auth.wrong-password');
  }
  if (refused && place.shown === 'token' && SESSION_REFUSED.has(code)) return named('auth.token-refused');
  if (failure.mailboxMissing || (refused && MAILBOX_MISSING.has(code))) return named('imap.mailbox-missing');
  if (pause.retryAfterMs !== undefined) return named('imap.rejected', response);
  const own = failure.code !== undefined && Object.hasOwn(IMAP_CODES, failure.code) ? IMAP_CODES[failure.code] : undefined;
  const net = own ?? netErrorCode(error);
  if (net) return named(net);
  if (failure.tlsFailed) return named('net.tls-required');
  if (refused) return named('imap.rejected', response);
  return named('net.protocol');
}

function pauseOf(failure: ImapFailure, code: string): { readonly retryAfterMs?: number } {
  const told = failure.throttleReset ?? (Object.hasOwn(PAUSES, code) ? PAUSES[code] : undefined);
  return told === undefined || !(told > 0) ? {} : { retryAfterMs: Math.min(told, MAX_PAUSE_MS) };
}

/** True when a server refused the command as such: the connection is still good. */
export function isImapRefusal(error: QuMailError): boolean {
  return error.code === 'imap.rejected' || error.code === 'imap.mailbox-missing' || error.code === 'imap.message-missing';
}

/** True where a FETCH was refused, as far as the server says because of the messages it asks for: of others it may hand out all. */
export function isRefusalOfMessages(error: unknown): boolean {
  const failure = (typeof error === 'object' && error !== null ? error : {}) as ImapFailure;
  if ((failure.responseStatus !== 'NO' && failure.responseStatus !== 'BAD') || failure.throttleReset !== undefined) return false;
  return !NOT_OF_MESSAGES.has(responseCodeOf(failure));
}

/** In capitals; '' where there is none. */
function responseCodeOf({ serverResponseCode, response }: ImapFailure): string {
  const { attributes } = (typeof response === 'object' && response !== null ? response : {}) as {
    attributes?: readonly ({ section?: readonly ({ value?: unknown } | null)[] } | null)[];
  };
  const code = serverResponseCode ?? attributes?.[0]?.section?.[0]?.value;
  return typeof code === 'string' ? code.trim().toUpperCase() : '';
}

function responseOf(failure: ImapFailure): string {
  const code = responseCodeOf(failure);
  return printable(`${failure.responseStatus}${code && ` [${code}]`} ${failure.responseText ?? ''}`);
}

function reasonOf(failure: ImapFailure): ErrorDetails {
  return typeof failure.reason === 'string' ? { reason: printable(failure.reason) } : {};
}

/** How far an SMTP transaction got: with `sent`, the last octet of the message is on its way and only the server knows. */
export type SmtpStage = 'envelope' | 'data' | 'sent';

/** What Nodemailer puts on its errors, as far as it is used here. */
interface SmtpFailure {
  readonly code?: string;
  readonly originalCode?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly command?: string;
  readonly rejected?: readonly string[];
}

/** A Nodemailer or socket failure under its code. */
export function smtpError(error: unknown, place: FailurePlace & { readonly stage: SmtpStage }): QuMailError {
  if (error instanceof QuMailError) return error;
  const failure = (typeof error === 'object' && error !== null ? error : {}) as SmtpFailure;
  const named = (code: ErrorCode, more: ErrorDetails = {}): QuMailError =>
    new QuMailError(code, { protocol: 'smtp', host: place.host, ...more }, { cause: error });

  if (failure.responseCode !== undefined && failure.responseCode >= 400) return named(...repliedWith(failure, place.shown));
  if (place.stage === 'sent') return named('smtp.acceptance-unknown');
  if (failure.code === 'EMESSAGE') return named('smtp.too-large'); // above the SIZE that EHLO announced; nothing was sent
  const net = netErrorCode({ code: failure.originalCode, cause: error });
  if (net) return named(net);
  if (failure.code === 'ETIMEDOUT') return named('net.timeout');
  if (failure.code === 'EDNS') return named('net.host-unknown');
  if (failure.code === 'EENVELOPE') return named('smtp.recipient-rejected');
  if (failure.code === 'ECONNECTION' || failure.code === 'ESOCKET') return named('net.cut');
  return named('net.protocol');
}

/** The server answered with 4xx or 5xx: what that means depends on the command. */
function repliedWith(failure: SmtpFailure, shown: Credential['kind'] | undefined): [ErrorCode, ErrorDetails] {
  const status = failure.responseCode ?? 0;
  const enhanced = enhancedStatus(failure.response);
  const details = { status, enhanced };
  const transient = status < 500;
  if (failure.command === 'STARTTLS' || failure.code === 'ETLS') return ['net.tls-required', details];
  const refusesUser = failure.code === 'EAUTH' || status === 530 || status === 535;
  if (refusesUser && !transient) return [shown === 'token' ? 'auth.token-refused' : 'auth.wrong-password', details];
  if (status === 552 ? enhanced !== '5.2.2' : enhanced === '5.3.4') return ['smtp.too-large', details];
  if (transient) return ['smtp.deferred', { ...details, ...recipientsOf(failure) }];
  if (failure.rejected) return ['smtp.recipient-rejected', { ...details, ...recipientsOf(failure) }];
  return ['smtp.rejected', details];
}

function recipientsOf(failure: SmtpFailure): ErrorDetails {
  return failure.rejected ? { recipients: [...failure.rejected] } : {};
}

/** The enhanced status code of a reply (RFC 3463), '' where it has none. */
export function enhancedStatus(response: string | undefined): string {
  return /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1] ?? '';
}

function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, MAX_RESPONSE);
}
