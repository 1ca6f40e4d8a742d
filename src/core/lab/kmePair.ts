import { wipe } from '../base/bytes.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock, Random } from '../base/ports.ts';
import { systemClock, systemRandom } from '../base/systemPorts.ts';
import { SIMULATED_ORGANIZATION } from '../keys/kmeTls.ts';
import { createAuthority, type Authority, type IssuedCertificate } from './certificates.ts';
import { noFaults, type KmeFaults } from './kmeFaults.ts';
import { KmeListener } from './kmeListener.ts';
import { answerRequest, type KmeContext, type KmeLimits } from './kmeRoutes.ts';
import { KeyLink, KmeStore, type Delivery, type StoredKey } from './kmeStore.ts';

/** Every certificate of the lab carries this organisation; a real account refuses it, a lab account accepts nothing else. */
export const LAB_ORGANIZATION = SIMULATED_ORGANIZATION;

export interface KmePairOptions {
  /** KME IDs; two make a pair, more a network in which every two have a link. */
  readonly kmes: readonly string[];
  /** Which key manager serves which SAE; `alsoAt` are its standbys. */
  readonly saes: readonly { readonly saeId: string; readonly kmeId: string; readonly alsoAt?: readonly string[] }[];
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
  /** Decides what is lost; keys are always the system's random numbers. */
  readonly random?: Pick<Random, 'fraction'>;
}

/** Certificate a key manager shows: the right one, or one that a client must refuse. */
export type ShownCertificate = 'right' | 'expired' | 'wrong-id' | 'foreign-authority';

/** What belongs to one key manager. */
interface Kme {
  readonly listener: KmeListener;
  readonly faults: KmeFaults;
  /** The keys each pair of SAEs was given last, for redelivery. */
  readonly lastKeys: Map<string, readonly StoredKey[]>;
}

/**
 * Starts simulated key managers on loopback: real mutual TLS, ETSI GS QKD 014 V1.1.1, one atomic key store between them.
 * Nothing about them is quantum; what they deliver is the system's random numbers.
 */
export async function startKmePair(o: KmePairOptions): Promise<KmePair> {
  const organization = o.organization ?? SIMULATED_ORGANIZATION;
  const authority = o.authority ?? (await createAuthority({ commonName: `${organization} CA`, organization }));
  const pair = new KmePair(o, authority);
  try {
    for (const kmeId of o.kmes) await pair.addKme(kmeId);
    for (const kmeId of o.lateStart ?? []) await pair.stop(kmeId);
    return pair;
  } catch (error) {
    pair.dispose();
    throw error;
  }
}

/** Running key managers with their fault switches; `startKmePair` makes them. */
export class KmePair implements Disposable {
  readonly authority: Authority;
  readonly #clock: Clock;
  readonly #limits: KmeLimits;
  readonly #rate: number;
  readonly #naming: NonNullable<KmePairOptions['naming']>;
  readonly #kmeOf: ReadonlyMap<string, string>;
  readonly #alsoAt: ReadonlyMap<string, readonly string[]>;
  readonly #kmes = new Map<string, Kme>();
  readonly #links = new Map<string, KeyLink>();
  readonly #clients = new Map<string, Promise<IssuedCertificate>>();
  readonly #store = new KmeStore(systemRandom);
  readonly #random: Pick<Random, 'fraction'>;
  readonly #deliveries: Delivery[] = [];

  constructor(o: KmePairOptions, authority: Authority) {
    this.authority = authority;
    this.#clock = o.clock ?? systemClock;
    this.#rate = o.rate ?? 0;
    this.#naming = o.naming ?? 'common-name';
    this.#kmeOf = new Map(o.saes.map((sae) => [sae.saeId, sae.kmeId]));
    this.#alsoAt = new Map(o.saes.map((sae) => [sae.saeId, sae.alsoAt ?? []]));
    this.#random = o.random ?? systemRandom;
    this.#limits = {
      keySize: o.keySize ?? 256,
      minKeySize: o.minKeySize ?? 64,
      maxKeySize: o.maxKeySize ?? 65_536,
      maxKeyPerRequest: o.maxKeyPerRequest ?? 128,
      maxKeyCount: o.stock ?? 10_000,
      maxSaeIdCount: o.maxSaeIdCount ?? 16,
    };
  }

  get organization(): string {
    return this.authority.organization;
  }

  get caPem(): string {
    return this.authority.caPem;
  }

  /** Who got which key ID by which method, oldest first; never key bytes. */
  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** `https://127.0.0.1:port` of a key manager. */
  url(kmeId: string): string {
    return `https://127.0.0.1:${this.#kme(kmeId).listener.port}`;
  }

  /** The key manager that serves an SAE, '' for a stranger. */
  kmeOf(saeId: string): string {
    return this.#kmeOf.get(saeId) ?? '';
  }

  /** The client certificate of an SAE, made when first asked for. */
  client(saeId: string): Promise<IssuedCertificate> {
    const made = this.#clients.get(saeId) ?? this.authority.issue({ commonName: saeId, usage: 'client' });
    this.#clients.set(saeId, made);
    return made;
  }

  /** Fault switches of a key manager: assign to them at any time. */
  faults(kmeId: string): KmeFaults {
    return this.#kme(kmeId).faults;
  }

  /** The certificate a key manager shows from now on; open connections are cut. */
  async show(kmeId: string, shown: ShownCertificate): Promise<void> {
    this.#kme(kmeId).listener.useCertificate(await certificateOf(this.authority, kmeId, this.#naming, shown));
  }

  start(kmeId: string): Promise<void> {
    return this.#kme(kmeId).listener.start();
  }

  stop(kmeId: string): Promise<void> {
    return this.#kme(kmeId).listener.stop();
  }

  /** Sets what the link between two key managers holds, in bits. */
  setStock(kmeId: string, otherKmeId: string, bits: number): void {
    this.#link(kmeId, otherKmeId).setAvailable(bits);
  }

  /** Bits in stock on a link now. */
  stock(kmeId: string, otherKmeId: string): number {
    return this.#link(kmeId, otherKmeId).available();
  }

  /** Adds a key manager that listens on a free port. */
  async addKme(kmeId: string): Promise<void> {
    const faults = noFaults();
    const lastKeys = new Map<string, readonly StoredKey[]>();
    const context: KmeContext = {
      kmeId,
      limits: this.#limits,
      faults,
      store: this.#store,
      lastKeys,
      kmeOf: (saeId) => this.#kmeOf.get(saeId),
      serves: (saeId) => this.#kmeOf.get(saeId) === kmeId || (this.#alsoAt.get(saeId)?.includes(kmeId) ?? false),
      link: (other) => this.#link(kmeId, other),
      running: (other) => this.#kmes.get(other)?.listener.running ?? false,
      log: (entry) => this.#deliveries.push({ ...entry, at: this.#clock.now(), kmeId }),
    };
    const listener = new KmeListener({
      faults,
      fraction: () => this.#random.fraction(),
      clock: this.#clock,
      caPem: this.caPem,
      certificate: await certificateOf(this.authority, kmeId, this.#naming, 'right'),
      answer: (request) => answerRequest(context, request),
    });
    this.#kmes.set(kmeId, { listener, faults, lastKeys });
    await listener.start();
  }

  dispose(): void {
    for (const { listener, lastKeys } of this.#kmes.values()) {
      listener.dispose();
      for (const keys of lastKeys.values()) wipe(...keys.map((key) => key.bytes));
      lastKeys.clear();
    }
    this.#store.dispose();
  }

  #kme(kmeId: string): Kme {
    const found = this.#kmes.get(kmeId);
    if (found === undefined) throw new RangeError(`no key manager ${kmeId}`);
    return found;
  }

  /** The link between two key managers; one between the SAEs of a single key manager is a link to itself. */
  #link(kmeId: string, otherKmeId: string): KeyLink {
    const name = JSON.stringify([kmeId, otherKmeId].sort());
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const { maxKeyCount, keySize } = this.#limits;
    const link = new KeyLink({ capacityBits: maxKeyCount * keySize, rate: this.#rate, clock: this.#clock });
    this.#links.set(name, link);
    return link;
  }
}

async function certificateOf(
  authority: Authority,
  kmeId: string,
  naming: NonNullable<KmePairOptions['naming']>,
  shown: ShownCertificate,
): Promise<IssuedCertificate> {
  const name = shown === 'wrong-id' ? `${kmeId}-OTHER` : kmeId;
  const issuer =
    shown === 'foreign-authority'
      ? await createAuthority({ commonName: 'Somebody else', organization: authority.organization })
      : authority;
  return issuer.issue({
    commonName: naming === 'alternative-name' ? 'key-manager' : name,
    ...(naming === 'alternative-name' ? { dnsNames: [name] } : {}),
    ...(naming === 'common-name' ? { dnsNames: ['localhost'], ips: ['127.0.0.1'] } : {}),
    usage: 'server',
    ...(shown === 'expired' ? { notBefore: new Date(Date.now() - 3 * 86_400_000), notAfter: new Date(Date.now() - 86_400_000) } : {}),
  });
}
