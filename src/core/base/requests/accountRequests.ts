import type { EngineSettings } from '../engineSettings.ts';
import type { AccountHealth } from '../health.ts';
import type { AccessToken, Account, AddAccountRequest, DiscoveredServers } from '../model.ts';
import type { ProviderId } from '../types.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** Accounts: signing in, staying signed in, health, settings. Every request may reject with a QuMailError and with nothing else. */
export interface AccountRequests {
  configure(settings: EngineSettings): Promise<void>;
  listAccounts(): Promise<readonly Account[]>;
  /** Tokens, connections, last sync, outbox and last errors of every account, as they are now. Asks nobody. */
  getAccountHealth(): Promise<readonly AccountHealth[]>;
  /** Servers of an address, best first, to be shown before use; empty when nothing was found, offline too. At most ten seconds. */
  discoverServers(request: { email: string }, options?: CallOptions): Promise<readonly DiscoveredServers[]>;
  /** Checks connections and tokens now, after sleep or a change of network, and looks for mail; resolves once connections are checked. */
  nudge(request: { reason: 'wake' | 'network' }): Promise<void>;
  /** Signs in (password, or OAuth2 through the browser), checks IMAP and SMTP, stores the account, starts syncing it. */
  addAccount(request: AddAccountRequest, options?: CallOptions): Promise<Account>;
  /** Signs an existing account in again: `password` for qumail_native, the browser or the editor's question otherwise. Mail and keys stay. */
  signInAgain(request: { accountId: string; password?: string }, options?: CallOptions): Promise<Account>;
  /** Revokes tokens where the provider can, erases the account's credentials, mail, contacts, keys. */
  signOut(request: { accountId: string }): Promise<void>;
  /** A token valid for at least five minutes, for VS Code's Accounts menu; google, yahoo and oidc only. */
  getAccessToken(request: { accountId: string }): Promise<AccessToken>;
  /** Hands the URI that VS Code's URI handler received to the sign-in that waits for it. */
  deliverRedirect(request: { uri: string }): Promise<void>;
  /** Stores an OAuth client secret in the secret store; an empty one deletes it. */
  setClientSecret(request: { provider: ProviderId; issuer?: string; secret: string }): Promise<void>;
}

export const ACCOUNT_REQUESTS = namesOf<AccountRequests>({
  configure: 1,
  listAccounts: 1,
  getAccountHealth: 1,
  discoverServers: 1,
  nudge: 1,
  addAccount: 1,
  signInAgain: 1,
  signOut: 1,
  getAccessToken: 1,
  deliverRedirect: 1,
  setClientSecret: 1,
});
