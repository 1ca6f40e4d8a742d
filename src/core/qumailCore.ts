import { AccountService } from './account/accountService.ts';
import { eraseByMessageId } from './account/chatArrivals.ts';
import { ContactService } from './account/contactService.ts';
import { DRAFT_REQUESTS, DraftService } from './account/draftService.ts';
import { HealthService } from './account/health.ts';
import { MailFileService } from './account/mailFile.ts';
import { MailService } from './account/mailService.ts';
import { networksNow } from './account/networkWatch.ts';
import { OutboxRunner } from './account/outboxRunner.ts';
import { OutboxService } from './account/outboxService.ts';
import { OAUTH_PROVIDERS } from './auth/providers.ts';
import { QuMailError } from './base/errors.ts';
import { createHttpsFetch } from './base/httpsFetch.ts';
import { DisposableStore, Emitter } from './base/lifetime.ts';
import { Log } from './base/log.ts';
import { systemClock, systemRandom } from './base/systemPorts.ts';
import type { Clock, Random } from './base/ports.ts';
import { CipherManager } from './crypto/cipherManager.ts';
import type { EngineOptions, QuMailApi, QuMailEvent, QuMailRequests } from './api.ts';
import { buildActions } from './coreActions.ts';
import { buildDrafts, draftStores } from './coreDrafts.ts';
import { buildAuth } from './coreAuth.ts';
import { buildArrivals } from './coreArrivals.ts';
import { buildChat, type CoreChat } from './coreChat.ts';
import { CoreKeys } from './coreKeys.ts';
import { openStores } from './coreStores.ts';
import { openVaultArea } from './coreVault.ts';
import { buildTrust } from './coreTrust.ts';
import { TRUST_REQUESTS } from './base/requests/trustRequests.ts';
import type { Contact } from './base/model.ts';
import { buildSearch } from './coreSearch.ts';
import { buildSync } from './coreSync.ts';
import { ShownMail } from './store/shownMail.ts';
import { WindowLock } from './store/windowLock.ts';
import type { TransportTiming } from './transport/mailAccess.ts';
import { authorityFor, parseSettings, startSettings } from './settings.ts';

/** What a test may put in the place of the system's own. */
export interface CorePorts {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly providers?: typeof OAUTH_PROVIDERS;
  /** Time limits of mail connections, in milliseconds. */
  readonly timing?: Partial<TransportTiming>;
  /** The networks this machine is on, as one comparable text. */
  readonly networks?: () => string;
}

/** Builds and orders everything; the one object behind the public API. */
export class QuMailCore {
  /**
   * Opens the engine over `options.storageDir` and starts looking for mail. Where mail.db shows damage only as it is read, another takes its place.
   *
   * @throws QuMailError `store.*` when the folder cannot be opened or its secrets are gone
   */
  static async open(options: EngineOptions, ports: CorePorts = {}): Promise<QuMailApi> {
    for (let tries = 1; ; tries++) {
      const owned = new DisposableStore();
      try {
        return await build(options, ports, owned);
      } catch (error) {
        owned.dispose();
        if (!QuMailError.is(error, 'store.mail-damaged') || tries === 2) throw error;
      }
    }
  }
}

async function build(options: EngineOptions, ports: CorePorts, owned: DisposableStore): Promise<QuMailApi> {
  const clock = ports.clock ?? systemClock;
  const random = ports.random ?? systemRandom;
  const providers = ports.providers ?? OAUTH_PROVIDERS;
  const world = options.world ?? 'real';
  const log = new Log(options.log, 'engine');
  const events = owned.add(new Emitter<QuMailEvent>());
  const emit = (event: QuMailEvent): void => events.fire(event);
  let settings = startSettings(options.settings ?? {}, (field) => log.warn('setting-refused', { field }));
  const authorities = (host: string): string | undefined => authorityFor(settings, host);
  const stores = await openStores({ ...options, rebuilt: () => log.warn('mail-cache-rebuilt') }, { clock, random }, owned);
  const { vault, storage, contacts, managers, drafts, outbox, sealedMail, messages, ledger } = stores;

  // Keys.
  const cipher = new CipherManager({ random });
  const keys = owned.add(new CoreKeys({ stores, clock, random, log, world, emit }));
  const { links } = keys;

  // Who the user is.
  const lock = owned.add(new WindowLock({ db: vault, clock, random }));
  const budget = (): number => settings.offlineBudgetMiB * 1024 * 1024;
  const fetch = createHttpsFetch({ authorities });
  const { oauth, hostTokens, commandTokens, identity, discovery } = buildAuth(
    { stores, clock, random, log, fetch, lock, providers, authorities, options, settings: () => settings },
    owned,
  );

  // Whose certificate is whose.
  const contactOf = (accountId: string, address: string): Contact | undefined => people.contactOf(accountId, address);
  const trust = buildTrust({ stores, clock, random, log, fetch, world, emit, contactOf }, owned);

  // Accounts at work, and what they offer.
  const openDeps = { links, ledger, cipher, contacts, sealedMail, clock, pgp: trust.pgp, own: trust.own, trust: trust.book };
  const arrivals = buildArrivals({ stores, own: trust.own, clock, random, log, links, later: () => ({ chats, accounts, area }) }, owned);
  const { offers, copies } = arrivals;
  const syncDeps = { ...openDeps, messages, clock, offers, log: log.scoped('mail') };
  const accounts = owned.add(
    new AccountService({
      identity,
      oauth,
      hostTokens,
      commandTokens,
      providers,
      managers,
      messages,
      authorities,
      clock,
      random,
      log: log.scoped('account'),
      world,
      networks: ports.networks ?? networksNow,
      ...(ports.timing && { timing: ports.timing }),
      emit,
      mailDeps: {
        ...syncDeps,
        random,
        journal: {
          renamed: (...rename) => acting.folders.renamed(...rename),
          leaving: (...asked) => acting.folders.leaving(...asked),
        },
        offline: stores.offline,
        lock,
        budget,
        interval: () => settings.fetchInterval * 1000,
      },
      erase: async (accountId) => {
        await keys.eraseAccount(accountId);
        await storage.eraseAccount(accountId);
        ledger.eraseAccount(accountId);
        messages.eraseAccount(accountId);
        search.erased();
      },
    }),
  );
  const mail = new MailService({
    ...syncDeps,
    accounts,
    world,
    countsPending: (accountId) => acting.countsPending(accountId),
    changed: {
      folders: (accountId) => emit({ kind: 'folders', accountId }),
      messages: (accountId, folder) => emit({ kind: 'messages', accountId, folder }),
    },
  });
  const search = buildSearch({ stores, accounts, clock, random, log, events }, owned);
  const sync = buildSync({ stores, accounts, clock, log, budget, emit }, owned);
  const sendDeps = { outbox, drafts, clock, random, log: log.scoped('send'), emit };
  const runner = owned.add(new OutboxRunner({ ...sendDeps, accounts, messages }));
  owned.add(events.event(({ kind }) => kind === 'accounts' && runner.accountsChanged()));
  owned.add(events.event(({ kind }) => kind === 'accounts' && area.started && trust.own.start()));
  const draftParts = draftStores(stores);
  const composing = new DraftService({
    ...openDeps,
    ...sendDeps,
    versions: draftParts.versions,
    conflictOf: (draftId) => draftParts.copies.get(draftId)?.conflictOf,
    messages,
    accounts,
    mail,
    runner,
    startLevel: () => settings.startLevel,
    undoSendSeconds: () => settings.undoSendSeconds,
  });
  const acting = buildActions(
    {
      stores,
      clock,
      random,
      log,
      emit,
      lock,
      fetch,
      accounts,
      source: (messageId, signal) => mail.sourceWith(messageId, signal),
      createDraft: ({ accountId, to, subject }) =>
        composing.createDraft({ accountId, source: { kind: 'new', to: [to], subject, body: '' } }),
    },
    owned,
  );
  owned.add(events.event((event) => acting.heard(event)));
  const writing = buildDrafts(
    {
      ...sendDeps,
      ...draftParts,
      messages,
      own: trust.own,
      pgp: trust.pgp,
      lock,
      accounts: () => accounts.all(),
      addressOf: (accountId) => accounts.addressOf(accountId),
      isOnItsWay: (draftId) => outbox.ofDraft(draftId).some(({ state }) => state !== 'accepted' && state !== 'filed'),
      save: (request) => composing.saveDraft(request),
      load: (request) => composing.loadDraft(request),
    },
    owned,
  );
  owned.add(events.event((event) => writing.sync.heard(event)));
  const chats: CoreChat = buildChat(
    {
      ...openDeps,
      outbox,
      random,
      stores,
      book: trust.book,
      accounts,
      runner,
      world,
      log,
      emit,
      copies,
      eraseOnServer: (accountId, rfcMessageId) =>
        eraseByMessageId(accounts.get(accountId), rfcMessageId, messages, new ShownMail({ db: stores.cache })),
    },
    owned,
  );
  owned.add(events.event((event) => chats.heard(event)));
  owned.add(events.event((event) => arrivals.heard(event)));
  const waiting = new OutboxService({ ...sendDeps, runner, sendDraft: (request, o) => composing.sendDraft(request, o) });
  const health = new HealthService({ identity, oauth, accounts, outbox, offline: stores.offline, budget });
  const people = new ContactService({ contacts, links, accounts, trust: trust.book, startLevel: () => settings.startLevel, emit });

  const area = openVaultArea(
    {
      stores,
      clock,
      random,
      log: log.scoped('vault'),
      emit,
      keepKeys: () => keys.housekeeping(),
      restartAccounts: () => accounts.restart(),
      start: () => {
        acting.start();
        runner.start();
        trust.own.start();
        chats.start();
        search.start();
      },
    },
    owned,
  );
  await area.begin();

  const requests: QuMailRequests = {
    async configure(next) {
      const before = settings;
      settings = parseSettings(next);
      if (JSON.stringify(before.certificateAuthorities) !== JSON.stringify(settings.certificateAuthorities)) accounts.restart();
      else if (before.offlineBudgetMiB !== settings.offlineBudgetMiB)
        accounts.all().forEach(({ background }) => background.budgetChanged());
    },
    setClientSecret: (request) => oauth.setClientSecret(request),
    ...bound(accounts, ['listAccounts', 'addAccount', 'signInAgain', 'signOut', 'getAccessToken', 'deliverRedirect']),
    // The lab has no providers to discover, and asks nobody.
    discoverServers: async (request, o) => (world === 'lab' ? [] : discovery.discoverServers(request, o)),
    ...bound(mail, ['listFolders', 'getEmailList', 'fetchMail', 'openMessage', 'getAttachment', 'getProtection', 'getSource']),
    ...bound(new MailFileService({ world }), ['readMailFile', 'getMailFileAttachment']),
    ...acting.requests,
    ...writing.requests,
    ...bound(composing, DRAFT_REQUESTS),
    ...bound(health, ['getAccountHealth']),
    ...bound(waiting, ['listOutbox', 'retryOutbox', 'discardOutbox', 'undoSend', 'settleOutbox']),
    async nudge(request) {
      await accounts.nudge(request);
      runner.wake();
    },
    ...bound(trust.requests, TRUST_REQUESTS),
    ...bound(people, ['listContacts', 'saveContact', 'deleteContact']),
    ...search.requests,
    ...chats.requests,
    ...sync.requests,
    ...keys.requests(accounts),
    ...area.requests,
  };
  return {
    ...area.guard(requests),
    onEvent: events.event,
    async [Symbol.asyncDispose]() {
      const patience = new AbortController();
      // A refresh under way may carry a rotated token, and a key manager's answer keys, that exist nowhere else.
      const drained = Promise.all([oauth.drain(), links.drain()]);
      // A message on its way wants its answer heard.
      await Promise.all([runner.stop(), Promise.race([drained, clock.sleep(2000, patience.signal).catch(() => {})])]);
      patience.abort();
      owned.dispose();
    },
  };
}

/** The named methods of a service, bound to it. */
function bound<S extends object, K extends keyof S>(service: S, names: readonly K[]): Pick<S, K> {
  return Object.fromEntries(names.map((name) => [name, (service[name] as (...args: unknown[]) => unknown).bind(service)])) as Pick<S, K>;
}
