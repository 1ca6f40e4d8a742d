import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { DeliveredKey } from '../keys/etsi014.ts';
import type { KeyAudit } from '../keys/audit.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import { CHUNK, PadLayout } from '../keys/padChunks.ts';
import { BLOCK, MAX_KEY_BLOCKS, PadKeyIds, type PadDirection, type PadRange } from '../keys/padKeyId.ts';
import { PadTree } from '../keys/padTree.ts';
import type { PadRecord, PadStore } from '../store/padStore.ts';

export interface PadVaultDeps {
  /** Folder of the pads' files, 0700. */
  readonly folder: string;
  readonly store: PadStore;
  readonly ledger: KeyLedger;
  /** Every key cut is a row of it, in the same step. */
  readonly audit: Pick<KeyAudit, 'append'>;
  readonly clock: Clock;
}

/** Stands in the audit log where there is no own SAE. */
const PAD = 'pad';

/** Octets of the pad's secret at the start of its state; the tree follows. */
const SECRET_LENGTH = 32;
const PER_CHUNK = CHUNK / BLOCK;
/** A pad being written has its name only when it is whole. One left by a crash is removed after a day: it may be another window's. */
const STALE_PART = 86_400_000;

/**
 * Cuts keys out of pads. Each step is one transaction with the ledger: the octets leave the pad in the moment in which the ledger has them,
 * and after it nothing on this machine can compute them from what is left of the pad.
 */
export class PadVault {
  readonly #deps: PadVaultDeps;

  constructor(deps: PadVaultDeps) {
    this.#deps = deps;
  }

  /** Where the octets of a pad lie. */
  fileOf(pad: Pick<PadRecord, 'file'>): string {
    return join(this.#deps.folder, pad.file);
  }

  /** Bits left for writing. */
  leftBits(pad: PadRecord): number {
    return pad.state === 'ready' ? (pad.octets / BLOCK - pad.nextBlock) * BLOCK * 8 : 0;
  }

  /**
   * The next octets of the own direction as one key, RESERVED in the ledger.
   * @throws QuMailError `pad.exhausted` (wantedBits, gotBits), `pad.missing`, `pad.damaged`
   */
  take(accountId: string, name: string, peerId: string, bits: number): DeliveredKey {
    const { store, ledger } = this.#deps;
    const blocks = Math.ceil(bits / (BLOCK * 8));
    return store.transaction(() => {
      const pad = this.#ready(accountId, name);
      const left = pad.octets / BLOCK - pad.nextBlock;
      if (blocks > left || blocks > MAX_KEY_BLOCKS)
        throw new QuMailError('pad.exhausted', { wantedBits: bits, gotBits: Math.min(left, MAX_KEY_BLOCKS) * BLOCK * 8 });
      const range = { direction: writing(pad), first: pad.nextBlock, blocks };
      store.setNext(pad, pad.nextBlock + blocks);
      const key = this.#cut(pad, [range])[0]!;
      try {
        ledger.reserve({ accountId, peerSaeIds: [peerId], keys: [key] });
        this.#note('enc_keys', peerId, [key]);
        return key;
      } catch (error) {
        wipe(key.bytes);
        throw error;
      }
    });
  }

  /** True where all of these key IDs were cut from the other side's half of this pad. */
  names(pad: PadRecord, keyIds: readonly string[]): boolean {
    return keyIds.length > 0 && this.#rangesOf(pad, keyIds) !== undefined;
  }

  /** The keys with these IDs, FETCHED in the ledger. @throws QuMailError `key.reused`, `pad.*` */
  fetch(r: { accountId: string; name: string; peerId: string; keyIds: readonly string[]; envelopeId: string }): void {
    const { store, ledger } = this.#deps;
    store.transaction(() => {
      const pad = this.#ready(r.accountId, r.name);
      const ranges = this.#rangesOf(pad, r.keyIds);
      if (ranges === undefined) throw new QuMailError('pad.missing', { address: pad.address });
      for (const [i, { first, blocks }] of ranges.entries())
        if (store.noteRead(pad, first, blocks) === 'read-before') throw new QuMailError('key.reused', { keyId: r.keyIds[i]! });
      const keys = this.#cut(pad, ranges);
      try {
        ledger.recordFetched({ accountId: r.accountId, peerSaeId: r.peerId, envelopeId: r.envelopeId, keys });
        this.#note('dec_keys', r.peerId, keys);
      } finally {
        wipe(...keys.map(({ bytes }) => bytes));
      }
    });
  }

  /** Forgets what opens a pad, then its file. */
  discard(pad: PadRecord): void {
    this.#deps.store.discard(pad);
    rmSync(this.fileOf(pad), { force: true });
  }

  /** A file name for a new pad of this account. */
  newFile(accountId: string, unique: string): string {
    return `${accountId}.${unique}.pad`;
  }

  /** Everything of an account that signs out; its rows may be gone already. */
  eraseAccount(accountId: string): void {
    for (const pad of this.#deps.store.list(accountId)) if (pad.state === 'ready') this.discard(pad);
    for (const name of readdirSync(this.#deps.folder))
      if (name.startsWith(`${accountId}.`)) rmSync(join(this.#deps.folder, name), { force: true });
  }

  /** Removes files that belong to no pad: of accounts that are gone, and of an import that a crash cut short. */
  removeStrays(): void {
    const wanted = new Set(this.#deps.store.list().flatMap((pad) => (pad.state === 'ready' ? [this.fileOf(pad)] : [])));
    for (const name of readdirSync(this.#deps.folder)) {
      const file = join(this.#deps.folder, name);
      if (!/\.pad(?:\.part)?$/.test(name) || wanted.has(file)) continue;
      // Another window may be about to give a whole file its row.
      const changed = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (changed < this.#deps.clock.now() - STALE_PART) rmSync(file, { force: true });
    }
  }

  #note(method: 'enc_keys' | 'dec_keys', peerSaeId: string, keys: readonly DeliveredKey[]): void {
    const row = { at: this.#deps.clock.now(), ownSaeId: PAD, peerSaeId, method, status: 0, latencyMs: 0, outcome: 'delivered' };
    this.#deps.audit.append(...keys.map(({ keyId, bytes }) => ({ ...row, keyId, bits: bytes.length * 8 })));
  }

  #ready(accountId: string, name: string): PadRecord {
    const pad = this.#deps.store.get(accountId, name);
    if (pad?.state !== 'ready') throw new QuMailError('pad.missing', { ...(pad && { address: pad.address }) });
    return pad;
  }

  #rangesOf(pad: PadRecord, keyIds: readonly string[]): PadRange[] | undefined {
    const state = this.#deps.store.state(pad);
    if (state === undefined) return undefined;
    const ids = new PadKeyIds(state.subarray(0, SECRET_LENGTH));
    try {
      const ranges = keyIds.map((keyId) => ids.rangeOf(keyId, reading(pad)));
      const blocks = pad.octets / BLOCK;
      return ranges.every((range) => range !== undefined && range.blocks > 0 && range.first + range.blocks <= blocks)
        ? (ranges as PadRange[])
        : undefined;
    } finally {
      ids.wipe();
      wipe(state);
    }
  }

  /** Takes ranges out of a pad and forgets them there. The caller wipes the keys. */
  #cut(pad: PadRecord, ranges: readonly PadRange[]): DeliveredKey[] {
    const { store } = this.#deps;
    const state = store.state(pad);
    if (state === undefined) throw new QuMailError('pad.missing', { address: pad.address });
    const tree = PadTree.decode(state.subarray(SECRET_LENGTH));
    const ids = new PadKeyIds(state.subarray(0, SECRET_LENGTH));
    const keys: DeliveredKey[] = [];
    const chunks = new OpenChunks(pad, this.fileOf(pad), tree, store);
    try {
      for (const range of ranges) {
        const bytes = Buffer.alloc(range.blocks * BLOCK);
        keys.push({ keyId: ids.idOf(range), bytes });
        for (let done = 0; done < range.blocks;) {
          const block = range.first + done;
          const count = Math.min(range.blocks - done, PER_CHUNK - (block % PER_CHUNK));
          const rest = chunks.get(range.direction, Math.floor(block / PER_CHUNK));
          const part = rest.subarray((block % PER_CHUNK) * BLOCK, (block % PER_CHUNK) * BLOCK + count * BLOCK);
          part.copy(bytes, done * BLOCK);
          wipe(part);
          done += count;
        }
      }
      chunks.store();
      const left = tree.encode();
      const next = Buffer.concat([state.subarray(0, SECRET_LENGTH), left]);
      store.setState(pad, next);
      wipe(left, next);
      return keys;
    } catch (error) {
      wipe(...keys.map(({ bytes }) => bytes));
      throw error;
    } finally {
      chunks.wipe();
      tree.wipe();
      ids.wipe();
      wipe(state);
    }
  }
}

/** The chunks that one step touches: out of the pad's file under a key that the tree then forgets, or what was left of them. */
class OpenChunks {
  readonly #pad: PadRecord;
  readonly #path: string;
  readonly #tree: PadTree;
  readonly #store: PadStore;
  readonly #layout: PadLayout;
  readonly #open = new Map<string, { direction: PadDirection; chunk: number; bytes: Buffer }>();

  constructor(pad: PadRecord, path: string, tree: PadTree, store: PadStore) {
    this.#pad = pad;
    this.#path = path;
    this.#tree = tree;
    this.#store = store;
    this.#layout = new PadLayout(pad.name, pad.octets);
  }

  get(direction: PadDirection, chunk: number): Buffer {
    const known = this.#open.get(`${direction} ${chunk}`);
    if (known) return known.bytes;
    const bytes = this.#store.rest(this.#pad, direction, chunk) ?? this.#fresh(direction, chunk);
    this.#open.set(`${direction} ${chunk}`, { direction, chunk, bytes });
    return bytes;
  }

  store(): void {
    for (const { direction, chunk, bytes } of this.#open.values())
      this.#store.setRest(this.#pad, direction, chunk, bytes.some((byte) => byte !== 0) ? bytes : undefined);
  }

  wipe(): void {
    wipe(...[...this.#open.values()].map(({ bytes }) => bytes));
  }

  #fresh(direction: PadDirection, chunk: number): Buffer {
    const key = this.#tree.take(this.#layout.leafOf({ direction, chunk }));
    if (key === undefined) throw new QuMailError('key.reused', {});
    let file: number | undefined;
    try {
      file = openSync(this.#path, 'r');
      return this.#layout.read(file, { direction, chunk }, key);
    } catch (error) {
      throw QuMailError.from(error, 'pad.damaged', { reason: 'cut' });
    } finally {
      wipe(key);
      if (file !== undefined) closeSync(file);
    }
  }
}

/** Who made the pad writes forth, who imported it writes back: the two never share a byte. */
function writing(pad: Pick<PadRecord, 'role'>): PadDirection {
  return pad.role === 'maker' ? 'forth' : 'back';
}

function reading(pad: Pick<PadRecord, 'role'>): PadDirection {
  return pad.role === 'maker' ? 'back' : 'forth';
}
