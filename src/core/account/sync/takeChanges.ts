import type { MessageStore } from '../../store/messages.ts';
import type { EmailHandler } from '../../transport/emailHandler.ts';
import type { RemoteMessage } from '../../transport/remoteMail.ts';
import { newRow } from './newRow.ts';
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
    const changes = await takeSome(account, path, deps, signal);
    added += changes.added.length;
    changed ||= changes.added.length + changes.vanished.length > 0 || changes.reset !== 'no' || changes.flagged > 0;
    more = changes.more;
  }
  return { added, changed };
}

async function takeSome(account: Parameters<typeof takeChanges>[0], path: string, deps: ChangesDeps, signal: AbortSignal | undefined) {
  const { accountId } = account;
  const since = deps.messages.cursor(accountId, path);
  const knownUids = (): number[] => deps.messages.knownUids(accountId, path, CHECKED);
  // What is new is shown before anything else is asked. Sealed mail waits until it is opened: its outer subject says nothing.
  const arrived = (messages: readonly RemoteMessage[]): void => {
    const plain = messages.filter(({ hasPayload }) => !hasPayload);
    if (plain.length === 0 || signal?.aborted) return;
    deps.messages.insertMessages(accountId, path, plain.map(newRow));
    deps.arrived?.();
  };
  const changes = await account.handler.fetchChanges(path, since, { limit: since ? NEXT_FETCH : FIRST_FETCH, knownUids, arrived }, signal);
  if (changes.reset === 'uid-validity') {
    await emptyMost(deps.messages, accountId, path);
    deps.messages.resetFolder(accountId, path);
  }
  await removeMost(deps.messages, accountId, path, changes.vanished);
  deps.messages.insertMessages(accountId, path, changes.added.map(newRow));
  const flagged = deps.messages.updateFlags(accountId, path, changes.flags);
  deps.messages.removeUids(accountId, path, changes.vanished);
  const { uidValidity, uidNext, highestModseq, mailboxId } = changes;
  // The cursor goes last: after a crash in between the same changes come again, and change nothing.
  deps.messages.setCursor(accountId, path, {
    uidValidity,
    uidNext,
    ...(highestModseq !== undefined && { highestModseq }),
    ...(mailboxId !== undefined && { mailboxId }),
  });
  return { ...changes, flagged };
}
