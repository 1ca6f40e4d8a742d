import { createCipheriv, createDecipheriv } from 'node:crypto';
import { readSync } from 'node:fs';
import { QuMailError } from '../base/errors.ts';
import type { PadDirection } from './padKeyId.ts';

/** Octets of pad that are sealed together, and forgotten together. */
export const CHUNK = 65_536;
const TAG_LENGTH = 16;

/** Where a chunk is: chunks count from the start of their direction, and the last of a direction may be shorter. */
export interface ChunkPlace {
  readonly direction: PadDirection;
  readonly chunk: number;
}

/**
 * The layout of a pad at rest: both directions one after the other in chunks, each sealed with AES-256-GCM under a key of its own that
 * seals nothing else (so the nonce may be constant), bound to its place. `octets` is the length of one direction.
 */
export class PadLayout {
  readonly octets: number;
  readonly chunks: number;
  readonly #name: string;

  constructor(name: string, octets: number) {
    this.#name = name;
    this.octets = octets;
    this.chunks = Math.ceil(octets / CHUNK);
  }

  /** The number of a chunk among those of both directions: the leaf of the pad's tree that holds its key. */
  leafOf({ direction, chunk }: ChunkPlace): number {
    return direction === 'forth' ? chunk : this.chunks + chunk;
  }

  lengthOf({ chunk }: ChunkPlace): number {
    return Math.min(CHUNK, this.octets - chunk * CHUNK);
  }

  /** All chunks in the order in which they lie in the file. */
  *places(): Generator<ChunkPlace> {
    for (const direction of ['forth', 'back'] as const) for (let chunk = 0; chunk < this.chunks; chunk++) yield { direction, chunk };
  }

  seal(place: ChunkPlace, key: Buffer, bytes: Buffer): Buffer {
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12)).setAAD(this.#aad(place));
    return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /** Reads one chunk out of the open file. The caller wipes it. @throws QuMailError `pad.damaged` */
  read(file: number, place: ChunkPlace, key: Buffer): Buffer {
    const length = this.lengthOf(place);
    const sealed = Buffer.alloc(length + TAG_LENGTH);
    if (readSync(file, sealed, 0, sealed.length, this.#offsetOf(place)) !== sealed.length) throw damaged('cut');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12)).setAAD(this.#aad(place)).setAuthTag(sealed.subarray(length));
      // One-shot GCM gives everything in `update`; `final` only checks the tag.
      const bytes = decipher.update(sealed.subarray(0, length));
      decipher.final();
      return bytes;
    } catch {
      throw damaged('altered');
    }
  }

  #offsetOf({ direction, chunk }: ChunkPlace): number {
    const whole = this.octets + this.chunks * TAG_LENGTH;
    return (direction === 'forth' ? 0 : whole) + chunk * (CHUNK + TAG_LENGTH);
  }

  #aad({ direction, chunk }: ChunkPlace): Buffer {
    return Buffer.from(`QuMail pad chunk\0${this.#name}\0${direction}\0${chunk}`);
  }
}

function damaged(reason: string): QuMailError {
  return new QuMailError('pad.damaged', { reason });
}
