import * as vscode from 'vscode';
import { MailActions } from '../actions/mailActions.ts';
import { PendingActions } from '../actions/pendingActions.ts';
import { RecentActions } from '../actions/recentActions.ts';
import { actionCommands } from '../commands/actionCommands.ts';
import { mailCommands, type MailViews } from '../commands/mailCommands.ts';
import { searchCommands } from '../commands/searchCommands.ts';
import { storeCommands } from '../commands/storeCommands.ts';
import type { Composer } from '../composer/composer.ts';
import { DraftCopies } from '../drafts/draftCopies.ts';
import { DraftVersions } from '../drafts/draftVersions.ts';
import { MessageTree } from '../messages/messageTree.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { SavedSearches } from '../search/savedSearches.ts';
import { SearchBox } from '../search/searchBox.ts';
import { MailFileEditor } from '../mailFiles/mailFileEditor.ts';
import { MailTransfer } from '../transfer/mailTransfer.ts';
import type { ViewContext } from '../viewContext.ts';
import { FolderKeeping } from './folderKeeping.ts';
import { MailExtras } from './mailExtras.ts';
import { MailTree } from './mailTree.ts';
import { SyncProgress } from './syncProgress.ts';

/** The views of mail that exists, and everything that can be done with it. Dispose of it as a whole. */
export interface BuiltMailViews extends vscode.Disposable {
  readonly mail: MailTree;
  readonly messages: MessageTree;
  readonly actions: MailActions;
  commands(views: MailViews, composer: Composer): ReturnType<typeof allCommands>;
}

/** @param memory where this window remembers how it lists messages */
export function buildMailViews(
  context: ViewContext,
  { outbox, memory }: { readonly outbox: Outbox; readonly memory: vscode.Memento },
): BuiltMailViews {
  const recent = new RecentActions();
  const pending = new PendingActions(context, recent);
  const actions = new MailActions(context, recent, pending);
  const progress = new SyncProgress(context);
  const extras = new MailExtras(context);
  const versions = new DraftVersions(context);
  const copies = new DraftCopies(context);
  const mailFiles = new MailFileEditor(context);
  const mail = new MailTree(context, { outbox, extras, pending, progress, actions });
  const messages = new MessageTree(context, mail, {
    memory,
    server: (messageId) => (recent.isWaiting(messageId) ? 'waiting' : 'told'),
    draftOf: (messageId) => copies.of(messageId),
    muted: (messageId) => extras.isMuted(messageId),
    onDidPerform: actions.onDidPerform,
    onDidChangeFacts: (listener, self, list) =>
      vscode.Disposable.from(
        pending.onDidChangeWaiting(listener, self, list),
        copies.onDidChange(listener, self, list),
        extras.onDidChangeMuted(listener, self, list),
      ),
  });
  const owned: vscode.Disposable[] = [mail, messages, actions, pending, progress, extras, versions, copies, mailFiles];
  return {
    mail,
    messages,
    actions,
    commands(views, composer) {
      const saved = new SavedSearches(context, messages);
      const box = new SearchBox(context, {
        open: (messageId) => {
          const draft = copies.of(messageId);
          return draft ? composer.openDraft(draft.id) : views.reader.show(messageId);
        },
        list: (query) => saved.list(query),
        server: (query) => saved.onServer(query),
        save: (query) => saved.save(query),
        openSaved: (search) => saved.open(search),
      });
      owned.push(box);
      const parts = { keeping: new FolderKeeping(context), progress, versions, transfer: new MailTransfer(context), mailFiles };
      return allCommands(views, { composer, saved, box, parts });
    },
    dispose: () => owned.forEach((one) => one.dispose()),
  };
}

interface CommandParts {
  readonly composer: Composer;
  readonly saved: SavedSearches;
  readonly box: SearchBox;
  readonly parts: Parameters<typeof storeCommands>[1];
}

// The commands are those of four files, each of which says by its type which.
function allCommands(views: MailViews, { composer, saved, box, parts }: CommandParts) {
  return {
    ...mailCommands(views),
    ...actionCommands(views, composer),
    ...searchCommands(views, box, saved),
    ...storeCommands(views, parts),
  };
}
