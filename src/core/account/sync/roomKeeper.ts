import { othersFirst } from '../../base/othersFirst.ts';
import type { Clock } from '../../base/ports.ts';
import type { EvictedFrom, MailRoom } from '../../store/mailRoom.ts';

/** What is evicted in one transaction: about 10 ms, for what is let go of is overwritten. And what a person read this lately stays. */
const EVICTED_AT_ONCE = { messages: 200, octets: 2 * 1024 * 1024 };
const READ_LATELY_MS = 30 * 86_400_000;
/**
 * Sources that went for want of room come again once this share of the budget is free, and leave that share free: the next arrivals do not push
 * out what has just come. Where nothing more is to come again, that is believed for so long.
 */
const ROOM = { wanted: 0.2, left: 0.1, believedMs: 900_000 };
/** What a source takes beside its octets: its pages are never full. */
const PAGES_PER_OCTET = 1.1;
const NEVER = { at: -Infinity, budget: 0 };

export interface RoomKeeperDeps {
  readonly accountId: string;
  readonly room: MailRoom;
  readonly clock: Clock;
  /** Octets that all offline mail may take on this machine; 0 for headers alone. */
  readonly budget: () => number;
  /** Octets of the largest source that is kept. */
  readonly largest: number;
}

/** Keeps the offline copy within its budget, and uses what there is of it. Works in steps, with turns in between, until `signal` ends it. */
export class RoomKeeper {
  readonly #deps: RoomKeeperDeps;
  /** When it was last found that nothing more is to come again, and at which budget: until something went here. */
  #allBack = NEVER;

  constructor(deps: RoomKeeperDeps) {
    this.#deps = deps;
  }

  /**
   * Whether there is room. Mail that arrives pushes out the oldest; mail that was there before pushes out nothing: an offline copy that is full stays
   * as it is.
   */
  async make(forWhat: 'arrivals' | 'backlog', signal: AbortSignal): Promise<boolean> {
    const { room, budget } = this.#deps;
    if (forWhat === 'arrivals') await this.#evictDownTo(budget() - 1, signal);
    const hasRoom = room.usedOctets() < budget();
    if (!hasRoom) this.#allBack = NEVER;
    return hasRoom;
  }

  /** After the budget was lowered. */
  shrink(signal: AbortSignal): Promise<void> {
    return this.#evictDownTo(this.#deps.budget(), signal);
  }

  /** After the budget was raised, or mail was removed: what went of these folders for want of room is wanted again, as far as there is room for it. */
  async refill(paths: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { accountId, room, clock, largest } = this.#deps;
    const budget = this.#deps.budget();
    const used = room.usedOctets();
    if (used >= budget * (1 - ROOM.wanted)) return;
    if (budget <= this.#allBack.budget && clock.now() - this.#allBack.at < ROOM.believedMs) return;
    let octets = (budget * (1 - ROOM.left) - used) / PAGES_PER_OCTET - room.awaitedOctets(accountId, paths);
    for (let from: EvictedFrom | undefined; octets > 0 && !signal.aborted;) {
      const step = room.wantAgain(accountId, paths, { octets, largest }, from);
      octets -= step.octets;
      from = step.next;
      if (!from) break;
      await othersFirst();
    }
    this.#allBack = { at: clock.now(), budget };
  }

  /** In steps, no more of it than needed. */
  async #evictDownTo(octets: number, signal: AbortSignal): Promise<void> {
    const { room, clock } = this.#deps;
    for (;;) {
      const over = room.usedOctets() - octets;
      if (over <= 0 || signal.aborted) return;
      const most = { ...EVICTED_AT_ONCE, octets: Math.min(over, EVICTED_AT_ONCE.octets) };
      if (room.evict(most, clock.now() - READ_LATELY_MS) === 0) return;
      this.#allBack = NEVER;
      await othersFirst();
    }
  }
}
