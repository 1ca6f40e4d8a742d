/**
 * OpenPGP as QuMail uses it (RFC 9580, post-quantum algorithms RFC 9980). All bytes are binary packets; armor exists for files and
 * PGP/MIME alone. Times are milliseconds since the Unix epoch. Failures are QuMailErrors with the codes named at each function.
 */
export interface PgpEngine {
  /**
   * A new certificate: version 6, ML-DSA-65+Ed25519 primary key (algorithm 30), ML-KEM-768+X25519 encryption subkey (35), one user ID
   * per address, AES-256 and GCM preferred. `certificate` is about 15 KB.
   * @returns `secretKey` is an unprotected transferable secret key: the caller seals it at once and wipes it
   */
  generate(options: GenerateOptions): Promise<GeneratedCertificate>;

  /**
   * Adds a fresh encryption subkey and erases the secret part of subkeys created before `dropBefore`: mail sealed to them is opened by its
   * stored session key alone from then on (`open.subkey-gone` otherwise). The certificate shows the new subkey only, which others may
   * seal to for 55 days; the fingerprint stays. @throws QuMailError `cert.malformed`
   */
  rotateSubkey(options: RotateOptions): Promise<GeneratedCertificate>;

  /**
   * Checks a foreign certificate before anything is done with it.
   * @throws QuMailError `cert.too-large` (before parsing; details: limit, size), `cert.malformed`, `cert.bad-binding`, `cert.expired`,
   *   `cert.revoked`, `cert.weak` (details: algorithm), `cert.no-encryption`, `cert.address-mismatch` (details: address)
   */
  inspect(certificate: Uint8Array, options: InspectOptions): Promise<CertificateFacts>;

  /**
   * Encrypts, signed inside when `signWith` is given. `pq`: SEIPDv2 with AES-256-GCM and only to certificates with algorithm 35, else
   * `cert.weak`; `classic`: whatever the certificates can read (people without QuMail), AES-256 where they say so, else AES-128. Put one's own certificate
   * among `certificates` to read one's own mail again. The caller wipes `sessionKey` after sealing it.
   * @throws QuMailError `cert.*` as `inspect`, `engine.bad-request` (no certificate; a secret key that cannot sign)
   */
  seal(options: PgpSealOptions): Promise<PgpSealed>;

  /**
   * Decrypts and verifies. The whole message is authenticated before any of it is handed out. A signature that is `invalid` or of an
   * `unknown-signer` is reported, not thrown: the caller decides (an L3 message must be `valid`).
   * @throws QuMailError `open.malformed`, `open.tampered`, `open.limit` (details: what, limit), `open.no-secret-key` (sealed to none of the
   *   certificates of `secretKeys`), `open.subkey-gone` (sealed to an own certificate's subkey that was rotated away)
   */
  open(options: PgpOpenOptions): Promise<OpenedPgp>;

  /**
   * A detached signature over `data` exactly as it is, binary; for PGP/MIME (RFC 3156) give canonical CRLF lines and write
   * `micalg=pgp-sha512`. @throws QuMailError `cert.malformed`
   */
  sign(options: PgpSignOptions): Promise<Buffer>;

  /** Verifies a detached signature; never throws for a signature that is merely wrong. @throws QuMailError `open.malformed`, `open.limit` */
  verify(options: PgpVerifyOptions): Promise<SignatureResult>;

  /** ASCII armor (RFC 9580 section 6), CRLF line ends; with a checksum exactly where the packets are old enough to be allowed one. */
  armor(kind: ArmorKind, bytes: Uint8Array): Promise<string>;

  /** The bytes of the first armored block. @throws QuMailError `open.malformed`, `open.limit` */
  dearmor(text: string): Promise<{ readonly kind: ArmorKind; readonly bytes: Buffer }>;
}

export type ArmorKind = 'message' | 'certificate' | 'secret-key' | 'signature';

export interface GenerateOptions {
  readonly addresses: readonly string[];
  readonly name: string;
  readonly now: number;
}

export interface GeneratedCertificate {
  readonly certificate: Buffer;
  readonly secretKey: Buffer;
  /** Upper-case hex, 64 characters. Rotation does not change it. */
  readonly fingerprint: string;
}

export interface RotateOptions {
  readonly secretKey: Buffer;
  readonly now: number;
  /** Subkeys created before this moment go. */
  readonly dropBefore: number;
}

export interface InspectOptions {
  readonly now: number;
  /** The mailbox that the certificate has to name. */
  readonly address?: string;
}

export interface CertificateFacts {
  /** Upper-case hex; 64 characters for version 6, 40 for version 4. */
  readonly fingerprint: string;
  readonly version: 4 | 6;
  /** Addresses of valid, unrevoked user IDs: NFC, lower-case domain; the primary one first. */
  readonly addresses: readonly string[];
  readonly createdAt: number;
  readonly expiresAt?: number;
  /** Both encrypts by algorithm 35 and signs by algorithm 30. */
  readonly postQuantum: boolean;
  /** Of the primary key and of the encryption subkey in use, as the library names them, e.g. `pqc_mldsa_ed25519`. */
  readonly algorithms: readonly string[];
  readonly encryptionSubkeyExpiresAt?: number;
}

/** `classic` serves people without QuMail: RSA from 2048 bits, NIST and 25519 curves, version 4 and 6. */
export type PgpProfile = 'pq' | 'classic';

export interface PgpSealOptions {
  /** In pieces, so that nobody has to join 25 MiB. */
  readonly plaintext: Uint8Array | readonly Uint8Array[];
  readonly certificates: readonly Uint8Array[];
  /** Unprotected transferable secret key. */
  readonly signWith?: Uint8Array;
  readonly now: number;
  readonly profile: PgpProfile;
}

export interface PgpSealed {
  readonly message: Buffer;
  /** Opens this one message later, whatever happened to the subkeys: `open({ sessionKey })`. Secret. */
  readonly sessionKey: Buffer;
}

export interface PgpOpenOptions {
  readonly message: Uint8Array;
  readonly secretKeys: readonly Uint8Array[];
  /** From `PgpSealed` or `OpenedPgp`; used instead of `secretKeys`. */
  readonly sessionKey?: Uint8Array;
  /** Certificates of the one who is said to have written it. */
  readonly verifyWith: readonly Uint8Array[];
  readonly now: number;
  /** Octets of plaintext so far, at least every mebibyte; other programs write AES-OCB, which takes seconds for 25 MiB. */
  readonly progress?: (octets: number) => void;
}

export interface OpenedPgp {
  readonly plaintext: Buffer;
  readonly signature: SignatureResult;
  readonly sessionKey: Buffer;
  /** How many certificates it was sealed to, as the message says. */
  readonly recipients: number;
}

export interface SignatureResult {
  /** Of several signatures the best one counts. `unknown-signer`: by none of the certificates given. */
  readonly state: 'valid' | 'invalid' | 'unknown-signer' | 'none';
  /** Of the certificate (primary key) that verified, upper-case hex. */
  readonly fingerprint?: string;
  /** Of a valid one: by algorithm 30 (ML-DSA-65+Ed25519), as L3 demands. */
  readonly postQuantum?: boolean;
  readonly signedAt?: number;
}

export interface PgpSignOptions {
  readonly data: Uint8Array;
  readonly secretKey: Uint8Array;
  readonly now: number;
  readonly detached: true;
}

export interface PgpVerifyOptions {
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
  readonly verifyWith: readonly Uint8Array[];
  readonly now: number;
}
