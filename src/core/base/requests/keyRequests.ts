import type { ConformanceReport, CreatePadRequest, KeyBudget, KmeProfileName, Pad } from '../keys.ts';
import type { ConnectKeyManagerRequest, Contact, KeyManager, KeyManagerStatus } from '../model.ts';
import type { SecurityLevel } from '../types.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** Contacts, key managers and the keys they give. Every request may reject with a QuMailError and with nothing else. */
export interface KeyRequests {
  listContacts(request: { accountId: string }): Promise<readonly Contact[]>;
  saveContact(request: { accountId: string; address: string; name: string; saeId?: string; minimumLevel: SecurityLevel }): Promise<Contact>;
  deleteContact(request: { accountId: string; address: string }): Promise<void>;
  listKeyManagers(): Promise<readonly KeyManager[]>;
  /** Checks address, certificates and KME ID before anything is stored. */
  connectKeyManager(request: ConnectKeyManagerRequest, options?: CallOptions): Promise<KeyManager>;
  disconnectKeyManager(request: { accountId: string }): Promise<void>;
  getKeyManagerStatus(request: { accountId: string }, options?: CallOptions): Promise<KeyManagerStatus>;
  /** How the account's key manager is asked from now on. */
  setKeyManagerProfile(request: { accountId: string; profile: KmeProfileName }): Promise<KeyManager>;
  /** Another key manager that serves the same SAE, with the same client certificate; `caPem` where another authority signed its own. */
  addStandbyKeyManager(
    request: { accountId: string; url: string; kmeId: string; caPem?: string },
    options?: CallOptions,
  ): Promise<KeyManager>;
  removeStandbyKeyManager(request: { accountId: string; url: string }): Promise<KeyManager>;
  /** Asks the key manager what it honours of the standard; costs a few keys, which are destroyed. */
  testKeyManager(request: { accountId: string; peerSaeId?: string }, options?: CallOptions): Promise<ConformanceReport>;
  /** Stock, rates and shares of every link and pad; asks the key manager for its stock. */
  getKeyBudget(request: { accountId: string }, options?: CallOptions): Promise<KeyBudget>;
  /** A contact's share: at most `bits` of key in any `seconds`; without them there is no limit. */
  setKeyQuota(request: { accountId: string; address: string; bits?: number; seconds?: number }): Promise<void>;
  /** Makes a pad for a contact: the file to hand over, and the own half. Makes the contact where there is none. */
  createPad(request: CreatePadRequest, options?: CallOptions): Promise<Pad>;
  /** Imports a pad that a contact made and handed over, and erases the file. */
  importPad(request: { accountId: string; address: string; path: string }, options?: CallOptions): Promise<Pad>;
  /** All pads of an account, discarded ones included, oldest first. */
  listPads(request: { accountId: string }): Promise<readonly Pad[]>;
  /** Destroys what is left of a pad; it can never be imported again. */
  discardPad(request: { accountId: string; name: string }): Promise<void>;
}

export const KEY_REQUESTS = namesOf<KeyRequests>({
  listContacts: 1,
  saveContact: 1,
  deleteContact: 1,
  listKeyManagers: 1,
  connectKeyManager: 1,
  disconnectKeyManager: 1,
  getKeyManagerStatus: 1,
  setKeyManagerProfile: 1,
  addStandbyKeyManager: 1,
  removeStandbyKeyManager: 1,
  testKeyManager: 1,
  getKeyBudget: 1,
  setKeyQuota: 1,
  createPad: 1,
  importPad: 1,
  listPads: 1,
  discardPad: 1,
});
