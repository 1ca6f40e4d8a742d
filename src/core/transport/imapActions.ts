import { QuMailError } from '../base/errors.ts';
import type { MailFlag } from '../base/types.ts';
import type { ImapClient } from './imapClient.ts';
import { newestUids, searchField, withField } from './imapField.ts';
import { inFolder, requireValidity, type SelectedMailbox } from './imapFolders.ts';
import { identifyMessages, type Identified, type MessageIdentity } from './imapIdentity.ts';
import type { ImapMailbox, Repetition } from './imapMailbox.ts';
import { findByMessageId } from './imapSearch.ts';
import { changeKeywords, changeFlags, moveMessages, removeMessages } from './imapWriting.ts';
import { wireFlags } from './remoteMessage.ts';

/** What a message is to carry and what not. */
export interface FlagsWanted {
  readonly add: readonly MailFlag[];
  readonly remove: readonly MailFlag[];
  readonly addKeywords: readonly string[];
  readonly removeKeywords: readonly string[];
}

export interface FolderMarks {
  readonly uidValidity: number;
  /** Whatever is put there from now on has this UID or a higher one. */
  readonly uidNext: number;
  /** What the folder keeps whatever it is called (RFC 8474), where the server tells. */
  readonly mailboxId?: string;
}

export interface FieldHints {
  readonly uidValidity: number;
  /** As in FolderMarks, where the server tells. */
  readonly uidNext?: number;
  readonly searched: readonly number[];
  readonly newest: readonly number[];
}

/**
 * The tools with which journaled actions are told to the server. Each takes care that doing it once more does no harm, or is the
 * caller's to check first (`move` without MOVE, `append`). Rejections as those of EmailHandler.
 */
export class ImapActions {
  readonly #mailbox: ImapMailbox;

  constructor(mailbox: ImapMailbox) {
    this.#mailbox = mailbox;
  }

  /** The folder as it is now; `imap.mailbox-missing`. */
  marks(folder: string, signal?: AbortSignal): Promise<FolderMarks> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolder(client, folder, 'reselect', async ({ uidValidity, uidNext, exists, mailboxId }) => {
        const id = mailboxId === undefined ? {} : { mailboxId };
        if (uidNext !== undefined) return { uidValidity: Number(uidValidity), uidNext, ...id };
        // UIDNEXT is optional (RFC 3501 section 7.3.1): one above the last message.
        const last = exists === 0 ? [] : await identifyMessages(client, { from: 1 });
        return { uidValidity: Number(uidValidity), uidNext: (last.at(-1)?.uid ?? 0) + 1, ...id };
      }),
    );
  }

  /** Those of the messages asked for that are there now. */
  identify(folder: string, uidValidity: number, of: Identified, signal?: AbortSignal): Promise<MessageIdentity[]> {
    return this.#within('repeatable', folder, uidValidity, signal, (client) => identifyMessages(client, of));
  }

  /** UIDs of a folder whose Message-ID contains this one: look closer with `identify`. */
  find(folder: string, rfcMessageId: string, signal?: AbortSignal): Promise<number[]> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolder(client, folder, 'reselect', () => findByMessageId(client, rfcMessageId)),
    );
  }

  /** Sets and clears; messages that are gone are passed over, keywords that the folder cannot keep are left out. */
  setFlags(folder: string, uidValidity: number, uids: readonly number[], wanted: FlagsWanted, signal?: AbortSignal): Promise<void> {
    return this.#within('repeatable', folder, uidValidity, signal, async (client) => {
      await changeFlags(client, uids, wanted);
      await changeKeywords(client, uids, wanted);
    });
  }

  /** Moves; resolves to the new UIDs where the server tells (COPYUID, RFC 4315). Atomic per message where it has MOVE. */
  move(
    folder: string,
    uidValidity: number,
    uids: readonly number[],
    target: string,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<number, number>> {
    return this.#within('once', folder, uidValidity, signal, (client) => moveMessages(client, uids, target));
  }

  /** Removes exactly these messages for good. */
  remove(folder: string, uidValidity: number, uids: readonly number[], signal?: AbortSignal): Promise<void> {
    return this.#within('repeatable', folder, uidValidity, signal, (client) => removeMessages(client, uids));
  }

  /** Files a message with flags and the time it came (milliseconds). After `net.cut` it may have been filed. */
  append(
    folder: string,
    raw: Buffer,
    o: { readonly flags: readonly MailFlag[]; readonly date?: number | undefined },
    signal?: AbortSignal,
  ): Promise<{ uid?: number; uidValidity?: number }> {
    return this.#mailbox.run('once', signal, async (client) => {
      const appended = await client.append(folder, raw, wireFlags(o.flags), o.date === undefined ? undefined : new Date(o.date));
      if (appended === false) throw new QuMailError('imap.rejected', { response: 'APPEND' });
      const { uid, uidValidity } = appended;
      return { ...(uid !== undefined && { uid }), ...(uidValidity !== undefined && { uidValidity: Number(uidValidity) }) };
    });
  }

  /**
   * Where messages with a header field of this name may be: those that SEARCH finds, and the newest ones, of which a server whose SEARCH does
   * not know the field has to be asked with `withField`.
   */
  fieldHints(folder: string, name: string, newest: number, signal?: AbortSignal): Promise<FieldHints> {
    return this.#mailbox.run('repeatable', signal, (client) =>
      inFolder(client, folder, 'reselect', async ({ uidValidity, uidNext, exists }) => ({
        uidValidity: Number(uidValidity),
        ...(uidNext !== undefined && { uidNext }),
        searched: await searchField(client, name),
        newest: await newestUids(client, exists, newest),
      })),
    );
  }

  /** Those of the messages that have a header field of this name. */
  withField(folder: string, uidValidity: number, uids: readonly number[], name: string, signal?: AbortSignal): Promise<number[]> {
    return this.#within('repeatable', folder, uidValidity, signal, (client) => withField(client, uids, name));
  }

  #within<T>(
    repetition: Repetition,
    folder: string,
    uidValidity: number,
    signal: AbortSignal | undefined,
    work: (client: ImapClient, mailbox: SelectedMailbox) => Promise<T>,
  ): Promise<T> {
    return this.#mailbox.run(repetition, signal, (client) =>
      inFolder(client, folder, 'reselect', (mailbox) => {
        requireValidity(mailbox, folder, uidValidity);
        return work(client, mailbox);
      }),
    );
  }
}
