import { LAB_ORGANIZATION, startKmePair, type KmePair, type KmePairOptions } from '../../src/core/lab/kmePair.ts';
import type { KeyAudit } from '../../src/core/keys/audit.ts';
import { KmeClient, type KmeProfile } from '../../src/core/keys/kmeClient.ts';
import type { KmeTimeouts } from '../../src/core/keys/kmeHttp.ts';
import { Log, type LogEntry } from '../../src/core/base/log.ts';
import { DisposableStore, type Disposable } from '../../src/core/base/lifetime.ts';
import type { Clock, Random } from '../../src/core/base/ports.ts';
import { systemClock, systemRandom } from '../../src/core/base/systemPorts.ts';
import { testAuthority } from './pki.ts';

export const ALICE = 'SAE-ALICE';
export const BOB = 'SAE-BOB';
export const CAROL = 'SAE-CAROL';
export const DAVE = 'SAE-DAVE';

/** Does not wait where the code under test sleeps, but writes down how long it would have. Time-outs stay real. */
export function impatientClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => systemClock.now(),
    after: (ms, run) => systemClock.after(ms, run),
    async sleep(ms, signal) {
      slept.push(ms);
      await systemClock.sleep(0, signal);
    },
  };
}

export interface ClientOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly audit?: KeyAudit;
  readonly timeouts?: KmeTimeouts;
  readonly profile?: Partial<KmeProfile>;
}

export interface KmeWorld extends Disposable {
  readonly pair: KmePair;
  /** Everything that the clients logged. */
  readonly logged: LogEntry[];
  profile(saeId: string): Promise<KmeProfile>;
  /** A client of that SAE at its own key manager; disposed of with the world. */
  client(saeId: string, options?: ClientOptions): Promise<KmeClient>;
}

/** Two key managers on loopback: KME-A serves Alice, KME-B serves Bob, Carol and Dave. Of the test authority, so for accounts of the `real` world. */
export async function startKmeWorld(options: Partial<KmePairOptions> = {}): Promise<KmeWorld> {
  const authority = options.authority ?? (options.organization === undefined ? await testAuthority() : undefined);
  const pair = await startKmePair({
    kmes: ['KME-A', 'KME-B'],
    saes: [
      { saeId: ALICE, kmeId: 'KME-A' },
      { saeId: BOB, kmeId: 'KME-B' },
      { saeId: CAROL, kmeId: 'KME-B' },
      { saeId: DAVE, kmeId: 'KME-B' },
    ],
    ...options,
    ...(authority === undefined ? {} : { authority }),
  });
  const owned = new DisposableStore();
  owned.add(pair);
  const logged: LogEntry[] = [];
  const profile = async (saeId: string): Promise<KmeProfile> => {
    const kmeId = pair.kmeOf(saeId);
    return {
      url: pair.url(kmeId),
      kmeId,
      saeId,
      caPem: pair.caPem,
      client: await pair.client(saeId),
      world: pair.organization === LAB_ORGANIZATION ? 'lab' : 'real',
    };
  };
  return {
    pair,
    logged,
    profile,
    async client(saeId, o = {}) {
      const deps = {
        clock: o.clock ?? impatientClock(),
        random: o.random ?? systemRandom,
        log: new Log((entry) => logged.push(entry), 'kme'),
        ...(o.audit === undefined ? {} : { audit: o.audit }),
        ...(o.timeouts === undefined ? {} : { timeouts: o.timeouts }),
      };
      return owned.add(new KmeClient({ ...(await profile(saeId)), ...o.profile }, deps));
    },
    dispose: () => owned.dispose(),
  };
}
