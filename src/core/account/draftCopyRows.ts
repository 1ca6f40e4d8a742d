import type { DraftCopyRow } from '../base/drafts.ts';
import { revisionOf } from '../mail/draftMessage.ts';
import type { DraftCopyStore } from '../store/draftCopies.ts';
import type { DraftStore } from '../store/drafts.ts';
import type { MessageStore } from '../store/messages.ts';

/** Messages of a Drafts folder that are looked at; copies are among the newest. */
const MAX_ROWS = 500;

/** Which listed messages are copies of which drafts here. */
export function draftCopyRows(deps: {
  readonly drafts: Pick<DraftStore, 'list'>;
  readonly copies: Pick<DraftCopyStore, 'get'>;
  readonly messages: Pick<MessageStore, 'listFolders' | 'page'>;
}): readonly DraftCopyRow[] {
  const drafts = new Map<string, string>();
  const accounts = new Set<string>();
  for (const { id: draftId, accountId } of deps.drafts.list()) {
    const copy = deps.copies.get(draftId);
    // An earlier copy may still be listed.
    for (const revision of [copy?.revision, ...(copy?.ancestors ?? [])]) drafts.set(`${accountId} ${revision ?? ''}`, draftId);
    accounts.add(accountId);
  }
  return [...accounts].flatMap((accountId) => {
    const folder = deps.messages.listFolders(accountId).find(({ specialUse }) => specialUse === 'drafts');
    if (!folder) return [];
    return deps.messages.page(accountId, folder.path, MAX_ROWS).flatMap(({ id: messageId, rfcMessageId }) => {
      const revision = revisionOf(rfcMessageId);
      const draftId = revision === undefined ? undefined : drafts.get(`${accountId} ${revision}`);
      return draftId === undefined ? [] : [{ messageId, draftId }];
    });
  });
}
