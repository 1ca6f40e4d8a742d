import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Attachment } from '../../core/api.ts';
import { sizeLabel } from '../labels.ts';
import type { ViewContext } from '../viewContext.ts';
import { distinctNames, guardOf, safeFileName } from './attachmentGuard.ts';

/** Types the editor shows by itself; everything else is handed to the system. */
const SHOWN_BY_EDITOR =
  /\.(?:eml|txt|md|markdown|csv|tsv|log|json|ya?ml|toml|patch|diff|png|jpe?g|gif|webp|avif|bmp|mp3|wav|ogg|mp4|webm)$/i;
const DAY_MS = 86_400_000;

/** Where the octets come from: a message of the mailbox, or whoever else has files to show. */
export type AttachmentSource = number | ((index: number, signal: AbortSignal) => Promise<Uint8Array>);

/** Saves attachments where the person says, and opens them from a private folder that goes when the reader goes. */
export class AttachmentFiles implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #parent: string;
  readonly #folder: string;
  #swept: Promise<void> | undefined;
  #lastFolder: vscode.Uri | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#parent = join(context.storageUri.fsPath, 'opened');
    this.#folder = join(this.#parent, randomUUID());
  }

  /** Asks for a place and writes the attachment there. */
  async save(source: AttachmentSource, attachment: Attachment): Promise<void> {
    const target = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.joinPath(this.#startFolder(), safeFileName(attachment.name)),
    });
    if (!target) return;
    this.#lastFolder = vscode.Uri.joinPath(target, '..');
    await this.#run(vscode.l10n.t('Saving {0}', attachment.name), source, async (signal) => {
      const content = await this.#contentOf(source, attachment.index, signal);
      await vscode.workspace.fs.writeFile(target, content);
    });
  }

  /** Asks for a folder and writes all of them there; what has the name of one already stays as it is. */
  async saveAll(source: AttachmentSource, attachments: readonly Attachment[]): Promise<void> {
    const [folder] =
      (await vscode.window.showOpenDialog({
        defaultUri: this.#startFolder(),
        canSelectFiles: false,
        canSelectFolders: true,
        openLabel: vscode.l10n.t('Save Here'),
      })) ?? [];
    if (!folder) return;
    this.#lastFolder = folder;
    await this.#run(vscode.l10n.t('Saving attachments'), source, async (signal, report) => {
      const present = (await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name);
      const names = distinctNames([...present, ...attachments.map(({ name }) => name)]).slice(present.length);
      for (const [position, attachment] of attachments.entries()) {
        report(attachment.name);
        const content = await this.#contentOf(source, attachment.index, signal);
        await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder, names[position] ?? safeFileName(attachment.name)), content);
      }
    });
  }

  /** Opens a copy, after a question where the type can do harm or is unknown. */
  async open(source: AttachmentSource, attachment: Attachment): Promise<void> {
    const choice = await askFirst(attachment);
    if (choice === 'save') return this.save(source, attachment);
    if (choice === 'no') return;
    await this.#run(vscode.l10n.t('Opening {0}', attachment.name), source, async (signal) => {
      const content = await this.#contentOf(source, attachment.index, signal);
      const file = vscode.Uri.file(await this.#keep(safeFileName(attachment.name), content));
      // In a browser or over a remote connection the system's programs are on another machine than the file.
      const here = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
      if (SHOWN_BY_EDITOR.test(file.path) || !here) await vscode.commands.executeCommand('vscode.open', file, { preview: true });
      else await vscode.env.openExternal(file);
    });
  }

  /** Deletes every copy that was opened. */
  dispose(): void {
    if (existsSync(this.#folder)) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #keep(name: string, content: Uint8Array): Promise<string> {
    await (this.#swept ??= this.#sweep());
    const folder = join(this.#folder, randomUUID());
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600, flag: 'wx' });
    return path;
  }

  /** What a window that died left behind, once it is old enough that no other window can still show it. */
  async #sweep(): Promise<void> {
    const names = await readdir(this.#parent).catch(() => []);
    for (const name of names) {
      const path = join(this.#parent, name);
      const age = Date.now() - (await stat(path)).mtimeMs;
      if (age > DAY_MS) await rm(path, { recursive: true, force: true });
    }
  }

  #startFolder(): vscode.Uri {
    const downloads = join(homedir(), 'Downloads');
    return this.#lastFolder ?? vscode.Uri.file(existsSync(downloads) ? downloads : homedir());
  }

  async #run(
    title: string,
    source: AttachmentSource,
    task: (signal: AbortSignal, report: (message: string) => void) => Promise<void>,
  ): Promise<void> {
    await this.#context.run(title, task, { failure: typeof source === 'number' ? { messageId: source } : {} });
  }

  async #contentOf(source: AttachmentSource, index: number, signal: AbortSignal): Promise<Uint8Array> {
    if (typeof source === 'function') return source(index, signal);
    return (await this.#context.api.getAttachment({ messageId: source, index }, { signal })).content;
  }
}

async function askFirst(attachment: Attachment): Promise<'open' | 'save' | 'no'> {
  const guard = guardOf(attachment.name);
  if (guard === 'free') return 'open';
  const open = vscode.l10n.t('Open Anyway');
  const save = vscode.l10n.t('Save…');
  const question = vscode.l10n.t('Open "{0}" ({1})?', safeFileName(attachment.name), sizeLabel(attachment.size));
  const detail =
    guard === 'dangerous'
      ? vscode.l10n.t(
          'Files of this type can run programs or change settings on this computer. Open it only if you expected it from this sender.',
        )
      : vscode.l10n.t('QuMail does not know this type of file. Another program will open it.');
  const pressed = await vscode.window.showWarningMessage(question, { modal: true, detail }, save, open);
  return pressed === open ? 'open' : pressed === save ? 'save' : 'no';
}
