import type { Failure } from './model.ts';

/** How much of a folder is kept offline. */
export const FOLDER_SYNCS = ['all', 'headers', 'off'] as const;
export type FolderSyncChoice = (typeof FOLDER_SYNCS)[number];

/** How one folder stands with the server. */
export interface FolderSyncState {
  readonly path: string;
  readonly sync: FolderSyncChoice;
  /** True where the person chose it, false where it is the folder's default. */
  readonly chosen: boolean;
  readonly subscribed?: boolean;
  /** Messages known here, and how many of them with their source. */
  readonly known: number;
  readonly stored: number;
  /** Those of them that are or were sealed. */
  readonly sealed: number;
}

/**
 * How far the offline copy is. `waiting`: it goes on with the next look; `complete`: all is here that is to be; `stopped`: a person wants no more old mail
 * for now, what is new still comes; `no-room`: it would take more than it may on this machine; `cut`: a failure ended it, the next look tries again.
 */
export type Filling = 'going-on' | 'waiting' | 'complete' | 'stopped' | 'no-room' | 'cut';

/** How an account's offline copy stands. */
export interface AccountSyncState {
  readonly accountId: string;
  /** True while this account is brought up to date in this window. */
  readonly active: boolean;
  /** Whether this window does that, or another one. */
  readonly holder: 'here' | 'elsewhere';
  /** Whichever window fills it. */
  readonly filling: Filling;
  /** Why, where it was cut. */
  readonly failure?: Failure;
  readonly folders: readonly FolderSyncState[];
  /** Octets of mail on the server and allowed there, where it tells. */
  readonly quota?: { readonly used: number; readonly limit: number };
  /** Octets that all offline mail takes on this machine, and may take. */
  readonly disk: { readonly used: number; readonly budget: number };
}
