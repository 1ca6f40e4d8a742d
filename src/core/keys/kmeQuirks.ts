import type { KmeProfileName } from '../base/keys.ts';

/** How requests to one make of key manager are written. */
export interface KmeQuirks {
  /** `with-master`: every key_IDs entry also carries the master_SAE_ID. */
  readonly keyIds: 'plain' | 'with-master';
  /** `get`: no POST is understood; sizes and numbers go into the query, key IDs one at a time, and there is no multicast. */
  readonly verbs: 'post' | 'get';
  /** Keys in one request, where it must be one whatever the status says. */
  readonly maxNumber?: number;
  /** Whether keys may be asked for before they are needed. */
  readonly prefetch: 'on' | 'off';
  /** Requests under way at once. */
  readonly sockets: 1 | 4;
}

const ETSI: KmeQuirks = { keyIds: 'plain', verbs: 'post', prefetch: 'off', sockets: 4 };

/** The profiles a person can choose, and the conformance check can suggest. `etsi` is where everybody starts. */
export const KME_PROFILES: Readonly<Record<KmeProfileName, KmeQuirks>> = {
  etsi: ETSI,
  prefetching: { ...ETSI, prefetch: 'on' },
  'one-key-per-request': { ...ETSI, maxNumber: 1 },
  'master-in-key-ids': { ...ETSI, keyIds: 'with-master' },
  'get-only': { ...ETSI, verbs: 'get', maxNumber: 1 },
  /** Deadlocks when asked twice at once, or forgets undelivered keys when asked again. */
  cautious: { ...ETSI, maxNumber: 1, sockets: 1 },
};
