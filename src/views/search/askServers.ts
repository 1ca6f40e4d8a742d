import { QuMailError, type QuMailRequests, type SearchHit } from '../../core/api.ts';

/** Of each account the server is asked for so many. */
const LIMIT = 100;

export interface ServersFound {
  /** The newest first. */
  readonly messages: readonly SearchHit[];
  /** False where a server has more. */
  readonly complete: boolean;
  /** Accounts whose server did not answer, and why. */
  readonly failed: readonly { readonly accountId: string; readonly failure: QuMailError }[];
}

/**
 * Asks the servers of these accounts at once. What some found counts though others failed.
 *
 * @throws QuMailError the first failure where all of them failed, or `engine.cancelled`
 */
export async function askServers(
  api: Pick<QuMailRequests, 'searchServer'>,
  query: string,
  accountIds: readonly string[],
  signal: AbortSignal,
): Promise<ServersFound> {
  const asked = await Promise.allSettled(accountIds.map((accountId) => api.searchServer({ query, accountId, limit: LIMIT }, { signal })));
  const failed = asked.flatMap((outcome, at) =>
    outcome.status === 'rejected' ? [{ accountId: accountIds[at]!, failure: QuMailError.from(outcome.reason) }] : [],
  );
  const decisive = failed.find(({ failure }) => failure.code === 'engine.cancelled') ?? failed[0];
  if (decisive && (failed.length === asked.length || decisive.failure.code === 'engine.cancelled')) throw decisive.failure;
  const pages = asked.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  return {
    messages: pages.flatMap(({ messages }) => messages).toSorted((a, b) => b.date - a.date),
    complete: pages.every(({ complete }) => complete),
    failed,
  };
}
