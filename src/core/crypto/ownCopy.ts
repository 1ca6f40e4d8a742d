import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import { COBBLESTONE_SALT_LENGTH, openCobblestone, sealCobblestone } from './cobblestone.ts';
import { ownKey } from './ownKey.ts';
import { paddedLength } from './padding.ts';

const INFO = Buffer.from('QM1 own copies', 'latin1');
const CONTEXT = Buffer.from('QuMail-Copy-v1\0', 'latin1');
/** Octets of the facts of a copy; 4,096 key IDs take 160 KB. */
const MAX_FACTS = 1_048_576;

/** The key of copies of chat messages (`ownKey`). The caller wipes it. @throws QuMailError `open.malformed` */
export function ownCopyKey(secretKey: Uint8Array): Buffer {
  return ownKey(secretKey, INFO);
}

/**
 * Seals what the own devices are told of one message (PROTOCOL 11): u32be length ‖ facts ‖ entity, padded with zeros as section 2 pads, under
 * Cobblestone-256 with the Message-ID of the copy as context.
 */
export function sealOwnCopy(
  o: { readonly key: Uint8Array; readonly messageId: string; readonly facts: string; readonly entity: Uint8Array },
  random: Random,
): Buffer {
  const facts = Buffer.from(o.facts, 'utf8');
  if (facts.byteLength > MAX_FACTS) throw new RangeError('facts of a copy');
  const length = 4 + facts.byteLength + o.entity.byteLength;
  const padding = Buffer.alloc(paddedLength(length) - length);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(facts.byteLength);
  const pieces = [prefix, facts, o.entity, padding];
  return sealCobblestone(o.key, random.bytes(COBBLESTONE_SALT_LENGTH), contextOf(o.messageId), pieces);
}

/**
 * Facts and what follows them, padding included.
 * @throws QuMailError `open.truncated`, `open.tampered` where another key, or another message, sealed it
 */
export function openOwnCopy(o: { readonly key: Uint8Array; readonly messageId: string; readonly sealed: Uint8Array }): {
  facts: string;
  rest: Buffer;
} {
  const opened = openCobblestone(o.key, contextOf(o.messageId), o.sealed);
  const length = opened.byteLength < 4 ? Infinity : opened.readUInt32BE(0);
  if (length > Math.min(opened.byteLength - 4, MAX_FACTS)) {
    wipe(opened);
    throw new QuMailError('open.tampered');
  }
  return { facts: opened.toString('utf8', 4, 4 + length), rest: opened.subarray(4 + length) };
}

function contextOf(messageId: string): Buffer {
  return Buffer.concat([CONTEXT, Buffer.from(messageId, 'latin1')]);
}
