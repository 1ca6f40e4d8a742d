import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import { systemClock, systemRandom } from '../base/systemPorts.ts';
import { createAuthority, type Authority, type IssuedCertificate } from './certificates.ts';
import { noFaults, type KmeFaults } from './kmeFaults.ts';
import { KmeListener } from './kmeListener.ts';
import { answerRequest, type KmeLimits } from './kmeRoutes.ts';
import { KeyLink, KmeStore, type Delivery } from './kmeStore.ts';

/** Every certificate of the lab carries this organisation; a real account refuses it, a lab account accepts nothing else. */
export const LAB_ORGANIZATION = 'QuMail Lab SIMULATED';

export interface KmePairOptions {
  /** KME IDs; two make a pair, more a network in which every two have a link. */
  readonly kmes: readonly string[];
  /** Which key manager serves which SAE. */
  readonly saes: readonly { readonly saeId: string; readonly kmeId: string }[];
  /** Bits; default 256. */
  readonly keySize?: number;
  /** Bits; default 64. */
  readonly minKeySize?: number;
  /** Bits; default 65,536. */
  readonly maxKeySize?: number;
  /** Default 128. */
  readonly maxKeyPerRequest?: number;
  /** Keys of `keySize` that each link holds at the start and at most; default 10,000. */
  readonly stock?: number;
  /** Bits per second that each link gains; default 0. */
  readonly rate?: number;
  /** Default 16. */
  readonly maxSaeIdCount?: number;
  /** Organisation of the certificates; default `QuMail Lab SIMULATED`. */
  readonly organization?: string;
  /** An authority to use instead of a new one; it decides the organisation. */
  readonly authority?: Authority;
  /** Where the certificates name the KME ID; default `common-name`, with the loopback address beside it. */
  readonly naming?: 'common-name' | 'common-name-only' | 'alternative-name';
  /** Key managers that do not listen until `start` is called. */
  readonly lateStart?: readonly string[];
  readonly clock?: Clock;
}

/** Certificate a key manager shows: the right one, or one that a client must refuse. */
export type ShownCertificate = 'right' | 'expired' | 'wrong-id' | 'foreign-authority';

export interface KmePair extends Disposable {
  readonly organization: string;
  readonly caPem: string;
  readonly authority: Authority;
  /** `https://127.0.0.1:port` of a key manager. */
  url(kmeId: string): string;
  kmeOf(saeId: string): string;
  /** The client certificate of an SAE, made when first asked for. */
  client(saeId: string): Promise<IssuedCertificate>;
  /** Fault switches of a key manager: assign to them at any time. */
  faults(kmeId: string): KmeFaults;
  show(kmeId: string, certificate: ShownCertificate): Promise<void>;
  start(kmeId: string): Promise<void>;
  stop(kmeId: string): Promise<void>;
  /** Sets what the link between two key managers holds, in bits. */
  setStock(kmeId: string, otherKmeId: string, bits: number): void;
  /** Bits in stock on a link now. */
  stock(kmeId: string, otherKmeId: string): number;
  /** Who got which key ID by which method, oldest first; never key bytes. */
  readonly deliveries: readonly Delivery[];
}

/**
 * Starts simulated key managers on loopback: real mutual TLS, ETSI GS QKD 014 V1.1.1, one atomic key store between them.
 * Nothing about them is quantum; what they deliver is the system's random numbers.
 */
export async function startKmePair(o: KmePairOptions): Promise<KmePair> {
  const authority = o.authority ?? (await createAuthority({ commonName: 'QuMail Lab CA SIMULATED', organization: o.organization ?? LAB_ORGANIZATION }));
  const clock = o.clock ?? systemClock;
  const keySize = o.keySize ?? 256;
  const limits: KmeLimits = {
    keySize,
    minKeySize: o.minKeySize ?? 64,
    maxKeySize: o.maxKeySize ?? 65_536,
    maxKeyPerRequest: o.maxKeyPerRequest ?? 128,
    maxKeyCount: o.stock ?? 10_000,
    maxSaeIdCount: o.maxSaeIdCount ?? 16,
  };
  const store = new KmeStore(systemRandom);
  const links = new Map<string, KeyLink>();
  const link = (a: string, b: string): KeyLink => {
    const name = JSON.stringify([a, b].sort());
    const known = links.get(name) ?? new KeyLink({ capacityBits: limits.maxKeyCount * keySize, rate: o.rate ?? 0, clock });
    links.set(name, known);
    return known;
  };
  const kmeOf = new Map(o.saes.map((sae) => [sae.saeId, sae.kmeId]));
  const deliveries: Delivery[] = [];
  const kmes = new Map<string, { listener: KmeListener; faults: KmeFaults; lastKeys: Map<string, readonly { bytes: Buffer; keyId: string }[]> }>();
  for (const kmeId of o.kmes) {
    const faults = noFaults();
    const lastKeys = new Map<string, readonly { bytes: Buffer; keyId: string }[]>();
    const listener = new KmeListener({
      faults, clock, caPem: authority.caPem, certificate: await certificateOf(authority, kmeId, o.naming ?? 'common-name', 'right'),
      answer: (request) =>
        answerRequest({
          kmeId, limits, faults, store, lastKeys,
          kmeOf: (saeId) => kmeOf.get(saeId),
          link: (other) => link(kmeId, other),
          running: (other) => kmes.get(other)?.listener.running ?? false,
          log: (entry) => deliveries.push({ ...entry, at: clock.now(), kmeId }),
        }, request),
    });
    kmes.set(kmeId, { listener, faults, lastKeys });
    await listener.start();
    if (o.lateStart?.includes(kmeId)) await listener.stop();
  }
  const kme = (kmeId: string) => {
    const found = kmes.get(kmeId);
    if (found === undefined) throw new RangeError(`no key manager ${kmeId}`);
    return found;
  };
  const clients = new Map<string, Promise<IssuedCertificate>>();
  return {
    organization: authority.organization,
    caPem: authority.caPem,
    authority,
    deliveries,
    url: (kmeId) => `https://127.0.0.1:${kme(kmeId).listener.port}`,
    kmeOf: (saeId) => kmeOf.get(saeId) ?? '',
    client(saeId) {
      const made = clients.get(saeId) ?? authority.issue({ commonName: saeId, usage: 'client' });
      clients.set(saeId, made);
      return made;
    },
    faults: (kmeId) => kme(kmeId).faults,
    async show(kmeId, shown) {
      kme(kmeId).listener.useCertificate(await certificateOf(authority, kmeId, o.naming ?? 'common-name', shown));
    },
    start: (kmeId) => kme(kmeId).listener.start(),
    stop: (kmeId) => kme(kmeId).listener.stop(),
    setStock: (kmeId, other, bits) => link(kmeId, other).setAvailable(bits),
    stock: (kmeId, other) => link(kmeId, other).available(),
    dispose() {
      for (const { listener, lastKeys } of kmes.values()) {
        listener.dispose();
        for (const keys of lastKeys.values()) for (const key of keys) key.bytes.fill(0);
        lastKeys.clear();
      }
      store.dispose();
    },
  };
}

async function certificateOf(
  authority: Authority, kmeId: string, naming: NonNullable<KmePairOptions['naming']>, shown: ShownCertificate,
): Promise<IssuedCertificate> {
  const name = shown === 'wrong-id' ? `${kmeId}-OTHER` : kmeId;
  const issuer = shown === 'foreign-authority' ? await createAuthority({ commonName: 'Somebody else', organization: authority.organization }) : authority;
  return issuer.issue({
    commonName: naming === 'alternative-name' ? 'key-manager' : name,
    ...(naming === 'alternative-name' ? { dnsNames: [name] } : {}),
    ...(naming === 'common-name' ? { dnsNames: ['localhost'], ips: ['127.0.0.1'] } : {}),
    usage: 'server',
    ...(shown === 'expired' ? { notBefore: new Date(Date.now() - 3 * 86_400_000), notAfter: new Date(Date.now() - 86_400_000) } : {}),
  });
}
