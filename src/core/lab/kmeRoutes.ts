import * as v from 'valibot';
import { strikes, type KmeFaults } from './kmeFaults.ts';
import type { Delivery, KeyLink, KmeStore, StoredKey } from './kmeStore.ts';

/** Sizes in bits. */
export interface KmeLimits {
  readonly keySize: number;
  readonly minKeySize: number;
  readonly maxKeySize: number;
  readonly maxKeyPerRequest: number;
  readonly maxKeyCount: number;
  readonly maxSaeIdCount: number;
}

export interface KmeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** From the client certificate, never from the request. */
  readonly saeId: string;
}

/** `body` undefined: an answer without one. `committed`: keys have left the store. */
export interface KmeAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly committed?: 'yes';
}

/** What one key manager knows about itself and the others. */
export interface KmeContext {
  readonly kmeId: string;
  readonly limits: KmeLimits;
  readonly faults: KmeFaults;
  readonly store: KmeStore;
  readonly kmeOf: (saeId: string) => string | undefined;
  readonly serves: (saeId: string) => boolean;
  readonly link: (otherKmeId: string) => KeyLink;
  /** Whether the listener of that key manager runs. */
  readonly running: (kmeId: string) => boolean;
  readonly lastKeys: Map<string, readonly StoredKey[]>;
  readonly log: (entry: Omit<Delivery, 'at' | 'kmeId'>) => void;
}

const KeyRequest = v.object({
  number: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  additional_slave_SAE_IDs: v.optional(v.pipe(v.array(v.string()), v.maxLength(1000)), []),
  extension_mandatory: v.optional(v.array(v.unknown()), []),
});
const KeyIds = v.object({
  key_IDs: v.pipe(v.array(v.object({ key_ID: v.string(), master_SAE_ID: v.optional(v.string()) })), v.minLength(1), v.maxLength(10_000)),
});

const bad = (message: string): KmeAnswer => ({ status: 400, body: { message } });

/** ETSI GS QKD 014 V1.1.1, with the exact error texts of the standard; undefined for a path it does not know. */
export function answerRequest(kme: KmeContext, request: KmeRequest): KmeAnswer {
  const match = /^\/api\/v1\/keys\/([^/]+)\/(status|enc_keys|dec_keys)$/.exec(request.path);
  if (match === null) return { status: 404, body: { message: 'not found' } };
  // Role-bound access: only SAEs of this key manager are served, whoever signed their certificate.
  if (!kme.serves(request.saeId)) return { status: 401 };
  const peer = decodeSegment(match[1]!);
  const verb = match[2]!;
  if (request.method !== 'GET' && (request.method !== 'POST' || verb === 'status' || kme.faults.verbs === 'get'))
    return { status: 405, body: { message: 'method not allowed' } };
  if (peer === undefined || kme.kmeOf(peer) === undefined) return bad('SAE_ID is not known');
  if (verb === 'status') return status(kme, request.saeId, peer);
  return verb === 'enc_keys' ? encKeys(kme, request, peer) : decKeys(kme, request, peer);
}

function status(kme: KmeContext, saeId: string, peer: string): KmeAnswer {
  const { limits, faults } = kme;
  const target = kme.kmeOf(peer)!;
  return {
    status: 200,
    body: {
      source_KME_ID: kme.kmeId,
      target_KME_ID: target,
      master_SAE_ID: saeId,
      slave_SAE_ID: peer,
      key_size: limits.keySize,
      stored_key_count: faults.stockTold !== 'true' ? faults.stockTold : Math.floor(kme.link(target).available() / limits.keySize),
      max_key_count: limits.maxKeyCount,
      max_key_per_request: faults.keysPerRequest === 'one' ? 1 : limits.maxKeyPerRequest,
      max_key_size: limits.maxKeySize,
      min_key_size: limits.minKeySize,
      max_SAE_ID_count: faults.multicast === 'on' ? limits.maxSaeIdCount : 0,
    },
  };
}

function encKeys(kme: KmeContext, request: KmeRequest, peer: string): KmeAnswer {
  const { limits, faults } = kme;
  const parsed = v.safeParse(KeyRequest, request.method === 'GET' ? queryNumbers(request.query, faults) : parseJson(request.body));
  if (!parsed.success) return bad('malformed key request');
  const { number, size = limits.keySize, additional_slave_SAE_IDs: additional, extension_mandatory: mandatory } = parsed.output;
  if (size % 8 !== 0) return bad('size shall be a multiple of 8');
  if (size < limits.minKeySize || size > limits.maxKeySize) return bad('size shall be between min_key_size and max_key_size');
  if (number > (faults.keysPerRequest === 'one' ? 1 : limits.maxKeyPerRequest)) return bad('number shall not exceed max_key_per_request');
  if (mandatory.length > 0) return bad('not all extension_mandatory parameters are supported');
  const wanted = faults.multicast === 'ignored' ? [] : additional;
  if (wanted.length > (faults.multicast === 'on' ? limits.maxSaeIdCount : 0))
    return bad('additional_slave_SAE_IDs shall not exceed max_SAE_ID_count');
  const slaves = [...new Set([peer, ...wanted])];
  const targets = new Set<string>();
  for (const slave of slaves) {
    const target = kme.kmeOf(slave);
    if (target === undefined) return bad('SAE_ID is not known');
    if (target !== kme.kmeId && (faults.peer === 'down' || !kme.running(target)))
      return { status: 503, body: { message: 'peer KME is not reachable' } };
    targets.add(target);
  }
  const pair = JSON.stringify([request.saeId, slaves]);
  const again = kme.lastKeys.get(pair);
  if (again !== undefined && strikes(faults, 'redelivery')) return container(kme, again);
  const keys = kme.store.create({
    masterSaeId: request.saeId,
    slaveSaeIds: slaves,
    links: [...targets].map(kme.link),
    number: Math.min(number, faults.shortBatch),
    size,
    betrayal: faults.betrayal,
  });
  if (keys === 'exhausted') return { status: faults.exhaustionStatus, body: { message: 'not enough keys are available' } };
  for (const key of keys) kme.log({ saeId: request.saeId, peerSaeIds: slaves, keyId: key.keyId, verb: 'enc_keys' });
  const copies = keys.map((key) => ({ keyId: key.keyId, bytes: Buffer.from(key.bytes) }));
  kme.lastKeys.set(pair, copies);
  return container(kme, copies);
}

function decKeys(kme: KmeContext, request: KmeRequest, master: string): KmeAnswer {
  const single = request.query.getAll('key_ID');
  const input = request.method === 'GET' ? { key_IDs: single.map((id) => ({ key_ID: id })) } : parseJson(request.body);
  const parsed = v.safeParse(KeyIds, input);
  if (!parsed.success || (request.method === 'GET' && single.length !== 1)) return bad('malformed key IDs');
  const keyIds = parsed.output.key_IDs.map((entry) => entry.key_ID);
  if (kme.faults.keysPerRequest === 'one' && keyIds.length > 1) return bad('number of key_IDs shall not exceed max_key_per_request');
  if (kme.faults.masterInKeyIds === 'wanted' && parsed.output.key_IDs.some((entry) => entry.master_SAE_ID !== master))
    return bad('master_SAE_ID is missing');
  if (strikes(kme.faults, 'notHere')) return notFound(kme);
  const copies = strikes(kme.faults, 'keepCollected') ? 'keep' : 'remove';
  const keys = kme.store.collect({ masterSaeId: master, slaveSaeId: request.saeId, keyIds, copies });
  if (keys === 'not-named') return { status: 401 };
  if (keys === 'not-found') return notFound(kme);
  for (const key of keys) kme.log({ saeId: request.saeId, peerSaeIds: [master], keyId: key.keyId, verb: 'dec_keys' });
  return container(kme, keys);
}

function notFound(kme: KmeContext): KmeAnswer {
  return { status: kme.faults.notFoundStatus, body: { message: 'one or more keys specified are not found on KME' } };
}

function container(kme: KmeContext, keys: readonly StoredKey[]): KmeAnswer {
  const list = keys.map((key) => ({ key_ID: key.keyId, key: key.bytes.toString('base64') }));
  return { status: 200, body: { [kme.faults.containerMember]: list }, committed: 'yes' };
}

/** IDs are opaque strings, URL-encoded in the path. */
function decodeSegment(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function queryNumbers(query: URLSearchParams, faults: KmeFaults): Record<string, number> {
  if (faults.getParameters === 'ignored') return {};
  return Object.fromEntries([...query].map(([name, value]) => [name, Number(value)]));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
