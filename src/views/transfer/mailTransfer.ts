import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { QuMailError, type ExportRequest, type ExportResult, type ImportResult } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import type { RunTask, ViewContext } from '../viewContext.ts';
import { exportedText, fileName, halfImportedText, importedBefore, importedText, progressText } from './transferText.ts';

type Sealed = NonNullable<ExportRequest['sealed']>;

interface FolderPlace {
  readonly accountId: string;
  readonly path: string;
}

/** Mail in from files, mail out to files: .eml, mbox, whole folders. */
export class MailTransfer {
  readonly #context: ViewContext;

  constructor(context: ViewContext) {
    this.#context = context;
  }

  /** Files what is in the files named; asks for files or a folder of files where none is. */
  async importInto({ accountId, path }: FolderPlace, files: readonly vscode.Uri[] = []): Promise<void> {
    const picked = files.length > 0 ? this.#onThisMachine(files) : await this.#pickSource(path);
    if (!picked) return;
    const sum = { imported: 0, refused: 0, present: 0 };
    const add = (result: ImportResult): void => {
      sum.imported += result.imported;
      sum.refused += result.refused;
      sum.present += result.present;
    };
    let share = 0;
    const run: RunTask<'done'> = async (signal, report) => {
      for (const [index, file] of picked.entries()) {
        const told = (done: number, total: number): void => void (share = (index + done / Math.max(total, 1)) / picked.length);
        try {
          add(
            await this.#told(file, report, () => this.#context.api.importMail({ accountId, folder: path, path: file }, { signal }), told),
          );
        } catch (error) {
          add(importedBefore(QuMailError.from(error)));
          throw error;
        }
      }
      return 'done';
    };
    const done = await this.#context.run(vscode.l10n.t('Importing into {0}', path), run, { failure: { accountId } });
    if (done) void vscode.window.showInformationMessage(importedText(sum, path, vscode.l10n));
    else if (sum.imported > 0)
      void vscode.window.showInformationMessage(halfImportedText(sum, path, share, vscode.env.language, vscode.l10n));
  }

  /** Writes messages: one as an .eml file, several as one mbox file or as a folder of .eml files. */
  async exportMessages(messageIds: readonly number[], o: { readonly subject: string; readonly opened: 'some' | 'none' }): Promise<void> {
    const format = messageIds.length === 1 ? 'eml' : await this.#pickFormat();
    const sealed = format && (o.opened === 'some' ? await this.#pickSealed() : 'source');
    if (!format || !sealed) return;
    const path = format === 'eml' && messageIds.length > 1 ? await this.#pickFolder() : await this.#pickFile(o.subject, format);
    if (path !== undefined) await this.#export({ messageIds, path, name: vscode.l10n.t('mail'), format, sealed });
  }

  async exportFolder({ accountId, path: folder }: FolderPlace): Promise<void> {
    const format = await this.#pickFormat();
    const sealed = format && ((await this.#hasSealed(accountId, folder)) ? await this.#pickSealed() : 'source');
    if (!format || !sealed) return;
    const path = format === 'eml' ? await this.#pickFolder() : await this.#pickFile(folder, format);
    const name = fileName(folder, vscode.l10n.t('mail'));
    if (path !== undefined) await this.#export({ accountId, folder, path, name, format, sealed });
  }

  /** Whether the question what to do with sealed mail has an object. */
  async #hasSealed(accountId: string, folder: string): Promise<boolean> {
    const { folders } = await this.#context.api.getSyncState({ accountId });
    return folders.some(({ path, sealed }) => path === folder && sealed > 0);
  }

  async #export(request: ExportRequest): Promise<void> {
    const run: RunTask<ExportResult> = (signal, report) =>
      this.#told(request.path, report, () => this.#context.api.exportMail(request, { signal }));
    const result = await this.#context.run(vscode.l10n.t('Exporting'), run);
    if (!result) return;
    const show = vscode.l10n.t('Show File');
    const pressed = await vscode.window.showInformationMessage(exportedText(result, vscode.l10n), show);
    if (pressed === show) await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(result.path));
  }

  /** Runs a transfer with the engine's own progress beside its title. */
  async #told<T>(
    path: string,
    report: (message: string) => void,
    run: () => Promise<T>,
    told: (done: number, total: number) => void = () => {},
  ): Promise<T> {
    const heard = this.#context.onEvent((event) => {
      if (event.kind !== 'transfer-progress' || event.path !== path) return;
      told(event.done, event.total);
      report(progressText(event.done, event.total, vscode.env.language));
    });
    try {
      return await run();
    } finally {
      heard.dispose();
    }
  }

  /** VS Code's dialog picks files or folders, on most systems not both. */
  async #pickSource(folder: string): Promise<readonly string[] | undefined> {
    const kinds = [
      { label: `$(file) ${vscode.l10n.t('Files')}`, description: '.eml, .mbox', folders: false },
      { label: `$(folder) ${vscode.l10n.t('A folder of such files')}`, description: '.eml, mbox, Thunderbird, Maildir', folders: true },
    ];
    const kind = await pickOne(kinds, { placeHolder: vscode.l10n.t('Import what into {0}?', folder) });
    if (!kind) return undefined;
    const picked = await vscode.window.showOpenDialog({
      canSelectFiles: !kind.folders,
      canSelectFolders: kind.folders,
      canSelectMany: !kind.folders,
      openLabel: vscode.l10n.t('Import'),
      ...(kind.folders ? {} : { filters: { [vscode.l10n.t('Mail')]: ['eml', 'mbox', 'mbx'], [vscode.l10n.t('All files')]: ['*'] } }),
    });
    return picked && this.#onThisMachine(picked);
  }

  async #pickFormat(): Promise<'eml' | 'mbox' | undefined> {
    const items = [
      {
        label: `$(file) ${vscode.l10n.t('One mbox file')}`,
        description: vscode.l10n.t('for other mail programs'),
        format: 'mbox' as const,
      },
      {
        label: `$(files) ${vscode.l10n.t('A folder of .eml files')}`,
        description: vscode.l10n.t('one for each message'),
        format: 'eml' as const,
      },
    ];
    return (await pickOne(items, { placeHolder: vscode.l10n.t('Export as what?') }))?.format;
  }

  async #pickSealed(): Promise<Sealed | undefined> {
    const items: { label: string; detail: string; sealed: Sealed }[] = [
      {
        label: `$(lock) ${vscode.l10n.t('Sealed mail stays sealed')}`,
        detail: vscode.l10n.t('As it came. Its one-time keys are gone once it was read: it may never open again.'),
        sealed: 'source',
      },
      {
        label: `$(unlock) ${vscode.l10n.t('Write what sealed mail says')}`,
        detail: vscode.l10n.t('Whoever gets the file can read it.'),
        sealed: 'plaintext',
      },
    ];
    return (await pickOne(items, { placeHolder: vscode.l10n.t('What about sealed mail?') }))?.sealed;
  }

  async #pickFile(name: string, format: 'eml' | 'mbox'): Promise<string | undefined> {
    const uri = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.file(join(homedir(), `${fileName(name, vscode.l10n.t('mail'))}.${format}`)),
      filters: { [format]: [format] },
      saveLabel: vscode.l10n.t('Export'),
    });
    return uri && this.#onThisMachine([uri])?.[0];
  }

  async #pickFolder(): Promise<string | undefined> {
    const picked = await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel: vscode.l10n.t('Export here'),
    });
    return picked && this.#onThisMachine(picked)?.[0];
  }

  #onThisMachine(uris: readonly vscode.Uri[]): readonly string[] | undefined {
    const paths = uris.filter(({ scheme }) => scheme === 'file').map(({ fsPath }) => fsPath);
    if (paths.length === uris.length) return paths;
    void vscode.window.showInformationMessage(vscode.l10n.t('Only files on this machine will do.'));
    return undefined;
  }
}
