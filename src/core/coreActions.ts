import { ActionService } from './account/actions/actionService.ts';
import { LocalView } from './account/actions/localView.ts';
import { Replay, type ReplayAccount } from './account/actions/replay.ts';
import { RoleFolders } from './account/actions/roleFolders.ts';
import { exportMail } from './account/exportMail.ts';
import { importMail } from './account/importMail.ts';
import { MuteService } from './account/muteService.ts';
import { SnoozeService } from './account/snoozeService.ts';
import type { FolderJournal } from './account/sync/folderList.ts';
import { UnifiedList } from './account/unifiedList.ts';
import { UnsubscribeService, type UnsubscribeDeps } from './account/unsubscribe.ts';
import type { DisposableStore } from './base/lifetime.ts';
import type { Log } from './base/log.ts';
import type { QuMailEvent } from './base/events.ts';
import type { Clock, CrossWindowLock, HttpFetch, Random } from './base/ports.ts';
import { QuMailError } from './base/errors.ts';
import type { ActionRequests } from './base/requests/actionRequests.ts';
import type { MailRequests } from './base/requests/mailRequests.ts';
import type { CoreStores } from './coreStores.ts';
import { ActionStore } from './store/actions.ts';
import { MutedStore } from './store/muted.ts';
import { ShownMail } from './store/shownMail.ts';
import { SnoozedStore } from './store/snoozed.ts';
import type { EmailHandler } from './transport/emailHandler.ts';

export interface CoreActionsDeps {
  readonly stores: Pick<CoreStores, 'vault' | 'cache' | 'messages' | 'offline' | 'sealedMail' | 'folderChoices'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  readonly lock: CrossWindowLock;
  readonly fetch: HttpFetch;
  readonly accounts: { all(): readonly ({ readonly id: string; readonly handler: EmailHandler } & ReplayAccount)[] };
  readonly source: UnsubscribeDeps['source'];
  readonly createDraft: UnsubscribeDeps['createDraft'];
}

export interface CoreActions {
  readonly requests: ActionRequests & Pick<MailRequests, 'importMail' | 'exportMail'>;
  /** Call when the accounts of an earlier session are back. */
  start(): void;
  /** Call with everything the engine tells. */
  heard(event: QuMailEvent): void;
  /** How the counts of folders differ from what the server told: by what it has not heard yet, and by what is snoozed. */
  countsPending(accountId: string): ReadonlyMap<string, Counts>;
  /** What was done in a folder, and is snoozed there, follows where it goes by another name. */
  readonly folders: FolderJournal;
}

/** What a person does with messages: the journal, the list that shows it at once, and the replay that tells the servers. */
export function buildActions(deps: CoreActionsDeps, owned: DisposableStore): CoreActions {
  const { stores, clock, random, emit, accounts } = deps;
  const { vault, messages, offline, sealedMail } = stores;
  const journal = new ActionStore({ db: vault });
  const shown = new ShownMail({ db: stores.cache });
  const snoozed = new SnoozedStore({ db: vault });
  const view = new LocalView({ journal, messages, shown, snoozed });
  const accountOf = (accountId: string) => accounts.all().find(({ id }) => id === accountId);
  const present = (accountId: string) => {
    const account = accountOf(accountId);
    if (!account) throw new QuMailError('account.missing');
    return account;
  };
  const replay = owned.add(new Replay({ journal, view, shown, lock: deps.lock, clock, log: deps.log.scoped('actions'), emit, accountOf }));
  const actions = new ActionService({ journal, messages, shown, view, replay, clock, random, emit });
  const snooze = owned.add(
    new SnoozeService({
      snoozed,
      messages,
      shown,
      sealedMail,
      clock,
      emit,
      markUnread: (messageIds) => actions.setFlags({ messageIds, add: [], remove: ['seen'] }),
    }),
  );
  const countsPending = (accountId: string) => added(actions.countsPending(accountId), snooze.countsHidden(accountId));
  const mute = new MuteService({ muted: new MutedStore({ db: vault }), messages, shown, sealedMail, random, actions, emit });
  const unified = new UnifiedList({
    shown,
    sealedMail,
    countsPending,
    firstLook: async (accountId, folder) => {
      const account = accountOf(accountId);
      if (account?.state === 'online' && !messages.cursor(accountId, folder)) await account.syncFolder(folder);
    },
  });
  const roleFolders = new RoleFolders({ messages, accountOf: present });
  const leaving = new UnsubscribeService(deps);
  const replayAll = (): void => accounts.all().forEach(({ id }) => void replay.run(id));

  return {
    requests: {
      setFlags: (request) => actions.setFlags(request),
      moveMessages: (request) => actions.moveMessages(request),
      deleteMessages: (request) => actions.deleteMessages(request),
      removeForGood: (request) => actions.removeForGood(request),
      archiveMessages: (request) => actions.archiveMessages(request),
      markJunk: (request) => actions.markJunk(request),
      markNotJunk: (request) => actions.markNotJunk(request),
      createRoleFolder: (request, o) => roleFolders.createRoleFolder(request, o),
      undoAction: (request) => actions.undoAction(request),
      listPendingActions: () => actions.listPendingActions(),
      listMessages: (request) => unified.listMessages(request),
      getUnifiedList: (request, o) => unified.getUnifiedList(request, o),
      listUnifiedFolders: () => unified.listUnifiedFolders(),
      snoozeMessages: (request) => snooze.snoozeMessages(request),
      unsnoozeMessages: (request) => snooze.unsnoozeMessages(request),
      listSnoozed: () => snooze.listSnoozed(),
      muteThread: (request) => mute.muteThread(request),
      unmuteThread: (request) => mute.unmuteThread(request),
      isMuted: (request) => mute.isMuted(request),
      unsubscribe: (request, o) => leaving.unsubscribe(request, o),
      importMail: (request, o) =>
        importMail(
          request,
          {
            offline,
            actionsOf: (accountId) => present(accountId).handler.actions,
            synced: (accountId, folder) => present(accountId).syncFolder(folder),
            emit,
          },
          o?.signal,
        ),
      exportMail: (request, o) =>
        exportMail(
          request,
          {
            messages,
            sealedMail,
            emit,
            source: async (row, signal) => (await deps.source(row.id, signal)).raw,
            handlerOf: (accountId) => present(accountId).handler,
          },
          o?.signal,
        ),
    },
    start() {
      journal.prune(clock.now());
      for (const { id } of accounts.all()) view.showAll(id);
      mute.start(shown.foldersOf('inbox'));
      snooze.start();
      replayAll();
    },
    heard(event) {
      if (event.kind === 'accounts') replayAll();
      if (event.kind !== 'messages') return;
      mute.arrived(event.accountId, event.folder);
      snooze.arrived(event.accountId);
    },
    countsPending,
    folders: {
      renamed(accountId, from, to) {
        journal.renameFolder(accountId, from, to);
        snoozed.renameFolder(accountId, from, to);
        stores.folderChoices.renameFolder(accountId, from, to);
      },
      leaving: (accountId, folder, most) => journal.leaving(accountId, folder, most),
    },
  };
}

interface Counts {
  readonly unread: number;
  readonly total: number;
}

function added(some: ReadonlyMap<string, Counts>, others: readonly (Counts & { readonly path: string })[]): ReadonlyMap<string, Counts> {
  const sums = new Map(some);
  for (const { path, unread, total } of others) {
    const sum = sums.get(path) ?? { unread: 0, total: 0 };
    sums.set(path, { unread: sum.unread + unread, total: sum.total + total });
  }
  return sums;
}
