import * as vscode from 'vscode';
import type { Draft, DraftVersion } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import { DraftFileSystem } from '../composer/draftFileSystem.ts';
import { shownAt } from '../composer/draftTabs.ts';
import { draftIdOf } from '../composer/draftUri.ts';
import { dateAndTime } from '../outbox/outboxText.ts';
import type { ViewContext } from '../viewContext.ts';
import { VERSION_SCHEME, versionIn, versionPlace } from './versionUri.ts';

/** Earlier texts of drafts: beside the present one, and back in its place. */
export class DraftVersions implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #context: ViewContext;
  readonly #registration: vscode.Disposable;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(VERSION_SCHEME, this);
  }

  /** Sealed drafts leave the engine for the editor that shows them, and are written nowhere. */
  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const version = versionIn(uri);
    return version ? (await this.#context.api.loadDraftVersion(version)).text : '';
  }

  /** Lets one of the earlier texts be picked and shows it beside the present one. */
  async show(draftId: string): Promise<void> {
    const { api } = this.#context;
    const draft = await api.loadDraft({ draftId });
    const versions = await api.listDraftVersions({ draftId });
    if (versions.length === 0) {
      const text = vscode.l10n.t('This draft has no earlier text yet. One is kept about every minute while you write.');
      return void vscode.window.showInformationMessage(text);
    }
    const items = versions.map((version) => ({
      label: `$(history) ${dateAndTime(version.at, vscode.env.language)}`,
      description: version.subject,
      detail: vscode.l10n.t('{0} characters', version.length),
      version,
    }));
    const picked = await pickOne(items, {
      title: vscode.l10n.t('Earlier texts of this draft'),
      placeHolder: vscode.l10n.t('Compare which one with the present text?'),
    });
    if (picked) await this.#compare(draft, picked.version);
  }

  /** Puts the earlier text that is on show in the place of the present one, which is kept as a version in its turn. */
  async restore(uri: vscode.Uri): Promise<void> {
    const version = versionIn(uri);
    if (!version) return;
    const open = vscode.workspace.textDocuments.find((document) => draftIdOf(document.uri) === version.draftId);
    // What was typed a moment ago must be among what is kept.
    if (open?.isDirty) await open.save();
    const draft = await this.#context.run(vscode.l10n.t('Restoring'), () => this.#context.api.restoreDraftVersion(version), {
      place: 'silent',
    });
    if (!draft) return;
    await this.#close(version.draftId);
    await vscode.commands.executeCommand('qumail.openDraft', draft.id);
    vscode.window.setStatusBarMessage(
      `$(check) ${vscode.l10n.t('The earlier text is back. The one it replaced is among the versions now.')}`,
      8000,
    );
  }

  dispose(): void {
    this.#registration.dispose();
  }

  async #compare(draft: Draft, version: DraftVersion): Promise<void> {
    const earlier = vscode.Uri.from({
      scheme: VERSION_SCHEME,
      ...versionPlace({ draftId: draft.id, versionId: version.id }),
    });
    const subject = draft.subject || vscode.l10n.t('New message');
    const title = vscode.l10n.t('{0}: {1} and now', subject, dateAndTime(version.at, vscode.env.language));
    await vscode.commands.executeCommand('vscode.diff', earlier, shownAt(draft.id) ?? DraftFileSystem.uriOf(draft), title, {
      preview: true,
    });
  }

  /** The comparison has served. */
  async #close(draftId: string): Promise<void> {
    const tabs = vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .filter(({ input }) => input instanceof vscode.TabInputTextDiff && versionIn(input.original)?.draftId === draftId);
    await vscode.window.tabGroups.close(tabs);
  }
}
