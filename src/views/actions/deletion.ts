import type { ActionPurpose, ActionReceipt, QuMailRequests } from '../../core/api.ts';

type Api = Pick<QuMailRequests, 'deleteMessages' | 'removeForGood'>;

/** Why messages that were to be deleted are still where they were. */
export interface LeftBehind {
  readonly why: 'in-trash' | 'no-trash';
  readonly messages: number;
}

/** What deleting needs of the views: doing things, asking, and making the folder that is missing. */
export interface DeletionParts {
  /** Does it and says so; undefined where it failed, which was shown. */
  perform<R extends ActionReceipt>(
    purpose: ActionPurpose,
    messageIds: readonly number[],
    request: (api: Api) => Promise<R>,
  ): Promise<R | undefined>;
  /** Nothing is removed for good but on an explicit `for-ever`. */
  ask(left: LeftBehind): Promise<'for-ever' | 'create-folder' | undefined>;
  /** Makes an account's Trash; `failed` where that was not possible, which was shown. */
  createTrash(accountId: string): Promise<'made' | 'failed'>;
}

/**
 * Moves messages to Trash. What lies there already, or has no Trash to go to, the engine leaves where it is, whatever a list showed when the
 * key was pressed; only then a person is asked, and only a yes removes for good.
 */
export async function deleteMessages(messageIds: readonly number[], parts: DeletionParts): Promise<void> {
  const receipt = await parts.perform('delete', messageIds, (api) => api.deleteMessages({ messageIds }));
  if (!receipt) return;
  const { inTrash, noTrash } = receipt;
  if (inTrash.length > 0 && (await parts.ask({ why: 'in-trash', messages: inTrash.length })) === 'for-ever')
    await removeForGood(inTrash, parts);
  for (const { accountId, messageIds: left } of noTrash) {
    const answer = await parts.ask({ why: 'no-trash', messages: left.length });
    if (answer === 'for-ever') await removeForGood(left, parts);
    else if (answer === 'create-folder' && (await parts.createTrash(accountId)) === 'made') await deleteMessages(left, parts);
  }
}

async function removeForGood(messageIds: readonly number[], { perform }: DeletionParts): Promise<void> {
  await perform('expunge', messageIds, (api) => api.removeForGood({ messageIds }));
}
