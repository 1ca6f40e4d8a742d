/** The plain data of the API, structured-cloneable throughout. Views see it through api.ts; the engine's rooms use it as it is. */
import type { ErrorCode, ErrorDetails } from './errors.ts';
import type { KmeProfileName, MessageBudget } from './keys.ts';
import type { OpeningStep, SignatureFact } from './protection.ts';
import type { ContactCertificate, KeyChange } from './trust.ts';
import type { Address, MailFlag, ProviderId, SecurityLevel, ServerAddress, SpecialUse } from './types.ts';

/** A named failure as data, where it is part of a result rather than thrown. */
export interface Failure {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
}

// ---- accounts -------------------------------------------------------------------------------------------------

export type AccountState = 'connecting' | 'online' | 'offline' | 'needs-sign-in';

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly provider: ProviderId;
  readonly userId: string;
  /** The own SAE ID, once a key manager is connected. */
  readonly saeId?: string;
  readonly createdAt: number;
  readonly lastLogin: number;
  readonly state: AccountState;
  /** Why the account is not online. */
  readonly failure?: Failure;
  /** True for lab accounts: everything about them is SIMULATED. */
  readonly simulated: boolean;
}

export interface MailServers {
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress;
  /** Log-in name where it is not the address. */
  readonly userName?: string;
}

/** Servers found for an address, to be shown before they are used. */
export interface DiscoveredServers {
  /** The provider's own autoconfig, Thunderbird's central database, DNS SRV records, or names that answered. */
  readonly source: 'autoconfig' | 'central' | 'srv' | 'well-known';
  readonly servers: MailServers;
  /** What the provider calls itself. */
  readonly displayName?: string;
  /** The way of signing in that the provider prefers, where it says so. */
  readonly passwordKind?: 'password' | 'oauth2';
}

export type AddAccountRequest =
  | {
      readonly provider: 'qumail_native';
      readonly email: string;
      readonly displayName: string;
      readonly password: string;
      readonly servers: MailServers;
    }
  /** `loginHint`: the address to suggest on the provider's page; whoever signs in there decides. */
  | { readonly provider: 'google' | 'yahoo'; readonly loginHint?: string }
  /** Through the editor's own Microsoft sign-in. */
  | { readonly provider: 'outlook' }
  | {
      readonly provider: 'token_command';
      readonly email: string;
      readonly displayName: string;
      /** A program (absolute path, or a name on the PATH) that prints an access token, and its arguments. Run without a shell. */
      readonly command: readonly string[];
      readonly servers: MailServers;
    }
  | { readonly provider: 'oidc'; readonly issuer: string; readonly clientId: string; readonly servers: MailServers };

export interface AccessToken {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

// ---- folders and messages -------------------------------------------------------------------------------------

export interface Folder {
  readonly accountId: string;
  /** The full IMAP path; with `accountId` the identity of a folder. */
  readonly path: string;
  readonly name: string;
  readonly specialUse?: SpecialUse;
  readonly unread: number;
  readonly total: number;
  /** False for a \Noselect node. */
  readonly selectable: boolean;
}

/** How a message is protected, told from its container alone: `sealed` says one was found, not that it was verified. */
export type SealState = 'plain' | 'opened' | 'unopened' | 'failed';

export interface MessageSummary {
  readonly id: number;
  readonly accountId: string;
  readonly folder: string;
  readonly from: Address;
  readonly to: readonly Address[];
  readonly subject: string;
  /** Milliseconds since the epoch, from the inner header where the message was opened. */
  readonly date: number;
  /** Octets on the server. */
  readonly size: number;
  readonly flags: readonly MailFlag[];
  readonly hasAttachments: boolean;
  readonly preview: string;
  readonly level: SecurityLevel;
  readonly seal: SealState;
  readonly failure?: Failure;
}

export interface MessagePage {
  readonly messages: readonly MessageSummary[];
  /** Pass as `before` to get the next page; undefined when this is the last one. */
  readonly next?: number;
}

export interface Attachment {
  /** Position in the message, stable. */
  readonly index: number;
  readonly name: string;
  readonly mimeType: string;
  /** Octets after decoding. */
  readonly size: number;
}

/** What the banner says: facts, no sentences. */
export interface SecurityReport {
  readonly level: SecurityLevel;
  readonly seal: SealState;
  readonly suite?: string;
  readonly senderSaeId?: string;
  readonly keyManager?: string;
  /** Key IDs used, never keys. */
  readonly keyIds: readonly string[];
  readonly sealedAt?: string;
  /** True where reading it takes breaking ML-KEM-768+X25519, whatever else. Absent where no OpenPGP is involved. */
  readonly postQuantum?: boolean;
  /** Of OpenPGP mail, encrypted or only signed. */
  readonly signature?: SignatureFact;
  /** Why it was not opened or verified. */
  readonly failure?: Failure;
  /** Beside `failure`: what helps. */
  readonly nextStep?: OpeningStep;
  readonly simulated: boolean;
}

export interface Message {
  readonly summary: MessageSummary;
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  /** RFC 5322 Message-ID with angle brackets, '' where the message has none. */
  readonly rfcMessageId: string;
  readonly text: string;
  /** Unsanitised HTML as it came: show it only through DOMPurify in a sandboxed frame. */
  readonly html?: string;
  readonly attachments: readonly Attachment[];
  readonly security: SecurityReport;
}

// ---- writing --------------------------------------------------------------------------------------------------

export type DraftSource =
  | {
      readonly kind: 'new';
      readonly to?: readonly string[];
      readonly subject?: string;
      readonly body?: string;
      readonly attach?: readonly string[];
    }
  | { readonly kind: 'reply' | 'reply-all' | 'forward'; readonly messageId: number };

export interface Draft {
  readonly id: string;
  readonly accountId: string;
  /** The whole document: header lines, a blank line, the Markdown body. */
  readonly text: string;
  readonly updatedAt: number;
  readonly subject: string;
  /** The draft of which this is what another computer made at the same time: a conflicting copy. */
  readonly conflictOf?: string;
}

export interface DraftProblem {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly severity: 'error' | 'warning' | 'info';
  /** Zero-based line and UTF-16 columns, end exclusive. */
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

export interface DraftCheck {
  readonly problems: readonly DraftProblem[];
  readonly level: SecurityLevel;
  /** Levels that every recipient named so far can receive. */
  readonly possible: readonly SecurityLevel[];
  /** Octets of key the message needs as written; 0 where it needs none. */
  readonly keyCost: number;
  /** Beside a cost: what each recipient's keys take, and whether they are there, by what was told last. */
  readonly budget?: MessageBudget;
  /** `Security: PGP`, encryption with the recipients' OpenPGP certificates at L4: chosen, or possible for all of them. */
  readonly openPgp?: 'chosen' | 'possible';
}

// ---- contacts and keys ----------------------------------------------------------------------------------------

export interface Contact {
  readonly accountId: string;
  readonly address: string;
  readonly name: string;
  /** The contact's SAE ID; with a connected key manager this is what makes a QKD link. */
  readonly saeId?: string;
  readonly minimumLevel: SecurityLevel;
  /** Best level a new message to this contact starts at. */
  readonly startLevel: SecurityLevel;
  readonly certificate?: ContactCertificate;
  /** Something contradicts what is pinned: `resolveKeyChange` decides. */
  readonly keyChange?: KeyChange;
}

export interface ConnectKeyManagerRequest {
  readonly accountId: string;
  /** https://host:port, without the /api/v1 path. */
  readonly url: string;
  /** The KME ID that the server's certificate must carry. */
  readonly kmeId: string;
  /** The own SAE ID. */
  readonly saeId: string;
  /** PEM of the CA that signed the key manager's certificate. */
  readonly caPem: string;
  /** How it wants to be asked; default `etsi`. */
  readonly profile?: KmeProfileName;
  readonly client:
    | { readonly kind: 'pem'; readonly certPem: string; readonly keyPem: string; readonly passphrase?: string }
    | { readonly kind: 'pkcs12'; readonly pfxBase64: string; readonly passphrase: string };
}

export interface KeyManager {
  readonly accountId: string;
  readonly url: string;
  readonly kmeId: string;
  readonly saeId: string;
  readonly state: 'unknown' | 'connected' | 'failed';
  readonly failure?: Failure;
  readonly simulated: boolean;
  /** How it wants to be asked; `etsi` unless chosen otherwise. */
  readonly profile: KmeProfileName;
  /** Others that serve the same SAE, asked where this one cannot help. */
  readonly standbys: readonly { readonly url: string; readonly kmeId: string }[];
}

/** ETSI GS QKD 014 status of one link, sizes in bits; counts are advisory. */
export interface KeyLink {
  readonly peerSaeId: string;
  readonly peerAddress: string;
  readonly keySize?: number;
  readonly storedKeyCount?: number;
  readonly maxKeyCount?: number;
  readonly maxKeySize?: number;
  readonly maxKeysPerRequest?: number;
  readonly maxSaeIdCount?: number;
  readonly failure?: Failure;
}

export interface KeyManagerStatus {
  readonly keyManager: KeyManager;
  readonly links: readonly KeyLink[];
}
