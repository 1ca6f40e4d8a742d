import { CommandTokens } from './auth/commandTokens.ts';
import { HostTokens } from './auth/hostTokens.ts';
import { IdentityManager } from './auth/identityManager.ts';
import { OAuth2Manager } from './auth/oauth2Manager.ts';
import type { ProviderTable } from './auth/providers.ts';
import type { DisposableStore } from './base/lifetime.ts';
import type { Log } from './base/log.ts';
import type { Clock, CrossWindowLock, HttpFetch, Random, TrustedAuthorities } from './base/ports.ts';
import type { EngineOptions, EngineSettings } from './api.ts';
import type { CoreStores } from './coreStores.ts';
import { ServerDiscovery } from './transport/discovery.ts';
import { createProbe } from './transport/probeServer.ts';
import { systemSrv } from './transport/srvRecords.ts';

export interface CoreAuthOptions {
  readonly stores: Pick<CoreStores, 'accounts' | 'managers' | 'secrets'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: HttpFetch;
  readonly lock: CrossWindowLock;
  readonly providers: ProviderTable;
  readonly authorities: TrustedAuthorities;
  readonly options: Pick<EngineOptions, 'hostToken' | 'openBrowser'>;
  readonly settings: () => EngineSettings;
}

/** Who the user is, and where an address's servers are. */
export interface CoreAuth {
  readonly oauth: OAuth2Manager;
  readonly hostTokens: HostTokens;
  readonly commandTokens: CommandTokens;
  readonly identity: IdentityManager;
  readonly discovery: ServerDiscovery;
}

/** Builds all ways of signing in; `owned` takes what has to be closed. */
export function buildAuth(deps: CoreAuthOptions, owned: DisposableStore): CoreAuth {
  const { stores, clock, random, fetch, lock, providers, authorities, options, settings } = deps;
  const log = deps.log.scoped('auth');
  const { secrets, accounts, managers } = stores;
  const { openBrowser, hostToken } = options;
  const oauth = owned.add(new OAuth2Manager({ secrets, clock, random, fetch, openBrowser, log, settings, providers, lock }));
  const hostTokens = new HostTokens({ source: hostToken, clock, log });
  const commandTokens = owned.add(new CommandTokens({ clock, log }));
  const saeIdOf = (accountId: string): string | undefined => managers.get(accountId)?.saeId;
  const identity = new IdentityManager({ accounts, secrets, oauth, hostTokens, commandTokens, clock, saeIdOf });
  const discovery = new ServerDiscovery({
    fetch,
    resolveSrv: systemSrv(),
    probe: createProbe({ authorities }),
    clock,
    log: deps.log.scoped('discovery'),
  });
  return { oauth, hostTokens, commandTokens, identity, discovery };
}
