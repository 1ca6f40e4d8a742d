import { createHash } from 'node:crypto';
import type { Clock, CrossWindowLock, Lease } from '../base/ports.ts';
import { nameOf, type AccountKey, type GrantVault, type StoredGrant } from './grantVault.ts';

/** A window that gives no sign of life for this long has lost its turn. */
const LEASE_MS = 15_000;
/** How long a secret store may take to show this window what another has written. */
const CATCH_UP_MS = 2_000;
const CATCH_UP_STEP_MS = 50;

/** The grant of one account while no other window may touch it. */
export interface HeldGrant {
  /** What the window before left, even where the secret store is late to show it. */
  read(): Promise<StoredGrant | undefined>;
  write(grant: StoredGrant): Promise<void>;
  erase(): Promise<void>;
}

/**
 * One window at a time may change an account's grant: a rotated refresh token used by two is, to the provider, stolen. The holder leaves
 * a fingerprint of what it wrote, because VS Code's windows see each other's secrets only a moment later.
 */
export class GrantLock {
  readonly #deps: { readonly vault: GrantVault; readonly clock: Clock; readonly lock: CrossWindowLock; readonly signal: AbortSignal };

  constructor(deps: { vault: GrantVault; clock: Clock; lock: CrossWindowLock; signal: AbortSignal }) {
    this.#deps = deps;
  }

  /** @throws what `task` throws, `store.*`, `engine.cancelled` when the engine ends while it waits */
  run<T>(key: AccountKey, task: (held: HeldGrant) => Promise<T>): Promise<T> {
    const { vault, lock, signal } = this.#deps;
    return lock.run(
      lockName(key),
      LEASE_MS,
      (lease) =>
        task({
          read: () => this.#readCaughtUp(key, lease),
          write: async (grant) => {
            // Before the grant itself: a write that the secret store refuses is repeated by `vault.read`, which has no lease.
            lease.leave(fingerprint(grant));
            await vault.write(key, grant);
          },
          erase: async () => {
            lease.leave(fingerprint(undefined));
            await vault.erase(key);
          },
        }),
      signal,
    );
  }

  async #readCaughtUp(key: AccountKey, lease: Lease): Promise<StoredGrant | undefined> {
    const { vault, clock, signal } = this.#deps;
    for (let waited = 0; ; waited += CATCH_UP_STEP_MS) {
      const grant = await vault.read(key);
      const late = lease.note !== undefined && lease.note !== fingerprint(grant);
      if (!late) return grant;
      if (waited >= CATCH_UP_MS) {
        // The window before died between its note and its grant. What is there is all there is.
        lease.leave(fingerprint(grant));
        return grant;
      }
      await clock.sleep(CATCH_UP_STEP_MS, signal);
    }
  }
}

/** For an engine that is the only one over its secrets. */
export const ONLY_WINDOW: CrossWindowLock = {
  run: (_name, _ttlMs, task) => task({ note: undefined, leave() {} }),
};

/** The lock's row outlives the account, so its name must not tell the address. */
function lockName(key: AccountKey): string {
  return `grant.${createHash('sha256').update(nameOf(key)).digest('hex').slice(0, 32)}`;
}

function fingerprint(grant: StoredGrant | undefined): string {
  if (!grant) return 'none';
  return createHash('sha256')
    .update(`${grant.accessToken} ${grant.refreshToken ?? ''}`)
    .digest('hex')
    .slice(0, 32);
}
