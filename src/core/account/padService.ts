import { rm } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { CallOptions } from '../base/requests/requestNames.ts';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { CreatePadRequest, Pad } from '../base/keys.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Clock, Random } from '../base/ports.ts';
import { normalizeAddress } from '../mail/address.ts';
import { BLOCK, padName } from '../keys/padKeyId.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { PadRecord, PadStore } from '../store/padStore.ts';
import type { AccountService } from './accountService.ts';
import { erasePadFile, readPad, readPadHeader, writePad, type TransferOptions } from './padTransfer.ts';
import type { PadVault } from './padVault.ts';

export interface PadServiceDeps {
  readonly store: PadStore;
  readonly vault: PadVault;
  readonly contacts: ContactStore;
  readonly accounts: AccountService;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: QuMailEvent) => void;
}

/** Of both directions together: a few short notes, and what fits on a large stick. */
const MIN_OCTETS = 8192;
const MAX_OCTETS = 16 * 1024 ** 3;

/** Pads exchanged in person: made here, handed over, imported there. */
export class PadService {
  readonly #deps: PadServiceDeps;

  constructor(deps: PadServiceDeps) {
    this.#deps = deps;
  }

  /** Makes a pad for a contact: the file to hand over, and the own half. Makes the contact where there is none. */
  async createPad(request: CreatePadRequest, options: CallOptions = {}): Promise<Pad> {
    const { accountId, path, randomPath } = request;
    const { store, random, clock } = this.#deps;
    const [self, address] = this.#parties(accountId, request.address);
    for (const file of [path, randomPath ?? path]) if (!isAbsolute(file)) throw new QuMailError('engine.bad-request', { field: 'path' });
    if (!Number.isSafeInteger(request.octets) || request.octets < MIN_OCTETS)
      throw new QuMailError('pad.too-short', { wantedOctets: MIN_OCTETS, gotOctets: Number(request.octets) || 0 });
    if (request.octets > MAX_OCTETS) throw new QuMailError('engine.bad-request', { field: 'octets' });
    const secret = random.bytes(32);
    const header = { secret, from: self, to: address, octets: Math.floor(request.octets / 2 / BLOCK) * BLOCK };
    const pad = {
      accountId,
      name: padName(secret),
      address,
      role: 'maker' as const,
      octets: header.octets,
      createdAt: clock.now(),
      file: this.#deps.vault.newFile(accountId, random.uuid()),
    };
    const files = { path, target: this.#deps.vault.fileOf(pad), randomPath };
    try {
      const state = await writePad(header, files, this.#transfer(accountId, options));
      try {
        store.add(pad, state);
      } catch (error) {
        await erasePadFile(files.target);
        await erasePadFile(path);
        throw error;
      } finally {
        wipe(state);
      }
    } finally {
      wipe(secret);
    }
    return this.#added(accountId, pad.name, address);
  }

  /** Imports a pad that a contact made, and erases the file. */
  async importPad(request: { accountId: string; address: string; path: string }, options: CallOptions = {}): Promise<Pad> {
    const { accountId, path } = request;
    const { store, clock, random, vault } = this.#deps;
    const [self, address] = this.#parties(accountId, request.address);
    if (!isAbsolute(path)) throw new QuMailError('engine.bad-request', { field: 'path' });
    const seen = await readPadHeader(path);
    const name = padName(seen.secret);
    wipe(seen.secret);
    if (same(seen.from, self)) throw new QuMailError('pad.own-file');
    if (!same(seen.from, address)) throw new QuMailError('pad.wrong-contact', { expected: address, found: seen.from });
    if (!same(seen.to, self)) throw new QuMailError('pad.wrong-contact', { expected: self, found: seen.to });
    if (store.get(accountId, name)) throw new QuMailError('pad.already-imported', { name });
    const file = vault.newFile(accountId, random.uuid());
    const target = vault.fileOf({ file });
    const { header, state } = await readPad(path, target, this.#transfer(accountId, options));
    try {
      // The file that was looked at first may have been replaced by another.
      if (padName(header.secret) !== name || !same(header.from, address) || !same(header.to, self))
        throw new QuMailError('pad.damaged', { reason: 'altered' });
      store.transaction(() => {
        if (store.get(accountId, name)) throw new QuMailError('pad.already-imported', { name });
        store.add({ accountId, name, address, role: 'guest', octets: header.octets, createdAt: clock.now(), file }, state);
      });
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    } finally {
      wipe(state, header.secret);
    }
    await erasePadFile(path);
    const pad = this.#added(accountId, name, address);
    // Mail that waited for this pad can be opened now.
    this.#deps.accounts
      .get(accountId)
      .fetch()
      .catch(() => {});
    return pad;
  }

  async listPads(request: { accountId: string }): Promise<readonly Pad[]> {
    this.#deps.accounts.get(request.accountId);
    return this.#deps.store.list(request.accountId).map((pad) => this.#padOf(pad));
  }

  /** Destroys what is left of a pad. Its name stays, so that the file cannot be imported again. */
  async discardPad(request: { accountId: string; name: string }): Promise<void> {
    const pad = this.#deps.store.get(request.accountId, request.name);
    if (!pad) throw new QuMailError('pad.missing');
    this.#deps.vault.discard(pad);
    this.#changed(request.accountId);
  }

  #parties(accountId: string, written: string): [self: string, address: string] {
    const self = this.#deps.accounts.addressOf(accountId).address;
    const address = normalizeAddress(written);
    if (address === undefined) throw new QuMailError('draft.bad-address', { address: written });
    if (same(self, address)) throw new QuMailError('engine.bad-request', { field: 'address' });
    return [self, address];
  }

  #transfer(accountId: string, { signal }: CallOptions): TransferOptions {
    const { random, emit } = this.#deps;
    return { random, signal, progress: (done, total) => emit({ kind: 'pad-progress', accountId, done, total }) };
  }

  #added(accountId: string, name: string, address: string): Pad {
    const { contacts, store } = this.#deps;
    if (!contacts.get(accountId, address)) contacts.put({ accountId, address, name: '', minimumLevel: 'L4' });
    this.#changed(accountId);
    return this.#padOf(store.get(accountId, name)!);
  }

  #changed(accountId: string): void {
    this.#deps.emit({ kind: 'key-managers' });
    this.#deps.emit({ kind: 'contacts', accountId });
  }

  #padOf(pad: PadRecord): Pad {
    return {
      accountId: pad.accountId,
      address: pad.address,
      name: pad.name,
      role: pad.role,
      state: pad.state,
      bits: pad.octets * 8,
      leftBits: this.#deps.vault.leftBits(pad),
      readBits: pad.readBlocks * BLOCK * 8,
      createdAt: pad.createdAt,
    };
  }
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
