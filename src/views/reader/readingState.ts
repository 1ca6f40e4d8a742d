import type { MessageSummary, QuMailRequests } from '../../core/api.ts';
import { rowContext } from '../messages/rowText.ts';

/** What menus ask of the message being read, as rows of a list say it: `message.read.flagged.snoozed`. */
export async function readingState(
  api: Pick<QuMailRequests, 'listFolders' | 'listMessages' | 'listSnoozed'>,
  opened: Pick<MessageSummary, 'id' | 'accountId' | 'folder' | 'flags'>,
): Promise<string> {
  const { id, accountId } = opened;
  const [folders, listed, snoozed] = await Promise.all([
    api.listFolders({ accountId }),
    api.listMessages({ messageIds: [id] }),
    api.listSnoozed(),
  ]);
  const resting = snoozed.find(({ message }) => message.id === id);
  const now = listed[0] ?? resting?.message ?? opened;
  return rowContext('message', {
    unread: !now.flags.includes('seen'),
    flagged: now.flags.includes('flagged'),
    junk: folders.find(({ path }) => path === now.folder)?.specialUse === 'junk',
    snoozed: resting !== undefined,
  });
}
