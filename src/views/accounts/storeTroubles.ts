import type { Account, Failure } from '../../core/api.ts';

/** What keeps mail from being kept on this computer, until somebody does something about it. */
const TROUBLES: readonly string[] = ['store.full', 'store.unwritable', 'store.mail-damaged'];

/** The trouble of an account's mail on this computer; undefined where there is none. */
export function storeTrouble({ failure }: Pick<Account, 'failure'>): Failure | undefined {
  return failure && TROUBLES.includes(failure.code) ? failure : undefined;
}

/** Of the troubles that accounts have now, those to be told of: each once, and again only after it was gone from all of them. */
export class TroubleMemory {
  #told: ReadonlySet<string> = new Set();

  /** @param accounts as they are now */
  toTell(accounts: readonly Pick<Account, 'id' | 'failure'>[]): readonly { accountId: string; failure: Failure }[] {
    const now = new Map<string, { accountId: string; failure: Failure }>();
    for (const account of accounts) {
      const failure = storeTrouble(account);
      if (failure && !now.has(failure.code)) now.set(failure.code, { accountId: account.id, failure });
    }
    const fresh = [...now.values()].filter(({ failure }) => !this.#told.has(failure.code));
    this.#told = new Set(now.keys());
    return fresh;
  }
}
