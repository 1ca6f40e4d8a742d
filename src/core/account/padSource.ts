import { QuMailError } from '../base/errors.ts';
import type { DeliveredKey } from '../keys/etsi014.ts';
import type { PadStore } from '../store/padStore.ts';
import type { PadSources } from './keyLinks.ts';
import type { FetchRequest, KeySource, SourceCapacity, TakeRequest } from './keySource.ts';
import type { PadVault } from './padVault.ts';

export interface PadSourcesDeps {
  readonly store: PadStore;
  readonly vault: PadVault;
}

/** Finds the pad for a contact: for writing the oldest that has something left, for reading the one that the key IDs name. */
export class PadKeySources implements PadSources {
  readonly #deps: PadSourcesDeps;

  constructor(deps: PadSourcesDeps) {
    this.#deps = deps;
  }

  sourceFor(accountId: string, address: string): KeySource | undefined {
    const pads = this.#deps.store.sharedWith(accountId, address);
    // One that is used up still stands for the contact: that it is empty is what has to be said.
    const pad = pads.find((candidate) => this.#deps.vault.leftBits(candidate) > 0) ?? pads[0];
    return pad && this.#source(accountId, address, pad.name);
  }

  stockBits(accountId: string, address: string): number {
    const pads = this.#deps.store.sharedWith(accountId, address);
    return Math.max(0, ...pads.map((pad) => this.#deps.vault.leftBits(pad)));
  }

  sourceOfKeys(accountId: string, address: string, keyIds: readonly string[]): KeySource | undefined {
    const pad = this.#deps.store.sharedWith(accountId, address).find((candidate) => this.#deps.vault.names(candidate, keyIds));
    return pad && this.#source(accountId, address, pad.name);
  }

  #source(accountId: string, address: string, name: string): KeySource {
    return new PadSource({ ...this.#deps, accountId, address, name });
  }
}

/** Keys out of one pad, and for what is longer than its rest out of the next one shared with the same contact. */
class PadSource implements KeySource {
  readonly kind = 'pad';
  readonly peerId: string;
  readonly ownSaeId = undefined;
  readonly believedSharers = 0;
  readonly #deps: PadSourcesDeps & { accountId: string; address: string; name: string };

  constructor(deps: PadSourcesDeps & { accountId: string; address: string; name: string }) {
    this.#deps = deps;
    // The contact, not the pad: which pad has something left changes while a message is written.
    this.peerId = `pad:${deps.address.toLowerCase()}`;
  }

  async capacity(): Promise<SourceCapacity> {
    return { maxSharers: 0, stockBits: Math.max(0, ...this.#pads().map((pad) => this.#deps.vault.leftBits(pad))) };
  }

  async take({ bits }: TakeRequest): Promise<DeliveredKey[]> {
    const { accountId, vault } = this.#deps;
    // A message is sealed from one pad: its reader looks for all of its keys in one.
    const pads = this.#pads();
    const pad = pads.find((candidate) => vault.leftBits(candidate) >= bits);
    if (!pad) throw new QuMailError('pad.exhausted', { wantedBits: bits, gotBits: (await this.capacity()).stockBits ?? 0 });
    return [vault.take(accountId, pad.name, this.peerId, bits)];
  }

  async fetch({ keyIds, envelopeId }: FetchRequest): Promise<void> {
    const { accountId, name, vault } = this.#deps;
    vault.fetch({ accountId, name, peerId: this.peerId, keyIds, envelopeId });
  }

  #pads() {
    return this.#deps.store.sharedWith(this.#deps.accountId, this.#deps.address);
  }
}
