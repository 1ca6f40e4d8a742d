/** The parts of a sealed message's container (PROTOCOL 2). */
export const PAYLOAD_JSON = 'qumail_payload.json';
export const PAYLOAD_BIN = 'qumail_payload.bin';

/** True for `qumail_payload.json` and the names of parts that may stand beside it. */
export function isPayloadName(name: string): boolean {
  return /^qumail_payload\.[a-z0-9_-]{1,40}$/.test(name);
}

/** The contact card that rides inside sealed mail; readers never show it as an attachment. */
export const CARD_NAME = 'qumail_card.json';
export const CARD_TYPE = 'application/vnd.qumail.card+json';
