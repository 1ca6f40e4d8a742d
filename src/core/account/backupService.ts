import * as v from 'valibot';
import type { BackupSummary, Omitted, RestoreResult } from '../base/backup.ts';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { CallOptions } from '../base/requests/requestNames.ts';
import { PROVIDER_IDS } from '../base/types.ts';
import type { AccountRecord, AccountStore } from '../store/accounts.ts';
import { BackupWriter, withBackup, type BackupContents } from '../store/backupFile.ts';
import { BACKUP_VERSION } from '../store/backupFormat.ts';
import { entropyOf } from '../store/backupPhrase.ts';
import { readRecords, writeRecord, type BackupRecord } from '../store/backupRecords.ts';
import type { BackupSection } from '../store/backupSection.ts';

export interface BackupServiceDeps {
  readonly accounts: AccountStore;
  readonly sections: readonly BackupSection[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Accounts, contacts and drafts may be others now. */
  readonly restored: () => void;
}

type FileRequest = { path: string; phrase: string };

/** Never in a backup: what must not exist twice, and what is given anew. */
const OMITTED: readonly Omitted[] = ['pads', 'keys', 'tokens'];
const ACCOUNT = 'accounts';
const ABOUT = 'about';

const Text = v.pipe(v.string(), v.maxLength(4096));
const Server = v.object({
  host: Text,
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  security: v.picklist(['tls', 'starttls']),
});
const AboutData = v.object({ createdAt: v.number(), omitted: v.array(Text) });
const AccountData = v.object({
  id: Text,
  email: Text,
  displayName: Text,
  provider: v.picklist(PROVIDER_IDS),
  userId: Text,
  servers: v.object({ imap: Server, smtp: Server, userName: v.exactOptional(Text) }),
  issuer: v.exactOptional(Text),
  clientId: v.exactOptional(Text),
  createdAt: v.number(),
  lastLogin: v.number(),
});

/**
 * Backup and restore (DESIGN F46): one file that a recovery phrase opens. It holds accounts, contacts, certificates with the own secret
 * keys, opened sealed mail, drafts, chats, and how things were set up; never pads or key-manager keys, which must not exist twice.
 */
export class BackupService {
  readonly #deps: BackupServiceDeps;

  constructor(deps: BackupServiceDeps) {
    this.#deps = deps;
  }

  /** @throws QuMailError `backup.phrase-checksum`, `file.unwritable`, `store.*`; the file that was there stays then */
  async createBackup({ path, phrase }: FileRequest, { signal }: CallOptions = {}): Promise<BackupSummary> {
    const entropy = entropyOf(phrase);
    const createdAt = this.#deps.clock.now();
    const counts: Record<string, number> = {};
    try {
      const writer = await BackupWriter.create(path, entropy, this.#deps.random);
      try {
        for (const record of this.#records(createdAt)) {
          if (signal?.aborted) throw new QuMailError('engine.cancelled');
          await writer.write(writeRecord(record));
          wipe(...record.blobs);
          if (record.kind !== ABOUT && record.kind !== ACCOUNT) counts[record.kind] = (counts[record.kind] ?? 0) + 1;
        }
        const size = await writer.finish();
        this.#deps.log.info('backup-written', { size });
        const accounts = this.#deps.accounts.list().map(({ email, displayName }) => ({ email, displayName }));
        return { path, size, version: BACKUP_VERSION, createdAt, accounts, counts, omitted: OMITTED };
      } catch (error) {
        await writer.abort();
        throw error;
      }
    } finally {
      wipe(entropy);
    }
  }

  /** @throws QuMailError `backup.*`, `file.unreadable` */
  async inspectBackup(request: FileRequest, options: CallOptions = {}): Promise<BackupSummary> {
    return this.#reading(request, options, (contents) => this.#summary(request.path, contents));
  }

  /** The whole file is checked before the first record is restored. @throws QuMailError `backup.*`, `file.unreadable`, `store.*` */
  async restoreBackup(request: FileRequest, options: CallOptions = {}): Promise<RestoreResult> {
    const result = await this.#reading(request, options, async (contents) => {
      await this.#summary(request.path, contents);
      return this.#restore(contents);
    });
    this.#deps.log.info('backup-restored', { conflicts: result.conflicts.length });
    this.#deps.restored();
    return result;
  }

  async #reading<T>({ path, phrase }: FileRequest, { signal }: CallOptions, use: (contents: BackupContents) => Promise<T>): Promise<T> {
    const entropy = entropyOf(phrase);
    try {
      return await withBackup(path, entropy, signal, use);
    } finally {
      wipe(entropy);
    }
  }

  *#records(createdAt: number): Generator<BackupRecord> {
    yield { kind: ABOUT, v: 1, account: '', data: { createdAt, omitted: OMITTED }, blobs: [] };
    for (const { command: _, ...account } of this.#deps.accounts.list()) {
      yield { kind: ACCOUNT, v: 1, account: '', data: account, blobs: [] };
      for (const section of this.#deps.sections)
        for (const record of section.records(account.id)) yield { kind: section.kind, v: section.version, account: account.id, ...record };
    }
  }

  async #summary(path: string, contents: BackupContents): Promise<BackupSummary> {
    let about: v.InferOutput<typeof AboutData> | undefined;
    const accounts: { email: string; displayName: string }[] = [];
    const counts: Record<string, number> = {};
    for await (const { kind, v: version, data, blobs } of readRecords(contents.chunks())) {
      wipe(...blobs);
      if (kind === ABOUT && version === 1) about = checked(AboutData, data);
      else if (kind === ACCOUNT && version === 1) {
        const { email, displayName } = checked(AccountData, data);
        accounts.push({ email, displayName });
      } else {
        this.#section(kind, version);
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
    }
    if (!about) throw new QuMailError('backup.malformed');
    return { path, size: contents.size, version: BACKUP_VERSION, createdAt: about.createdAt, accounts, counts, omitted: OMITTED };
  }

  async #restore(contents: BackupContents): Promise<RestoreResult> {
    const added: Record<string, number> = {};
    const kept: Record<string, number> = {};
    const conflicts = new Set<string>();
    const signInAgain: string[] = [];
    const ids = new Map<string, string>();
    const count = (counts: Record<string, number>, kind: string): void => void (counts[kind] = (counts[kind] ?? 0) + 1);
    for await (const { kind, v: version, account, data, blobs } of readRecords(contents.chunks())) {
      try {
        if (kind === ABOUT) continue;
        if (kind === ACCOUNT) {
          const old = checked(AccountData, data);
          const here = this.#deps.accounts.list().find(({ email }) => email.toLowerCase() === old.email.toLowerCase());
          ids.set(old.id, here?.id ?? this.#insert(old));
          count(here ? kept : added, kind);
          if (!here) signInAgain.push(old.email);
          continue;
        }
        const accountId = ids.get(account);
        if (accountId === undefined) throw new QuMailError('backup.malformed');
        const outcome = this.#section(kind, version).restore(accountId, { data, blobs });
        if (outcome === 'added') count(added, kind);
        else count(kept, kind);
        if (typeof outcome === 'object') conflicts.add(outcome.conflict);
      } finally {
        wipe(...blobs);
      }
    }
    return { added, kept, conflicts: [...conflicts], signInAgain, omitted: OMITTED };
  }

  /** An account without its credentials: it waits for its person. */
  #insert(old: AccountRecord): string {
    const id = this.#deps.accounts.get(old.id) ? this.#deps.random.uuid() : old.id;
    this.#deps.accounts.insert({ ...old, id });
    return id;
  }

  /** @throws QuMailError `backup.newer` for a kind or version that this QuMail does not know */
  #section(kind: string, version: number): BackupSection {
    const section = this.#deps.sections.find((each) => each.kind === kind);
    if (!section || section.version < version) throw new QuMailError('backup.newer', { kind, version });
    return section;
  }
}

function checked<S extends v.GenericSchema>(schema: S, data: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, data);
  if (!result.success) throw new QuMailError('backup.malformed');
  return result.output;
}
