import { join } from 'node:path';
import * as vscode from 'vscode';
import { GoogleAuthentication } from './views/accounts/googleAuthentication.ts';
import { SignIn } from './views/accounts/signIn.ts';
import { StoreAlarms } from './views/accounts/storeAlarms.ts';
import { registerRedirectHandler } from './views/accounts/uriHandler.ts';
import { buildChatViews } from './views/chats/chatViews.ts';
import { accountCommands } from './views/commands/accountCommands.ts';
import { guideCommands } from './views/commands/guideCommands.ts';
import { keyCommands } from './views/commands/keyCommands.ts';
import { openSent } from './views/commands/mailCommands.ts';
import { outboxCommands } from './views/commands/outboxCommands.ts';
import { padCommands } from './views/commands/padCommands.ts';
import { registerCommands } from './views/commands/registerCommands.ts';
import { sealCommands } from './views/commands/sealCommands.ts';
import { trustCommands } from './views/commands/trustCommands.ts';
import { vaultCommands } from './views/commands/vaultCommands.ts';
import { writeCommands } from './views/commands/writeCommands.ts';
import { Composer } from './views/composer/composer.ts';
import { EngineClient } from './views/engineClient.ts';
import { HealthPanel } from './views/health/healthPanel.ts';
import { logTo, microsoftTokens, openInBrowser, secretsOf } from './views/hostPorts.ts';
import { ConformancePanel } from './views/keys/conformancePanel.ts';
import { KeyAlarms } from './views/keys/keyAlarms.ts';
import { KeyTree } from './views/keys/keyTree.ts';
import { Lab } from './views/lab/lab.ts';
import { buildMailViews } from './views/mail/mailViews.ts';
import { UnreadDecorations } from './views/messages/unreadDecorations.ts';
import { Notifier } from './views/notifier.ts';
import { Nudger } from './views/nudger.ts';
import { Outbox } from './views/outbox/outbox.ts';
import { OutboxActions } from './views/outbox/outboxActions.ts';
import { ReaderPanel } from './views/reader/readerPanel.ts';
import { followSecrets } from './views/secretWatch.ts';
import { Settings } from './views/settings.ts';
import { StatusBar } from './views/statusBar.ts';
import { TrustPanel } from './views/trust/trustPanel.ts';
import { VaultWatch } from './views/vault/vaultWatch.ts';
import { registerWelcome } from './views/welcome.ts';
import { Worlds } from './views/worlds.ts';

/** Builds everything by hand, top to bottom. Nothing here waits, and the engine starts only when something needs it. */
export function activate(context: vscode.ExtensionContext): void {
  const began = performance.now();
  const usedBefore = process.cpuUsage();
  const own = <T extends vscode.Disposable>(item: T): T => {
    context.subscriptions.push(item);
    return item;
  };
  const dist = (name: string): string => join(context.extensionUri.fsPath, 'dist', name);
  const storage = (name: string): string => join(context.globalStorageUri.fsPath, name);

  const log = own(vscode.window.createOutputChannel('QuMail', { log: true }));
  const settings = new Settings(context.extension, log);
  const engine = own(
    new EngineClient({
      world: 'real',
      script: dist('engine.cjs'),
      storageDir: storage('mail'),
      secrets: secretsOf(context.secrets),
      openBrowser: openInBrowser,
      hostToken: microsoftTokens(() => settings.outlookClientId, log),
      log: logTo(log),
      settings: () => settings.read(),
    }),
  );
  const worlds = own(new Worlds(context, log, engine));

  const google = own(new GoogleAuthentication(worlds, settings));
  own(registerRedirectHandler(worlds));
  const signIn = new SignIn(worlds, settings, google);

  own(registerWelcome());
  const outbox = own(new Outbox(worlds));
  const mailViews = own(buildMailViews(worlds, { outbox, memory: context.workspaceState }));
  const { mail, messages, actions } = mailViews;
  const keys = own(new KeyTree(worlds));
  const conformance = own(new ConformancePanel());
  const trust = own(new TrustPanel(worlds));
  own(new KeyAlarms(worlds));
  own(new StoreAlarms(worlds));
  const vault = own(new VaultWatch(worlds));
  own(vscode.window.registerFileDecorationProvider(new UnreadDecorations()));
  const chats = own(buildChatViews(worlds, () => settings.notifications));
  const onDidCount: vscode.Event<unknown> = (listener, self, list) =>
    vscode.Disposable.from(mail.onDidListFolders(listener, self, list), chats.tree.onDidList(listener, self, list));
  own(new StatusBar(worlds, () => mail.unread + chats.tree.unread, onDidCount));
  own(
    new Notifier(
      worlds,
      () => settings.notifications,
      () => mail.unread,
      mail.onDidListFolders,
    ),
  );

  const reader = own(new ReaderPanel(worlds));
  own(actions.onDidPerform((performed) => reader.performed(performed)));
  const composer = own(new Composer(worlds));
  own(
    vault.onDidLock(() => {
      reader.close();
      trust.close();
      chats.hide();
    }),
  );
  const labFiles = { labScript: dist('lab.cjs'), engineScript: dist('engine.cjs'), storageDir: storage('lab') };
  const lab = own(new Lab(worlds, composer, { ...labFiles, settings: () => settings.read() }));

  const version = String(context.extension.packageJSON.version);
  const health = own(new HealthPanel(worlds, version));
  const views = { context: worlds, mail, messages, reader, actions };
  const outboxActions = new OutboxActions(worlds, outbox, {
    openDraft: (draftId) => composer.openDraft(draftId),
    openSent: (accountId) => openSent(views, accountId),
  });
  own(
    registerCommands(worlds, {
      ...accountCommands(worlds, signIn),
      ...mailViews.commands(views, composer),
      ...writeCommands(views, composer),
      ...outboxCommands(outbox, outboxActions),
      ...keyCommands(worlds, keys, conformance),
      ...trustCommands(worlds, trust),
      ...padCommands(worlds),
      ...vaultCommands(worlds),
      ...sealCommands(worlds, { composer, reader, version }),
      ...chats.commands,
      'qumail.accountHealth': () => health.show(),
      'qumail.copyHealthReport': () => health.copyReport(),
      ...guideCommands(context.extension.id, signIn),
      'qumail.openLab': () => lab.open(),
      'qumail.closeLab': () => lab.close(),
    }),
  );

  own(
    settings.onDidChange(() => {
      // An engine that starts later reads them then.
      const configured = [engine.isStarted ? engine.api.configure(settings.read()) : undefined, lab.configure()];
      void Promise.all(configured).catch((error: unknown) => worlds.showFailure(error));
    }),
  );
  own(followSecrets(context.secrets, worlds));
  own(new Nudger(engine, log));
  // Those who have accounts want their unread count without opening anything; others are left alone.
  if (worlds.hasAccounts) {
    const start = setImmediate(() => void worlds.api);
    own(new vscode.Disposable(() => clearImmediate(start)));
  }
  const { user, system } = process.cpuUsage(usedBefore);
  // Where other programs had the processor meanwhile, this one was not busy.
  log.info(`activated in ${Math.min(performance.now() - began, (user + system) / 1000).toFixed(1)} ms`);
}
