/** Facts about how a message was protected, and what helps where it was not opened. */

/** Who signed an OpenPGP message. `unknown-signer`: by no certificate that is pinned for the sender; whoever it was, it proves nothing. */
export interface SignatureFact {
  readonly state: 'valid' | 'invalid' | 'unknown-signer' | 'none';
  /** Of the certificate that verified, upper-case hex. */
  readonly fingerprint?: string;
  /** Milliseconds since the epoch, as the signer says. */
  readonly signedAt?: number;
}

/**
 * What helps where a message was not opened. `wait`: keys or servers may still come. `ask-again`: only the sender can help, by sealing it
 * anew (`askToSealAgain`). `verify`: look at the contact first. `report`: somebody interfered. `update`: a newer QuMail wrote it.
 */
export type OpeningStep = 'wait' | 'ask-again' | 'verify' | 'report' | 'update' | 'none';
