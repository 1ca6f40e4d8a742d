import * as vscode from 'vscode';
import { rowIn, targetIds } from '../actions/actionTargets.ts';
import { pickOne } from '../box.ts';
import type { CommandId } from '../commandIds.ts';
import { DRAFT_SCHEME, draftIdOf } from '../composer/draftUri.ts';
import type { DraftVersions } from '../drafts/draftVersions.ts';
import { VERSION_SCHEME } from '../drafts/versionUri.ts';
import type { FolderKeeping } from '../mail/folderKeeping.ts';
import { folderIcon } from '../mail/folderNesting.ts';
import type { SyncProgress } from '../mail/syncProgress.ts';
import type { MailFileEditor } from '../mailFiles/mailFileEditor.ts';
import type { MailTransfer } from '../transfer/mailTransfer.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { accountIdIn, draftIdIn, folderIn } from './commandArguments.ts';
import type { MailViews } from './mailCommands.ts';
import { pickAccount } from './pickAccount.ts';
import type { CommandHandlers } from './registerCommands.ts';

type StoreCommandId = Extract<
  CommandId,
  | 'qumail.folderSync'
  | 'qumail.subscribeFolder'
  | 'qumail.unsubscribeFolder'
  | 'qumail.offlineStorage'
  | 'qumail.cancelSync'
  | 'qumail.draftVersions'
  | 'qumail.restoreDraftVersion'
  | 'qumail.deleteDraft'
  | 'qumail.importMail'
  | 'qumail.exportMessages'
  | 'qumail.exportFolder'
  | 'qumail.openMailFile'
>;

export interface StoreParts {
  readonly keeping: FolderKeeping;
  readonly progress: SyncProgress;
  readonly versions: DraftVersions;
  readonly transfer: MailTransfer;
  readonly mailFiles: MailFileEditor;
}

interface FolderPlace {
  readonly accountId: string;
  readonly path: string;
}

/** Commands about what is kept on this machine: folders, drafts, files. */
export function storeCommands(
  views: MailViews,
  { keeping, progress, versions, transfer, mailFiles }: StoreParts,
): Pick<CommandHandlers, StoreCommandId> {
  const { context, messages, reader } = views;
  const onFolder =
    (placeHolder: () => string, act: (folder: FolderPlace, args: readonly unknown[]) => Promise<unknown>) =>
    async (...args: readonly unknown[]): Promise<void> => {
      const [argument] = args;
      const folder = folderIn(argument) ?? (await pickFolder(views, argument, placeHolder()));
      if (folder) await act(folder, args);
    };
  return {
    'qumail.folderSync': onFolder(
      () => vscode.l10n.t('Keep which folder offline?'),
      (folder) => keeping.chooseSync(folder),
    ),
    'qumail.subscribeFolder': onFolder(
      () => vscode.l10n.t('Subscribe to which folder?'),
      (folder) => keeping.setSubscribed(folder, 'subscribed'),
    ),
    'qumail.unsubscribeFolder': onFolder(
      () => vscode.l10n.t('End the subscription to which folder?'),
      (folder) => keeping.setSubscribed(folder, 'unsubscribed'),
    ),
    'qumail.importMail': onFolder(
      () => vscode.l10n.t('Import into which folder?'),
      (folder, args) => transfer.importInto(folder, filesIn(args)),
    ),
    'qumail.exportFolder': onFolder(
      () => vscode.l10n.t('Export which folder?'),
      (folder) => transfer.exportFolder(folder),
    ),
    'qumail.openMailFile': (argument) => mailFiles.show(filesIn([argument])[0] ?? shownFile()),
    'qumail.offlineStorage': () => keeping.showStorage(),
    'qumail.cancelSync': (argument) => progress.cancel(accountIdIn(argument)),
    async 'qumail.draftVersions'(argument) {
      const draftId = await draftIn(argument, views);
      if (draftId !== undefined) await versions.show(draftId);
    },
    async 'qumail.restoreDraftVersion'(argument) {
      // From the title bar of a comparison comes its other side, the draft.
      const uri = argument instanceof vscode.Uri && argument.scheme === VERSION_SCHEME ? argument : shownVersion();
      if (uri) await versions.restore(uri);
    },
    async 'qumail.deleteDraft'(argument) {
      const draftId = await draftIn(argument, views);
      if (draftId !== undefined) await deleteDraft(draftId, views);
    },
    async 'qumail.exportMessages'(...args) {
      const messageIds = await targetIds(args, messages, reader);
      if (messageIds.length === 0) return void vscode.window.showInformationMessage(vscode.l10n.t('Select or open a message first.'));
      const known = messageIds.map((id) => messages.find(id));
      // A message that is not in the list may be one that was opened.
      const opened = known.some((message) => message?.seal !== 'plain') ? 'some' : 'none';
      await transfer.exportMessages(messageIds, { subject: known[0]?.subject ?? '', opened });
    },
  };

  async function deleteDraft(draftId: string, { context: { api } }: MailViews): Promise<void> {
    const { subject } = await api.loadDraft({ draftId });
    const question = vscode.l10n.t('Delete the draft "{0}"?', subject || vscode.l10n.t('(no subject)'));
    const detail = vscode.l10n.t('Its earlier texts and its copy on the server go with it.');
    const yes = vscode.l10n.t('Delete');
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
    await context.run(vscode.l10n.t('Deleting'), () => api.deleteDraft({ draftId }), { place: 'view', viewId: 'qumail.mail' });
  }
}

/** The draft a command is about: the one named, the one in the active editor, or one that is picked. */
async function draftIn(argument: unknown, { context, messages }: MailViews): Promise<string | undefined> {
  const row = rowIn([argument]);
  const named = argument instanceof vscode.Uri ? draftIdOf(argument) : row ? messages.draftOf(row)?.id : draftIdIn(argument);
  if (named !== undefined) return named;
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active?.scheme === DRAFT_SCHEME) return draftIdOf(active);
  const drafts = (await context.api.listDrafts()).toSorted((a, b) => b.updatedAt - a.updatedAt);
  if (drafts.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There are no drafts.'));
    return undefined;
  }
  const items = drafts.map((draft) => ({ label: `$(edit) ${draft.subject || vscode.l10n.t('(no subject)')}`, id: draft.id }));
  return (await pickOne(items, { placeHolder: vscode.l10n.t('Which draft?') }))?.id;
}

/** The earlier text in the comparison on show. */
function shownVersion(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputTextDiff && input.original.scheme === VERSION_SCHEME ? input.original : undefined;
}

/** Files out of what a command was called with: one, or the selected ones of the explorer. */
function filesIn([first, selected]: readonly unknown[]): readonly vscode.Uri[] {
  const many = Array.isArray(selected) ? selected.filter((one) => one instanceof vscode.Uri) : [];
  if (many.length > 0) return many;
  return first instanceof vscode.Uri ? [first] : [];
}

/** The .eml file that is open as text. */
function shownFile(): vscode.Uri | undefined {
  const shown = vscode.window.activeTextEditor?.document.uri;
  return shown?.path.toLowerCase().endsWith('.eml') && shown.scheme !== 'qumail-source' ? shown : undefined;
}

async function pickFolder({ context, mail }: MailViews, argument: unknown, placeHolder: string): Promise<FolderPlace | undefined> {
  const account = await pickAccount(context, accountIdIn(argument), vscode.l10n.t('In which account?'));
  if (!account) return undefined;
  const folders = (await mail.foldersOf(account.id)).filter(({ selectable }) => selectable);
  const items = folders.map((folder) => ({
    label: `$(${folderIcon(folder.specialUse)}) ${withoutIcons(folder.name)}`,
    description: folder.path === folder.name ? '' : withoutIcons(folder.path),
    folder,
  }));
  const picked = await pickOne(items, { placeHolder });
  return picked && { accountId: account.id, path: picked.folder.path };
}
