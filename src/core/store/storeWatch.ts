import type { DatabaseSync } from 'node:sqlite';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import { Statements } from './statements.ts';

/** How often it is looked whether another window wrote, milliseconds. */
const LOOK_MS = 1000;

export interface ForeignChanges {
  /** Folders whose messages are different. */
  messages(accountId: string, path: string): void;
  /** Folders came, went, or count differently. */
  folders(accountId: string): void;
  /** The accounts, how the window that syncs them says they are doing, or whether old mail is to be taken in. */
  accounts(): void;
  /** Anything in the vault. */
  vault(): void;
}

interface Seen {
  readonly revision: number;
  readonly counts: string;
}

/**
 * Notices what other windows write to the two databases, and tells what to show anew. `PRAGMA data_version` changes with every commit of
 * somebody else and never with one's own, and costs microseconds; only then are the folders' revisions compared.
 */
export class StoreWatch implements Disposable {
  readonly #deps: { readonly mail: DatabaseSync; readonly vault: DatabaseSync; readonly clock: Clock; readonly changed: ForeignChanges };
  readonly #mail: Statements;
  readonly #vault: Statements;
  #mailVersion: number;
  #vaultVersion: number;
  #folders: ReadonlyMap<string, ReadonlyMap<string, Seen>>;
  #states: string;
  #next: Disposable;

  constructor(deps: { mail: DatabaseSync; vault: DatabaseSync; clock: Clock; changed: ForeignChanges }) {
    this.#deps = deps;
    this.#mail = new Statements(deps.mail);
    this.#vault = new Statements(deps.vault);
    this.#mailVersion = versionOf(this.#mail);
    this.#vaultVersion = versionOf(this.#vault);
    this.#folders = this.#readFolders();
    this.#states = this.#readStates();
    this.#next = this.#arm();
  }

  dispose(): void {
    this.#next.dispose();
  }

  #arm(): Disposable {
    return this.#deps.clock.after(LOOK_MS, () => {
      this.#next = this.#arm();
      try {
        this.#look();
      } catch {
        // Locked or closing: the next look sees the same.
      }
    });
  }

  #look(): void {
    const vault = versionOf(this.#vault);
    if (vault !== this.#vaultVersion) {
      this.#vaultVersion = vault;
      this.#deps.changed.vault();
      this.#deps.changed.accounts();
    }
    const mail = versionOf(this.#mail);
    if (mail === this.#mailVersion) return;
    this.#mailVersion = mail;
    const before = this.#folders;
    this.#folders = this.#readFolders();
    for (const accountId of new Set([...before.keys(), ...this.#folders.keys()])) this.#compare(accountId, before.get(accountId));
    const states = this.#readStates();
    if (states !== this.#states) {
      this.#states = states;
      this.#deps.changed.accounts();
    }
  }

  #compare(accountId: string, before: ReadonlyMap<string, Seen> | undefined): void {
    const now = this.#folders.get(accountId);
    let listed = before?.size !== now?.size;
    for (const [path, seen] of now ?? []) {
      const earlier = before?.get(path);
      if (earlier?.counts !== seen.counts) listed = true;
      if (earlier?.revision !== seen.revision) this.#deps.changed.messages(accountId, path);
    }
    if (listed) this.#deps.changed.folders(accountId);
  }

  #readFolders(): ReadonlyMap<string, ReadonlyMap<string, Seen>> {
    const accounts = new Map<string, Map<string, Seen>>();
    for (const row of this.#mail.all('SELECT account_id, path, revision, unread, total FROM folders')) {
      const accountId = row.text('account_id');
      const folders = accounts.get(accountId) ?? new Map<string, Seen>();
      accounts.set(accountId, folders);
      folders.set(row.text('path'), { revision: row.integer('revision'), counts: `${row.integer('unread')}/${row.integer('total')}` });
    }
    return accounts;
  }

  #readStates(): string {
    const states = `SELECT account_id || ' ' || state || ' ' || coalesce(failure, '') AS told FROM sync_state
      UNION ALL SELECT account_id || ' ' || stopped || ' ' || coalesce(outcome, '') || ' ' || coalesce(failure, '') FROM filling ORDER BY 1`;
    return this.#mail
      .all(states)
      .map((row) => row.text('told'))
      .join('\n');
  }
}

function versionOf(sql: Statements): number {
  return sql.get('PRAGMA data_version')!.integer('data_version');
}
