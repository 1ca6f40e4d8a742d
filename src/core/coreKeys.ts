import type { AccountService } from './account/accountService.ts';
import { KeyBudgetBook } from './account/keyBudgetBook.ts';
import { KeyLinks } from './account/keyLinks.ts';
import { KeyManagerService } from './account/keyManagerService.ts';
import { PadService } from './account/padService.ts';
import { PadKeySources } from './account/padSource.ts';
import { PadVault } from './account/padVault.ts';
import type { QuMailEvent } from './base/events.ts';
import { DisposableStore, type Disposable } from './base/lifetime.ts';
import type { Log } from './base/log.ts';
import type { Clock, Random } from './base/ports.ts';
import type { KeyRequests } from './base/requests/keyRequests.ts';
import { KeyUse } from './keys/keyUse.ts';
import type { CoreStores } from './coreStores.ts';

export interface CoreKeysDeps {
  readonly stores: CoreStores;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly world: 'real' | 'lab';
  readonly emit: (event: QuMailEvent) => void;
}

/** Where keys come from: key managers and pads, and what is asked about them. */
export class CoreKeys implements Disposable {
  /** The one place that sealing and opening ask. */
  readonly links: KeyLinks;
  readonly #deps: CoreKeysDeps;
  readonly #vault: PadVault;
  readonly #budget: KeyBudgetBook;
  readonly #owned = new DisposableStore();

  constructor(deps: CoreKeysDeps) {
    const { stores, clock, random, log, world, emit } = deps;
    const { managers, contacts, storage, audit, ledger, pads } = stores;
    this.#deps = deps;
    this.#budget = new KeyBudgetBook({ use: new KeyUse({ db: stores.vault }), managers, clock, emit });
    this.#vault = new PadVault({ folder: stores.padFolder, store: pads, ledger, audit, clock });
    this.links = this.#owned.add(
      new KeyLinks({
        managers,
        contacts,
        storage,
        clock,
        random,
        log: log.scoped('kme'),
        audit,
        ledger,
        pads: new PadKeySources({ store: pads, vault: this.#vault }),
        world,
        budget: this.#budget,
        emit,
      }),
    );
  }

  /** The requests of this area, but for contacts. */
  requests(accounts: AccountService): Omit<KeyRequests, 'listContacts' | 'saveContact' | 'deleteContact'> {
    const { stores, clock, random, world, emit } = this.#deps;
    const { ledger, audit, contacts } = stores;
    const managers = new KeyManagerService({
      links: this.links,
      managers: stores.managers,
      contacts,
      budget: this.#budget,
      ledger,
      audit,
      accounts,
      clock,
      random,
      world,
      emit,
    });
    const pads = new PadService({ store: stores.pads, vault: this.#vault, contacts, accounts, clock, random, emit });
    return {
      listKeyManagers: () => managers.listKeyManagers(),
      connectKeyManager: (request, options) => managers.connectKeyManager(request, options),
      disconnectKeyManager: (request) => managers.disconnectKeyManager(request),
      getKeyManagerStatus: (request, options) => managers.getKeyManagerStatus(request, options),
      setKeyManagerProfile: (request) => managers.setKeyManagerProfile(request),
      addStandbyKeyManager: (request, options) => managers.addStandbyKeyManager(request, options),
      removeStandbyKeyManager: (request) => managers.removeStandbyKeyManager(request),
      testKeyManager: (request, options) => managers.testKeyManager(request, options),
      getKeyBudget: (request, options) => managers.getKeyBudget(request, options),
      setKeyQuota: (request) => managers.setKeyQuota(request),
      createPad: (request, options) => pads.createPad(request, options),
      importPad: (request, options) => pads.importPad(request, options),
      listPads: (request) => pads.listPads(request),
      discardPad: (request) => pads.discardPad(request),
    };
  }

  /** What is due each day, before old epoch keys are deleted. */
  housekeeping(): void {
    this.#deps.stores.pads.reseal();
    this.#vault.removeStrays();
  }

  /** Forgets key manager, client key and pads of an account that signs out. */
  async eraseAccount(accountId: string): Promise<void> {
    this.#vault.eraseAccount(accountId);
    await this.links.disconnect(accountId);
  }

  dispose(): void {
    this.#owned.dispose();
  }
}
