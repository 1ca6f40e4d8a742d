/**
 * Every failure QuMail can name. Codes are part of the public interface: they are stable, they carry no sentence
 * (src/views/present.ts alone turns a code into words and a next step), and nobody matches on messages.
 */
export const ERROR_CODES = [
  // Signing in and staying signed in.
  'auth.sign-in-again', // the grant is gone (invalid_grant, revoked, refresh token missing): only the person can help
  'auth.refresh-failed', // the token endpoint answered non-200 or nothing; details: status, reason
  'auth.wrong-password',
  'auth.token-refused', // the mail server refused an access token even after one forced refresh
  'auth.state-mismatch',
  'auth.issuer-mismatch',
  'auth.denied', // the person or the provider said no on the consent page; details: reason
  'auth.cancelled',
  'auth.timeout', // nobody came back from the browser
  'auth.client-missing', // no OAuth client id configured for this provider
  'auth.bad-answer', // a token or discovery document that does not fit its schema
  'auth.discovery-failed',
  'auth.command-failed', // the token command; details: reason (timeout, exit, too-large, empty, not-a-token, not-found), status
  'auth.identity-missing', // signed in, but the provider told no e-mail address
  // Network and TLS, any protocol.
  'net.host-unknown',
  'net.refused',
  'net.timeout',
  'net.cut',
  'net.certificate',
  'net.tls-required',
  'net.protocol', // the peer does not speak what it should
  'net.too-large', // an answer above its limit
  // IMAP and SMTP.
  'imap.mailbox-missing',
  'imap.message-missing',
  'imap.message-withheld', // the server lists it and does not hand it out
  'imap.rejected', // NO or BAD; details: response
  'smtp.rejected', // permanent 5xx; details: status, enhanced
  'smtp.deferred', // transient 4xx; details: status, enhanced
  'smtp.recipient-rejected', // details: recipients
  'smtp.too-large',
  'smtp.gave-up', // not taken for days; details: days, reason (the last failure's code), status, enhanced
  'smtp.acceptance-unknown', // the connection died between DATA and its answer
  // Key managers (ETSI GS QKD 014).
  'kme.not-configured',
  'kme.client-key-missing', // known from a backup, or its keyring entry is gone: it is connected again
  'kme.unreachable',
  'kme.timeout',
  'kme.identity', // certificate not for the pinned KME ID, or not from the trusted CA
  'kme.certificate-expired',
  'kme.unauthorised', // 401
  'kme.exhausted', // short of keys; details: wantedBits, gotBits
  'kme.unavailable', // 503, 504, 429
  'kme.bad-request', // other 4xx; details: status, reason
  'kme.bad-answer', // HTML, wrong shape, wrong lengths
  'kme.key-not-found',
  'kme.key-may-be-lost', // not found after an answer that never came
  'kme.too-large', // the request exceeds max_key_size x max_key_per_request
  'kme.simulated', // a lab key manager offered to a real account, or the other way round
  // The ledger.
  'key.reused', // a key that was delivered or consumed before
  'key.not-held',
  'key.betrayed', // a key ID that is derived from its key
  'key.quota-exceeded', // the contact's share of the link is spent for now; details: address, wantedBits, leftBits, retryInMs
  // Pads exchanged in person.
  'pad.malformed', // not a pad file; details: reason (no-pad, header, newer)
  'pad.damaged', // details: reason (cut, longer, altered)
  'pad.bad-randomness', // details: test
  'pad.too-short', // the file of random octets is too short, or the size asked for is; details: wantedOctets, gotOctets
  'pad.wrong-contact', // made by somebody else, or for somebody else; details: expected, found
  'pad.own-file', // the file one made oneself, to be imported by the other
  'pad.already-imported',
  'pad.exhausted', // details: wantedBits, gotBits
  'pad.missing', // sealed with a pad that is not here; details: address
  // Sealing.
  'seal.no-contact', // no contact record for this address
  'seal.no-link', // the contact has no SAE ID, or this account no key manager
  'seal.below-minimum', // details: address, minimum
  'seal.quotes-sealed', // the draft holds something of a sealed message, below whose level it is; details: minimum
  'seal.level-unsupported',
  'seal.pad-too-large', // L1 above its cap; details: limit, size
  'seal.too-many-recipients',
  'seal.no-certificate', // L3 to people whose certificate is not known; details: addresses
  'seal.not-post-quantum', // L3 to people who have a classic certificate only; details: addresses
  'seal.certificate-expired', // L3 to people whose certificate has expired; details: address, expiredAt
  'seal.share-expired', // a warning: L2 goes without its post-quantum share, for the same reason; details: address, expiredAt
  'seal.key-changed', // another certificate or SAE ID than the pinned one has come, undecided; details: address, fingerprint
  // Opening.
  'open.malformed',
  'open.unknown-version',
  'open.unknown-suite',
  'open.unknown-critical', // details: name
  'open.duplicate-member',
  'open.two-payloads',
  'open.limit', // details: what, limit
  'open.truncated',
  'open.part-missing',
  'open.part-mismatch',
  'open.tampered',
  'open.not-for-you',
  'open.sender-unknown',
  'open.reflection',
  'open.replayed',
  'open.headers-differ',
  'open.written-elsewhere', // sealed mail in Sent that another device wrote
  'open.level-unsupported',
  'open.no-secret-key', // an OpenPGP message sealed to none of the own certificates
  'open.subkey-gone', // sealed to an own encryption subkey that was rotated away, and no session key of it is kept
  'open.sender-changed', // signed with a new certificate that the person has not accepted; details: address, fingerprint
  'open.bad-signature', // an L3 message whose signature does not verify
  'open.unknown-signer', // an L3 message signed by another certificate than the sender's, or by none
  // Certificates (OpenPGP).
  'cert.malformed',
  'cert.too-large', // details: what, limit, size
  'cert.expired',
  'cert.revoked', // details: fingerprint
  'cert.weak', // details: algorithm
  'cert.no-encryption', // nothing in it can be sealed to
  'cert.address-mismatch', // details: address
  'cert.bad-binding', // a name or subkey that its owner did not sign
  // Contact cards, trust and discovery.
  'card.malformed', // details: what
  'card.unknown-critical', // details: name
  'card.forged', // not signed by the certificate it names; details: what
  'card.replayed', // older than one that was taken
  'card.other-address', // details: address
  'card.expired',
  'card.no-certificate', // neither came with its certificate nor is that one here
  'card.not-sealed', // a card in ordinary mail counts for nothing
  'trust.rejected', // the person turned this very change down
  'trust.weaker', // an Autocrypt header that contradicts what is pinned
  'trust.no-change', // the change to be resolved is gone, or another one took its place
  'trust.no-certificate', // nothing is known yet of this contact's certificate
  'trust.mismatch', // numbers or QR code differ: one of the two certificates is not the person's; details: whose
  'qr.other-protocol', // a QR code of something else; details: scheme
  'qr.malformed', // details: what
  'qr.other-person', // a QR code of other people; details: address
  'wkd.not-found', // details: domain
  'wkd.refused', // no directory can be asked for this address; details: domain
  // Drafts.
  'draft.no-recipient',
  'draft.bad-address', // details: address
  'draft.bad-header', // details: name
  'draft.bad-level',
  'draft.other-sender', // From is not the account's address; details: address, account
  'draft.file-missing', // details: path
  'draft.file-too-large', // details: path, limit, size
  'draft.too-large', // details: limit, size
  'draft.missing',
  'draft.version-missing', // no such earlier version is kept
  'draft.copy-shut', // another computer wrote a text of it that no key here opens
  // Queries; the details of the first eight have `from` and `to`, UTF-16 columns of the query.
  'search.empty',
  'search.too-long', // details: limit
  'search.too-many-terms', // details: limit
  'search.too-deep', // details: limit
  'search.unknown-operator', // details: name, nearest
  'search.value-missing', // details: name
  'search.bad-value', // details: name, value
  'search.stray', // a sign that stands where it means nothing; details: what
  'search.unclosed-quote',
  'search.unclosed-parenthesis',
  'search.server-cannot', // what a mail server cannot be asked for; details: name
  'search.missing', // no such saved search
  // What a person does with messages, and bringing mail in and out.
  'action.missing', // nothing is known of it any more
  'action.final', // removed for good
  'action.no-folder', // details: role, accountId
  'action.other-account', // messages go to folders of their own account only
  'unsubscribe.none', // the message offers no way that may be taken; details: reason
  'unsubscribe.refused', // details: host, status
  'import.unreadable', // details: path, reason
  'import.no-mail', // details: path
  'export.unwritable', // details: path, reason
  // Store.
  'store.locked',
  'store.full',
  'store.unwritable', // the folder or a file in it cannot be opened or is read-only
  'store.corrupt',
  'store.mail-damaged', // mail.db is; the next start begins another, which the server fills
  'store.newer', // written by a newer QuMail
  'store.secret-missing', // an epoch key or credential is gone from the secret store
  // The vault: passphrase, backup, audit.
  'vault.locked', // a passphrase protects it and has not been given in this window
  'vault.wrong-passphrase',
  'vault.weak-passphrase', // details: minimum (characters)
  'vault.passphrase-needed', // this desktop keeps no secrets: without a passphrase they would be gone
  'backup.phrase-checksum', // the recovery phrase was mistyped; details: index (of an unknown word, from 0), words (their count)
  'backup.wrong-phrase', // a sound phrase, of another backup
  'backup.truncated',
  'backup.newer', // written by a newer QuMail; details: version
  'backup.malformed', // not a backup
  'backup.tampered',
  'file.unreadable', // details: path
  'file.unwritable', // details: path
  // Accounts and the engine itself.
  'account.exists',
  'account.missing',
  'account.bad-settings', // details: field
  'contact.missing',
  'message.missing',
  'attachment.missing',
  // Chats.
  'chat.missing',
  'chat.message-missing',
  'chat.not-member', // left, or removed by somebody
  'chat.not-admin',
  'chat.unreachable', // details: addresses; why each cannot be reached comes from checkChat
  'chat.below-minimum', // details: minimum
  'chat.too-many-members', // details: limit
  'chat.refused', // a change that the group's rules do not allow; details: reason
  'chat.file-too-large', // details: limit, size
  'chat.unsigned', // came without its author's signature
  'chat.headers-differ', // says something else inside than outside
  'chat.malformed',
  'lab.only', // asked of the wrong world
  'page.empty', // VS Code does not load the page of a panel
  'engine.cancelled',
  'engine.stopped',
  'engine.bad-request',
  'engine.internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What may accompany a code: short facts for the sentence, never secrets, never key bytes, never message text. */
export type ErrorDetails = Readonly<Record<string, string | number | readonly string[]>>;

/** The one error type that crosses a room's door. */
export class QuMailError extends Error {
  override readonly name = 'QuMailError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(code, options);
    this.code = code;
    this.details = details;
  }

  /** True when `error` is a QuMailError, of this code if one is given. */
  static is(error: unknown, code?: ErrorCode): error is QuMailError {
    return error instanceof QuMailError && (code === undefined || error.code === code);
  }

  /** Any thrown value as a QuMailError; what is not one already becomes `fallback` with the original as its cause. */
  static from(error: unknown, fallback: ErrorCode = 'engine.internal', details: ErrorDetails = {}): QuMailError {
    if (error instanceof QuMailError) return error;
    if (error instanceof Error && error.name === 'AbortError') return new QuMailError('engine.cancelled', {}, { cause: error });
    return new QuMailError(fallback, details, { cause: error });
  }
}

/** Failures of a sign-in that may pass by themselves: the provider's, the network's, or a program's that could not get at its store. */
const PASSING_AUTH: ReadonlySet<ErrorCode> = new Set([
  'auth.refresh-failed',
  'auth.bad-answer',
  'auth.discovery-failed',
  'auth.command-failed',
]);

/** Whether an account that failed with this code waits for the person, and trying again would earn nothing. */
export function needsPerson(code: ErrorCode): boolean {
  return code.startsWith('auth.') && !PASSING_AUTH.has(code);
}

/** Throws `engine.cancelled` once `signal` has been aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new QuMailError('engine.cancelled');
}
