import type { QuMailRequests } from '../api.ts';
import type { AccountHealth, HealthError } from '../base/health.ts';
import type { OutboxEntry } from '../base/outgoing.ts';
import type { IdentityManager } from '../auth/identityManager.ts';
import type { OAuth2Manager } from '../auth/oauth2Manager.ts';
import type { AccountRecord } from '../store/accounts.ts';
import type { OfflineStore } from '../store/offline.ts';
import type { OutboxRow, OutboxStore } from '../store/outbox.ts';
import type { AccountService } from './accountService.ts';
import type { MailAccount } from './mailAccount.ts';
import { fillingOf } from './sync/fillingOf.ts';
import { readFailure } from './stored.ts';

const MOST_ERRORS = 20;

export interface HealthDeps {
  readonly identity: Pick<IdentityManager, 'list'>;
  readonly oauth: Pick<OAuth2Manager, 'health'>;
  readonly accounts: Pick<AccountService, 'all'>;
  readonly outbox: Pick<OutboxStore, 'list'>;
  readonly offline: OfflineStore;
  /** Octets. */
  readonly budget: () => number;
}

/** How every account is doing: facts that others keep, put together. What is not a time, a count, a code or an address stays out. */
export class HealthService implements Pick<QuMailRequests, 'getAccountHealth'> {
  readonly #deps: HealthDeps;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
  }

  async getAccountHealth(): Promise<readonly AccountHealth[]> {
    const rows = this.#deps.outbox.list();
    return Promise.all(
      this.#deps.identity.list().map((record) =>
        this.#healthOf(
          record,
          rows.filter(({ accountId }) => accountId === record.id),
        ),
      ),
    );
  }

  async #healthOf(record: AccountRecord, rows: readonly OutboxRow[]): Promise<AccountHealth> {
    const running = this.#deps.accounts.all().find(({ id }) => id === record.id);
    const token = await this.#deps.oauth.health(record.provider, record.email);
    const failure = running?.failure;
    return {
      accountId: record.id,
      email: record.email,
      provider: record.provider,
      state: running?.state ?? 'offline',
      ...(failure && { failure: { code: failure.code, details: failure.details } }),
      ...(running?.lastSync !== undefined && { lastSync: running.lastSync }),
      ...(token && { token }),
      ...(running && { offline: fillingOf(running, this.#deps.offline, this.#deps.budget()) }),
      connections: running?.handler.connections() ?? [],
      outbox: countsOf(rows),
      errors: errorsOf(running, rows),
    };
  }
}

function countsOf(rows: readonly OutboxRow[]): AccountHealth['outbox'] {
  const counts = new Map<OutboxEntry['state'], number>();
  for (const { state } of rows) if (state !== 'accepted' && state !== 'filed') counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => ({ state, count }));
}

function errorsOf(running: MailAccount | undefined, rows: readonly OutboxRow[]): HealthError[] {
  const mail = (running?.lastErrors ?? []).map(({ at, code }): HealthError => ({ at, where: 'mail', code }));
  const outbox = rows.flatMap((row): HealthError[] => {
    const failure = readFailure(row.failureJson);
    if (!failure) return [];
    const { status, enhanced } = failure.details;
    return [
      {
        at: row.updatedAt,
        where: 'outbox',
        code: failure.code,
        ...(typeof status === 'number' && { status }),
        ...(typeof enhanced === 'string' && enhanced !== '' && { enhanced }),
      },
    ];
  });
  return [...mail, ...outbox].toSorted((a, b) => a.at - b.at).slice(-MOST_ERRORS);
}
