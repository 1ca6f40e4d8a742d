import type { AccountSyncState, FolderSyncChoice } from '../sync.ts';
import { namesOf } from './requestNames.ts';

/** The offline copy of mail. Every request may reject with a QuMailError and with nothing else. */
export interface SyncRequests {
  /** How the offline copy of an account stands. */
  getSyncState(request: { accountId: string }): Promise<AccountSyncState>;
  /** How much of a folder is kept offline; takes effect at once. What is no longer wanted is not erased, only no longer renewed. */
  setFolderSync(request: { accountId: string; folder: string; sync: FolderSyncChoice }): Promise<void>;
  /** Subscribes to a folder on the server, or ends that (RFC 9051 section 6.3.7). */
  subscribeFolder(request: { accountId: string; folder: string; subscribed: 'subscribed' | 'unsubscribed' }): Promise<void>;
  /**
   * Ends the filling of the offline copy, in whichever window it is under way; `fetchMail`, or `setFolderSync` with any choice, goes on with it. All folders are
   * still looked into, and what arrives comes whole. Resolves once it has ended, or another window was told to end it.
   */
  cancelSync(request: { accountId: string }): Promise<void>;
}

export const SYNC_REQUESTS = namesOf<SyncRequests>({
  getSyncState: 1,
  setFolderSync: 1,
  subscribeFolder: 1,
  cancelSync: 1,
});
