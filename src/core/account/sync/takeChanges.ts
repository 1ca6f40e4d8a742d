import { BODY } from '../../store/messageRow.ts';
import type { FolderCursor, MessageStore } from '../../store/messages.ts';
import type { EmailHandler } from '../../transport/emailHandler.ts';
import type { FolderChanges, RemoteMessage } from '../../transport/remoteMail.ts';
import { newRow, withheldRow } from './newRow.ts';
import { emptyMost, removeMost } from './removeInTurns.ts';

/** Messages whose headers are fetched when a folder is seen for the first time: a screenful. The rest comes in the background, or as one scrolls. */
const FIRST_FETCH = 60;
/** New messages in one answer on later looks. */
const NEXT_FETCH = 500;
/** Known messages whose flags and existence are checked in one look, where the server cannot tell what changed. */
const CHECKED = 2000;

export interface ChangesDeps {
  readonly messages: MessageStore;
  /** Called once ordinary arrivals are in the store, before flags are compared. */
  readonly arrived?: () => void;
}

/**
 * Takes what changed in a folder into the store: new headers, flags, what vanished. On the first look that is a screenful of headers.
 * Resolves to how many rows are new, and whether anything is different.
 */
export async function takeChanges(
  account: { readonly accountId: string; readonly handler: Pick<EmailHandler, 'fetchChanges'> },
  path: string,
  deps: ChangesDeps,
  signal?: AbortSignal,
): Promise<{ added: number; changed: boolean }> {
  let added = 0;
  let changed = false;
  for (let more = true; more;) {
    const taken = await takeSome(account, path, deps, signal);
    added += taken.added;
    changed ||= taken.changed;
    more = taken.more;
  }
  return { added, changed };
}

interface Taken {
  readonly added: number;
  readonly changed: boolean;
  /** There is more, and the next answer begins further on. */
  readonly more: boolean;
}

async function takeSome(
  account: Parameters<typeof takeChanges>[0],
  path: string,
  deps: ChangesDeps,
  signal: AbortSignal | undefined,
): Promise<Taken> {
  const { accountId } = account;
  const { messages } = deps;
  const since = messages.cursor(accountId, path);
  const knownUids = (): number[] => messages.knownUids(accountId, path, CHECKED);
  // What is new is shown before anything else is asked. Sealed mail waits until it is opened: its outer subject says nothing.
  const arrived = (all: readonly RemoteMessage[]): void => {
    const plain = all.filter(({ hasPayload }) => !hasPayload);
    if (plain.length === 0 || signal?.aborted) return;
    const isShown = messages.together(() => {
      if (messages.cursor(accountId, path)?.uidValidity !== since?.uidValidity) return false;
      messages.insertMessages(accountId, path, plain.map(newRow));
      return true;
    });
    if (isShown) deps.arrived?.();
  };
  const changes = await account.handler.fetchChanges(path, since, { limit: since ? NEXT_FETCH : FIRST_FETCH, knownUids, arrived }, signal);
  if (isSame(messages.cursor(accountId, path), since)) {
    if (changes.reset !== 'no') await emptyMost(messages, accountId, path);
    await removeMost(messages, accountId, path, changes.vanished);
  }
  return messages.together(() => store(changes, since, accountId, path, messages));
}

/** Stores what a look found, unless the folder's UIDs mean others meanwhile. */
function store(changes: FolderChanges, since: FolderCursor | undefined, accountId: string, path: string, messages: MessageStore): Taken {
  const { added, withheld, vanished, reset, uidValidity, uidNext, highestModseq, mailboxId } = changes;
  const now = messages.cursor(accountId, path);
  // Of a folder that is emptied, the mod-sequence is forgotten meanwhile.
  const moved = reset === 'no' ? !isSame(now, since) : now?.uidValidity !== since?.uidValidity;
  // Another window was faster, or the folder went; the next look tells what this one would have.
  if (moved && (!now || reset !== 'no' || now.uidValidity !== uidValidity)) return { added: 0, changed: true, more: false };
  if (reset !== 'no') messages.resetFolder(accountId, path);
  messages.insertMessages(accountId, path, added.map(newRow));
  messages.insertMessages(
    accountId,
    path,
    withheld.map((uid) => withheldRow({ uid })),
    BODY.damaged,
  );
  const flagged = messages.updateFlags(accountId, path, changes.flags);
  messages.removeUids(accountId, path, vanished);
  const changed = added.length + withheld.length + vanished.length + flagged > 0 || reset !== 'no';
  // Whoever put the cursor back meanwhile, for want of flags or of messages, wants more looked at than this look did.
  if (moved) return { added: added.length, changed, more: false };
  messages.setCursor(accountId, path, {
    uidValidity,
    uidNext,
    ...(highestModseq !== undefined && { highestModseq }),
    ...(mailboxId !== undefined && { mailboxId }),
  });
  return { added: added.length, changed, more: changes.more && uidNext > (since?.uidNext ?? 0) };
}

function isSame(a: FolderCursor | undefined, b: FolderCursor | undefined): boolean {
  if (!a || !b) return a === b;
  return a.uidValidity === b.uidValidity && a.uidNext === b.uidNext && a.highestModseq === b.highestModseq && a.mailboxId === b.mailboxId;
}
