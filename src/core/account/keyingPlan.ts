import type { SecurityLevel } from '../base/types.ts';

/** One recipient of a sealed message, with what its link can do. */
export interface KeyingPeer {
  readonly address: string;
  /** Whom keys are delivered to: an SAE ID, or the name of a pad. Several people may share one SAE. */
  readonly peerId: string;
  /** ETSI `max_SAE_ID_count` of the link: how many further SAEs one key may be delivered to. 0 = no multicast. */
  readonly maxSaeIdCount: number;
}

/** One `keys` entry of an envelope: the peers (by position in the envelope) that share one key. */
export interface KeyingEntry {
  readonly members: readonly number[];
  readonly how: 'direct' | 'wrapped';
}

/** One message on the wire: its recipients in the order of the header's `to`, and the keys that serve them. */
export interface EnvelopePlan<P extends KeyingPeer = KeyingPeer> {
  readonly peers: readonly P[];
  readonly entries: readonly KeyingEntry[];
}

/**
 * How a set of recipients is keyed (PROTOCOL 8.1 to 8.3): one multi-SAE key for all where the key manager allows it;
 * at L2 otherwise one content key wrapped per multicast group or per recipient; at L1 otherwise separate messages.
 *
 * @param multicast `never` plans as if no link had multicast: what is left after a key manager refused a multi-SAE request
 */
export function planKeying<P extends KeyingPeer>(
  level: 'L1' | 'L2',
  peers: readonly P[],
  multicast: 'where-offered' | 'never',
): readonly EnvelopePlan<P>[] {
  // A key manager delivers a key to each SAE once, so two people behind one SAE can never share one.
  const shared = (peer: KeyingPeer): boolean => peers.some((other) => other !== peer && other.peerId === peer.peerId);
  const reach = (peer: KeyingPeer): number => (multicast === 'never' || shared(peer) ? 0 : peer.maxSaeIdCount);
  const everyone = peers.map((_, index) => index);
  const oneKeyServesAll = peers.length === 1 || peers.every((peer) => reach(peer) >= peers.length - 1);
  if (oneKeyServesAll) return [{ peers, entries: [{ members: everyone, how: 'direct' }] }];
  if (level === 'L1') return peers.map((peer) => ({ peers: [peer], entries: [{ members: [0], how: 'direct' as const }] }));
  return [{ peers, entries: groupsOf(peers, reach).map((members) => ({ members, how: 'wrapped' as const })) }];
}

/** Splits peers into multicast groups no larger than any member's link allows; those without multicast stand alone. */
function groupsOf(peers: readonly KeyingPeer[], reach: (peer: KeyingPeer) => number): number[][] {
  // Widest reach first, so that one narrow link does not split a group that the others could share.
  const order = peers.map((_, index) => index).sort((a, b) => reach(peers[b]!) - reach(peers[a]!));
  const groups: number[][] = [];
  let room = 0;
  for (const index of order) {
    const own = reach(peers[index]!);
    const current = groups.at(-1);
    if (current && current.length < Math.min(room, own + 1)) {
      current.push(index);
      room = Math.min(room, own + 1);
    } else {
      groups.push([index]);
      room = own + 1;
    }
  }
  return groups.map((group) => group.sort((a, b) => a - b));
}

/** True where a level spends QKD keys. */
export function spendsKeys(level: SecurityLevel): level is 'L1' | 'L2' {
  return level === 'L1' || level === 'L2';
}
