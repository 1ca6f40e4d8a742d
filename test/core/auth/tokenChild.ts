/** Another window with an OAuth2Manager of its own over the same folder and secrets; told what to do over IPC. See tokenWindows.test.ts. */
import { join } from 'node:path';
import { OAuth2Manager } from '../../../src/core/auth/oauth2Manager.ts';
import { createHttpsFetch } from '../../../src/core/base/httpsFetch.ts';
import { Log } from '../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { WindowLock } from '../../../src/core/store/windowLock.ts';
import { folderSecrets } from '../store/vaultFixture.ts';

export interface WindowStart {
  readonly folder: string;
  readonly caPem: string;
  /** Where the window dies: before the new grant reaches the secret store, or after. */
  readonly dies?: 'before-storing' | 'after-storing';
  /** How long another window's writes stay hidden from this one, in milliseconds, as VS Code's own may. */
  readonly lagMs?: number;
}
export interface WindowTask {
  readonly email: string;
  readonly calls: number;
  readonly how: 'if-needed' | 'forced';
}
/** Distinct tokens, and the codes of failures. */
export interface WindowAnswer {
  readonly tokens: readonly string[];
  readonly failures: readonly string[];
}

function managerOf({ folder, caPem, dies, lagMs }: WindowStart): OAuth2Manager {
  const shared = folderSecrets(`${folder}-secrets`);
  const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
  const cache = new Map<string, { value: string | undefined; at: number }>();
  const secrets = {
    ...shared,
    async get(key: string) {
      const cached = cache.get(key);
      if (cached && lagMs !== undefined && performance.now() - cached.at < lagMs) return cached.value;
      const value = await shared.get(key);
      cache.set(key, { value, at: performance.now() });
      return value;
    },
    async set(key: string, value: string) {
      if (dies === 'before-storing') process.kill(process.pid, 'SIGKILL');
      cache.set(key, { value, at: performance.now() });
      await shared.set(key, value);
      if (dies === 'after-storing') process.kill(process.pid, 'SIGKILL');
    },
  };
  return new OAuth2Manager({
    secrets,
    clock: systemClock,
    random: systemRandom,
    fetch: createHttpsFetch({ authorities: () => caPem }),
    openBrowser: async () => false,
    log: new Log(() => {}, 'child'),
    settings: () => ({ googleClientId: '', yahooClientId: '', signInRedirect: 'loopback', uriRedirect: '' }),
    lock: new WindowLock({ db, clock: systemClock, random: systemRandom }),
  });
}

async function ask(manager: OAuth2Manager, { email, calls, how }: WindowTask): Promise<WindowAnswer> {
  const outcomes = await Promise.allSettled(Array.from({ length: calls }, () => manager.refreshTokenIfNeeded('oidc', email, how)));
  const tokens = new Set(outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value.accessToken] : [])));
  const failures = new Set(
    outcomes.flatMap((each) => (each.status === 'rejected' ? [String((each.reason as { code?: string }).code ?? each.reason)] : [])),
  );
  return { tokens: [...tokens], failures: [...failures] };
}

if (process.argv[1]?.endsWith('tokenChild.ts')) {
  process.once('message', (start) => {
    const manager = managerOf(start as WindowStart);
    process.on('message', (task) => void ask(manager, task as WindowTask).then((answer) => process.send?.(answer)));
    process.send?.('ready');
  });
  process.send?.('started');
}
