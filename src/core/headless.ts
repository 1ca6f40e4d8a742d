import type { EngineOptions, QuMailApi } from './api.ts';
import { QuMailCore } from './qumailCore.ts';

/**
 * Opens the engine in this very thread, without VS Code: the same QuMailApi under plain Node 24.
 * The caller owns it: `await using qumail = await openEngine(...)`, or call its `Symbol.asyncDispose`.
 *
 * @param options.storageDir a folder of its own, created with mode 0700
 * @param options.secrets where tokens, passwords and epoch keys live; without them the folder cannot be read
 * @param options.openBrowser shows the sign-in page of an OAuth provider
 * @param options.log receives event names and facts, never secrets
 * @throws QuMailError `store.*` when the folder cannot be opened
 */
export async function openEngine(options: EngineOptions): Promise<QuMailApi> {
  return QuMailCore.open(options);
}
