import type { Etsi014Status } from './etsi014.ts';

/**
 * What a key manager turned out to allow, whatever its status says: the largest batch, the largest key. Learned from refusals (nothing was
 * consumed then) and from answers that are always short by the same; forgotten with the client.
 */
export class LearnedLimits {
  readonly #numbers = new Map<string, number>();
  readonly #sizes = new Map<string, number>();
  readonly #short = new Map<string, number>();

  /** Keys to ask for at once, of `wanted`. */
  number(peerSaeId: string, wanted: number): number {
    return Math.min(wanted, this.#numbers.get(peerSaeId) ?? Number.POSITIVE_INFINITY);
  }

  /** The status as it should be believed. */
  applied(peerSaeId: string, status: Etsi014Status): Etsi014Status {
    const [number, size] = [this.#numbers.get(peerSaeId), this.#sizes.get(peerSaeId)];
    return {
      ...status,
      ...(number !== undefined && { maxKeyPerRequest: Math.min(number, status.maxKeyPerRequest || number) }),
      ...(size !== undefined && { maxKeySize: size }),
    };
  }

  /** A batch was refused: half of it next time. `learned` where there is something else to try. */
  batchRefused(peerSaeId: string, number: number): 'learned' | 'nothing' {
    if (number <= 1) {
      // A single key was refused as well: it was not the number.
      this.#numbers.delete(peerSaeId);
      return 'nothing';
    }
    this.#numbers.set(peerSaeId, Math.floor(number / 2));
    return 'learned';
  }

  /** A single key was refused: no larger ones than the usual size next time. */
  sizeRefused(peerSaeId: string, size: number, usual: number | undefined): 'learned' | 'nothing' {
    if (usual === undefined || usual < 8 || size <= usual || this.#sizes.get(peerSaeId) === usual) return 'nothing';
    this.#sizes.set(peerSaeId, usual);
    return 'learned';
  }

  /** Fewer keys came than were asked for. Once may be want of keys; twice the same number, with more to be had, is a limit. */
  cameShort(peerSaeId: string, came: number): void {
    if (came > 0 && this.#short.get(peerSaeId) === came) this.#numbers.set(peerSaeId, came);
    this.#short.set(peerSaeId, came);
  }
}
