/** Limits of PROTOCOL 2 and 3, in octets or counts. Checked before anything else is done with what they bound. */
export const LIMITS = {
  payloadJson: 1_048_576,
  header: 262_144,
  recipients: 100,
  keyIds: 4_096,
  nesting: 6,
  /** A body above this travels as qumail_payload.bin. */
  inlineBody: 65_536,
  /** L1: padded plaintext. */
  padPlaintext: 65_536,
  /** L3: what an OpenPGP message may have besides its plaintext; 101 session keys of ML-KEM-768+X25519 and a signature are 140 KB. */
  pgpOverhead: 262_144,
} as const;

export const PAYLOAD_PART_NAME = 'qumail_payload.bin';
