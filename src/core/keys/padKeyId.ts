import { createHash, createHmac } from 'node:crypto';
import { equalBytes, wipe } from '../base/bytes.ts';

/** A run of blocks of a pad: what one key is cut from. */
export interface PadRange {
  /** `forth`: from who made the pad to who imported it. The two never share a byte. */
  readonly direction: PadDirection;
  /** Number of the first block, counted from the start of its direction. */
  readonly first: number;
  readonly blocks: number;
}

export type PadDirection = 'forth' | 'back';

/** Octets of a block, the unit in which a pad is used. */
export const BLOCK = 32;
/** Blocks that one key may have (2 MiB), and that one direction may have (128 GiB): 16 and 32 bits of the ID. */
export const MAX_KEY_BLOCKS = 0xffff;
export const MAX_BLOCKS = 0xffff_ffff;

const TAG_LENGTH = 10;

/**
 * Names keys cut from one pad. An ID is a UUID that shows nothing to anyone without the pad: not which pad it is, not how much of it has
 * been used. It is made of the position and a secret of the pad, never of key bytes: 80 bits of tag, then the position under a mask that
 * the tag selects (the shape of a synthetic-IV cipher, RFC 5297 section 1.3.2). An ID that was not made with this secret is not taken.
 */
export class PadKeyIds {
  readonly #key: Buffer;

  /** @param secret the 32 octets that name the pad to its two owners */
  constructor(secret: Buffer) {
    this.#key = createHmac('sha256', secret).update('QuMail pad key IDs').digest();
  }

  idOf(range: PadRange): string {
    const position = Buffer.alloc(6);
    position.writeUInt32BE(range.first);
    position.writeUInt16BE(range.blocks, 4);
    const tag = this.#tag(range.direction, position);
    const mask = this.#mask(tag);
    const hex = Buffer.concat([tag, position.map((byte, i) => byte ^ mask[i]!)]).toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  /** The range an ID stands for in this direction; undefined where it is not one of this pad's. */
  rangeOf(keyId: string, direction: PadDirection): PadRange | undefined {
    if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(keyId)) return undefined;
    const id = Buffer.from(keyId.replaceAll('-', ''), 'hex');
    const tag = id.subarray(0, TAG_LENGTH);
    const mask = this.#mask(tag);
    const position = Buffer.from(id.subarray(TAG_LENGTH).map((byte, i) => byte ^ mask[i]!));
    if (!equalBytes(this.#tag(direction, position), tag)) return undefined;
    return { direction, first: position.readUInt32BE(0), blocks: position.readUInt16BE(4) };
  }

  wipe(): void {
    wipe(this.#key);
  }

  /** With the version and variant bits of a random UUID (RFC 9562 section 5.4). */
  #tag(direction: PadDirection, position: Uint8Array): Buffer {
    const tag = createHmac('sha256', this.#key).update(`tag ${direction}\0`).update(position).digest().subarray(0, TAG_LENGTH);
    tag[6] = (tag[6]! & 0x0f) | 0x40;
    tag[8] = (tag[8]! & 0x3f) | 0x80;
    return tag;
  }

  #mask(tag: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update('mask\0').update(tag).digest();
  }
}

/** What a pad is called in lists, reports and file names: 64 bits of a digest of its secret. */
export function padName(secret: Buffer): string {
  return createHash('sha256').update('QuMail pad name\0').update(secret).digest('hex').slice(0, 16);
}
