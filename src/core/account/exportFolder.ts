import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import { summaryOfSource } from '../mail/sourceSummary.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { ImapActions } from '../transport/imapActions.ts';
import type { RemoteSource } from '../transport/remoteMail.ts';
import type { OutgoingFile } from './exportFiles.ts';

/** UIDs that are seen to at a time: what is here of them, then what is not in one command. */
const AT_ONCE = 200;

export interface ExportedFolder {
  readonly accountId: string;
  readonly folder: string;
  readonly sealed: 'source' | 'plaintext';
  readonly handler: Pick<EmailHandler, 'listUids' | 'fetchSources'> & { readonly actions: Pick<ImapActions, 'marks'> };
}

export interface FolderExportDeps {
  readonly messages: Pick<MessageStore, 'byUid' | 'count' | 'cursor' | 'getBody' | 'knownUids' | 'listFolders'>;
  readonly sealedMail: Pick<SealedMailStore, 'getByEnvelope'>;
  /** Called once, with how many messages there are. */
  readonly found: (count: number) => void;
  /** Takes each message; undefined where it cannot be had. */
  readonly put: (mail: OutgoingFile | undefined) => Promise<void>;
}

/** All messages of a folder as the server lists it, about in its order. What is not here is fetched and not kept. */
export class FolderExport {
  readonly #place: ExportedFolder;
  readonly #deps: FolderExportDeps;

  constructor(place: ExportedFolder, deps: FolderExportDeps) {
    this.#place = place;
    this.#deps = deps;
  }

  /**
   * Without a connection (`here`) what is on this machine is put, and of the rest it is told that it is missing.
   *
   * @throws QuMailError `imap.*`, `store.*`, `engine.cancelled`; `net.*` where the connection was lost on the way; what `put` throws
   */
  async run(signal?: AbortSignal): Promise<'server' | 'here'> {
    const listed = await this.#list(signal);
    if (!listed) {
      await this.#putWhatIsHere();
      return 'here';
    }
    this.#deps.found(listed.uids.length);
    for (let at = 0; at < listed.uids.length; at += AT_ONCE) {
      throwIfCancelled(signal);
      const absent: number[] = [];
      for (const uid of listed.uids.slice(at, at + AT_ONCE)) {
        const row = listed.known ? this.#row(uid) : undefined;
        const mail = row && this.#stored(row);
        if (mail === 'absent' || row === undefined) absent.push(uid);
        else await this.#deps.put(mail);
      }
      if (absent.length > 0) await this.#fetch(absent, listed.uidValidity, signal);
    }
    return 'server';
  }

  /** undefined where the server cannot be asked. `known`: what is here goes by the same UIDs. */
  async #list(signal: AbortSignal | undefined): Promise<{ uidValidity: number; uids: readonly number[]; known: boolean } | undefined> {
    const { accountId, folder, handler } = this.#place;
    try {
      const { uidValidity, uidNext } = await handler.actions.marks(folder, signal);
      const uids = await handler.listUids(folder, uidValidity, signal, uidNext);
      return { uidValidity, uids, known: this.#deps.messages.cursor(accountId, folder)?.uidValidity === uidValidity };
    } catch (error) {
      const { code } = QuMailError.from(error);
      if (code.startsWith('net.') || code.startsWith('auth.')) return undefined;
      throw error;
    }
  }

  async #putWhatIsHere(): Promise<void> {
    const { accountId, folder } = this.#place;
    const { messages, put, found } = this.#deps;
    const known = messages.knownUids(accountId, folder, Number.MAX_SAFE_INTEGER).toReversed();
    const total = messages.listFolders(accountId).find(({ path }) => path === folder)?.total ?? 0;
    found(Math.max(total, known.length));
    for (const uid of known) {
      const row = this.#row(uid);
      const mail = row && this.#stored(row);
      await put(mail === 'absent' ? undefined : mail);
    }
    for (let n = known.length; n < total; n++) await put(undefined);
  }

  #row(uid: number): MessageRow | undefined {
    return this.#deps.messages.byUid(this.#place.accountId, this.#place.folder, uid);
  }

  /** What is here of a message; undefined where what is wanted of it is nowhere. */
  #stored(row: MessageRow): OutgoingFile | 'absent' | undefined {
    const plaintext = this.#place.sealed === 'plaintext' && row.seal !== 'plain';
    const raw = plaintext ? this.#plaintextOf(row) : this.#deps.messages.getBody(row.id);
    if (!raw) return plaintext ? undefined : 'absent';
    return { raw, date: row.internalDate ?? row.date, flags: row.flags, subject: row.subject };
  }

  #plaintextOf({ accountId, envelopeId }: MessageRow): Buffer | undefined {
    return envelopeId === undefined ? undefined : this.#deps.sealedMail.getByEnvelope(accountId, envelopeId)?.plaintext;
  }

  async #fetch(uids: readonly number[], uidValidity: number, signal: AbortSignal | undefined): Promise<void> {
    const { folder, handler } = this.#place;
    const open = new Set(uids);
    let unwritten: { readonly error: unknown } | undefined;
    const take = async (message: RemoteSource): Promise<void> => {
      // After a cut all may come again.
      if (!open.delete(message.uid)) return;
      try {
        await this.#deps.put(this.#fetched(message));
      } catch (error) {
        unwritten = { error };
        throw error;
      }
    };
    const ask = async (some: readonly number[]): Promise<'answered' | 'too-large'> => {
      try {
        await handler.fetchSources(folder, uidValidity, some, take, signal);
        return 'answered';
      } catch (error) {
        if (unwritten) throw unwritten.error;
        if (!QuMailError.is(error, 'net.too-large')) throw error;
        return 'too-large';
      }
    };
    // One that is too large ends it: the rest comes one by one.
    if ((await ask(uids)) === 'too-large') for (const uid of open) await ask([uid]);
    for (let n = open.size; n > 0; n--) await this.#deps.put(undefined);
  }

  #fetched({ raw, internalDate, flags }: RemoteSource): OutgoingFile | undefined {
    const { hasPayload, hasPgpMime, date, subject } = summaryOfSource(raw);
    // What is sealed and was never opened here says nothing.
    if (this.#place.sealed === 'plaintext' && (hasPayload || hasPgpMime)) return undefined;
    return { raw, date: internalDate ?? date ?? 0, flags, subject };
  }
}
