import type { AccountService } from './account/accountService.ts';
import { ChatOffers } from './account/chatArrivals.ts';
import type { KeyLinks } from './account/keyLinks.ts';
import { LinkReturns } from './account/linkReturns.ts';
import { OwnCopies } from './account/ownCopies.ts';
import type { OwnCertificates } from './account/ownCertificates.ts';
import { QuMailError } from './base/errors.ts';
import type { QuMailEvent } from './base/events.ts';
import type { DisposableStore } from './base/lifetime.ts';
import type { Log } from './base/log.ts';
import type { Clock, Random } from './base/ports.ts';
import { isChatLine, notAccepted, type CoreChat } from './coreChat.ts';
import type { CoreStores } from './coreStores.ts';
import type { VaultArea } from './coreVault.ts';
import { ShownMail } from './store/shownMail.ts';
import { foldersAwaitingKeys } from './store/waitingMail.ts';

export interface ArrivalOptions {
  readonly stores: CoreStores;
  readonly own: OwnCertificates;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly links: Pick<KeyLinks, 'list'>;
  /** What is built after this, because it needs what this gives; asked for when mail arrives. */
  readonly later: () => {
    readonly chats: CoreChat;
    readonly accounts: AccountService;
    readonly area: Pick<VaultArea, 'remember'>;
  };
}

/** How arriving mail reaches the chats, and what the own devices tell each other of it. */
export function buildArrivals(
  { stores, own, clock, random, log, links, later }: ArrivalOptions,
  owned: DisposableStore,
): {
  readonly offers: ChatOffers;
  readonly copies: OwnCopies;
  readonly heard: (event: QuMailEvent) => void;
} {
  const { sealedMail, messages, ledger, outbox } = stores;
  const copies = new OwnCopies({
    store: stores.ownCopies,
    sealedMail,
    own,
    clock,
    random,
    log: log.scoped('copies'),
    addressOf: (accountId) => later().accounts.addressOf(accountId),
    handlerOf: (accountId) =>
      later()
        .accounts.all()
        .find(({ id, state }) => id === accountId && state === 'online')?.handler,
    isOnItsWay: (accountId, messageId) => notAccepted(outbox, accountId, messageId).length > 0,
    isLine: isChatLine,
    isNew: (mail) => ledger.seen(mail) === 'new',
    remember: (record) => later().area.remember(record),
    transaction: (run) => ledger.transaction(run),
  });
  const offers = new ChatOffers({
    messages,
    sealedMail,
    copies,
    shown: new ShownMail({ db: stores.cache }),
    log: log.scoped('chat'),
    chats: {
      isChatMail: (id) => later().chats.isChatMail(id),
      arrived: (arrived) => later().chats.arrived(arrived),
      toldOf: (accountId, what) => later().chats.toldOf(accountId, what),
    },
  });
  const openWaiting = (accountId: string): void => {
    const account = later()
      .accounts.all()
      .find(({ id }) => id === accountId);
    for (const folder of account ? foldersAwaitingKeys(stores.cache, accountId) : []) {
      account?.syncFolder(folder).catch((error: unknown) => log.warn('waiting-not-opened', { code: QuMailError.from(error).code }));
    }
  };
  // Keys are fetched as soon as they can be: key managers forget them.
  const openReturned = (): void => {
    for (const accountId of returns.changed().returned) openWaiting(accountId);
  };
  const returns = owned.add(new LinkReturns(() => links.list(), clock, openReturned));
  return {
    offers,
    copies,
    heard({ kind }) {
      if (kind === 'key-managers') openReturned();
    },
  };
}
