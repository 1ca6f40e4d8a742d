import { QuMailError } from '../../base/errors.ts';
import type { Clock } from '../../base/ports.ts';
import type { MessageStore } from '../../store/messages.ts';
import type { RemoteFolder } from '../../transport/remoteMail.ts';
import { checkKnown, type FillDeps } from './fillFolder.ts';
import { indistinct, needsLook } from './syncPlan.ts';

/** Least time between two looks at what the server may have changed without STATUS telling: flags where it keeps no mod-sequences. */
const UNSEEN_EVERY_MS = 900_000;
/** Folders of one run whose answers are no IMAP; with one more the server is at fault, not a folder. */
const MOST_BROKEN = 5;

export interface LookDeps {
  readonly accountId: string;
  readonly messages: Pick<MessageStore, 'cursor' | 'count'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Brings a folder's list up to date, flags and disappearances included; the same look as a person's. */
  readonly look: (path: string) => Promise<unknown>;
  readonly fillDeps: (path: string) => FillDeps;
  /** Told why a folder is passed over in this run. */
  readonly passedOver: (failure: QuMailError) => void;
}

/** Looks into the folders of one account in the background, as far as their STATUS gives reason, and passes over those that cannot be read. */
export class FolderLooks {
  readonly #deps: LookDeps;
  readonly #looked = new Map<string, number>();
  #unreadable = new Set<string>();
  /** The list is newer than the last look into its folders. */
  #listedAnew = false;
  #looking = false;
  /** Folders whose answers were no IMAP, of this run and of earlier ones. */
  #broken = new Set<string>();
  readonly #brokenBefore = new Set<string>();

  constructor(deps: LookDeps) {
    this.#deps = deps;
  }

  /** A run begins: what could not be read is tried once more, after all others where it cost the connection. */
  begin(): void {
    this.#unreadable = new Set();
    for (const path of this.#broken) this.#brokenBefore.add(path);
    this.#broken = new Set();
  }

  /** There is a new list: its folders are to be looked into. */
  listed(): void {
    this.#listedAnew = true;
  }

  /** These folders, those last that cost the connection in an earlier run. */
  inOrder(folders: readonly RemoteFolder[]): RemoteFolder[] {
    return [...folders.filter(({ path }) => !this.#brokenBefore.has(path)), ...folders.filter(({ path }) => this.#brokenBefore.has(path))];
  }

  /**
   * New mail and the newest headers of all folders, where they were listed since this was done last. One that is empty and was never looked
   * into is left to `atFirst`. Throws what concerns more than a folder.
   */
  async intoAll(wanted: () => readonly RemoteFolder[], signal: AbortSignal): Promise<void> {
    if (!this.#listedAnew || this.#looking) return;
    this.#listedAnew = false;
    this.#looking = true;
    try {
      await this.#intoEach(wanted(), signal);
    } finally {
      this.#looking = false;
    }
  }

  async #intoEach(folders: readonly RemoteFolder[], signal: AbortSignal): Promise<void> {
    const { accountId, messages } = this.#deps;
    const alike = indistinct(folders);
    for (const folder of this.inOrder(folders)) {
      if (signal.aborted) return;
      if (folder.total === 0 && folder.uidValidity !== undefined && !messages.cursor(accountId, folder.path)) continue;
      await this.during(folder.path, () => this.#into(folder, alike, signal));
    }
  }

  /** A folder that was never looked into. */
  async atFirst({ path }: RemoteFolder): Promise<void> {
    const { accountId, messages, clock, look } = this.#deps;
    if (messages.cursor(accountId, path)) return;
    await look(path);
    this.#looked.set(path, clock.now());
  }

  /** Does `work` in a folder that could be read in this run. A failure that concerns the folder alone ends nothing else; any other is thrown. */
  async during(path: string, work: () => Promise<void>): Promise<void> {
    if (this.#unreadable.has(path)) return;
    try {
      await work();
      this.#brokenBefore.delete(path);
    } catch (error) {
      const failure = QuMailError.from(error);
      const { code } = failure;
      if (code === 'net.protocol' || code === 'net.too-large') this.#broken.add(path);
      else if (!code.startsWith('imap.')) throw failure;
      this.#unreadable.add(path);
      this.#deps.passedOver(failure);
      if (this.#broken.size > MOST_BROKEN) throw failure;
    }
  }

  async #into(folder: RemoteFolder, alike: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { accountId, messages, clock, look, fillDeps } = this.#deps;
    const { path } = folder;
    const cursor = messages.cursor(accountId, path);
    const known = messages.count(accountId, path);
    const told = needsLook({ path, ...(cursor && { cursor }) }, folder, known);
    // Folders that have swapped their names are told apart by their MAILBOXID, which STATUS does not tell.
    const need = told === 'no' && cursor?.mailboxId !== undefined && alike.has(path) ? 'perhaps' : told;
    const stale = clock.now() - (this.#looked.get(path) ?? 0) >= UNSEEN_EVERY_MS;
    if (need === 'no' || (need === 'perhaps' && !stale)) return;
    await look(path);
    const flags = stale && cursor !== undefined && cursor.highestModseq === undefined;
    if (flags || messages.count(accountId, path) > folder.total)
      await checkKnown(path, flags ? 'flags' : 'presence', fillDeps(path), signal);
    if (stale) this.#looked.set(path, clock.now());
  }
}
