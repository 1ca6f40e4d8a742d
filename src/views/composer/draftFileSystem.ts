import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { Draft, DraftSaved, Failure } from '../../core/api.ts';
import { sentenceOf } from '../present.ts';
import type { ViewContext } from '../viewContext.ts';
import { DRAFT_SCHEME, draftIdOf, draftPlace } from './draftUri.ts';
import { EditedDrafts } from './editedDrafts.ts';

/** Largest draft document, in octets; the engine has a limit of its own for what is sent. */
const MAX_DRAFT = 4 * 1024 * 1024;

/**
 * Drafts as files of the scheme `qumail-draft`, kept by the engine (sealed at rest). A draft that is gone is a file that
 * is not found, so a tab restored after a reload shows either its draft or that it was sent.
 */
export class DraftFileSystem implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.#changes.event;
  readonly #owned: vscode.Disposable[];
  /** Drafts someone watches, with the time of the last change known of. */
  readonly #watched = new Map<string, { readonly uri: vscode.Uri; mtime: number | undefined }>();
  /** Why the last text of a draft could not be saved. */
  readonly #unsaved = new Map<string, Failure>();
  readonly #saves = new vscode.EventEmitter<string>();
  /** A draft was saved, or could not be: its id. */
  readonly onDidSave = this.#saves.event;
  readonly #replacements = new vscode.EventEmitter<vscode.Uri>();
  /** What was written in a draft took the place of a text from another window or computer, which is its newest version now. */
  readonly onDidReplace = this.#replacements.event;
  readonly #edited = new EditedDrafts();
  /** Drafts being sent: nothing can be typed into them meanwhile. */
  readonly #locked = new Set<string>();

  constructor(context: ViewContext) {
    this.#context = context;
    this.#owned = [
      this.#changes,
      this.#saves,
      this.#replacements,
      vscode.workspace.registerFileSystemProvider(DRAFT_SCHEME, this, { isCaseSensitive: true }),
      context.onEvent((event) => (event.kind === 'drafts' ? void this.#look() : undefined)),
    ];
  }

  static uriOf(draft: Pick<Draft, 'id' | 'subject'>): vscode.Uri {
    return vscode.Uri.from({ scheme: DRAFT_SCHEME, ...draftPlace(draft.id, draft.subject, vscode.l10n.t('New message')) });
  }

  /** Keeps a draft from being edited while it is sent; dispose of the result to let it go. */
  lock(uri: vscode.Uri): vscode.Disposable {
    const id = idOf(uri);
    const set = (state: 'locked' | 'free'): void => {
      if (state === 'locked') this.#locked.add(id);
      else this.#locked.delete(id);
      this.#changes.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    };
    set('locked');
    return new vscode.Disposable(() => set('free'));
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    if (draftIdOf(uri) === undefined) return { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 };
    const draft = await this.#load(uri);
    const mtime = this.#edited.moment(draft.id, draft.updatedAt, isBeingTyped(draft.id) ? 'dirty' : 'clean');
    const stat = { type: vscode.FileType.File, ctime: 0, mtime, size: Buffer.byteLength(draft.text) };
    return this.#locked.has(draft.id) ? { ...stat, permissions: vscode.FilePermission.Readonly } : stat;
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const draft = await this.#load(uri);
    this.#edited.has(draft.id, draft.updatedAt);
    return Buffer.from(draft.text);
  }

  async writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
    const draftId = idOf(uri);
    if (this.#locked.has(draftId)) throw vscode.FileSystemError.NoPermissions(uri);
    const { replaced } = await this.#call(uri, () => this.#save(draftId, content));
    this.#changes.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    if (replaced === 'other') this.#replacements.fire(uri);
  }

  async delete(uri: vscode.Uri): Promise<void> {
    const draftId = idOf(uri);
    await this.#call(uri, () => this.#context.api.deleteDraft({ draftId }));
    this.#edited.forget(draftId);
    this.#changes.fire([{ type: vscode.FileChangeType.Deleted, uri }]);
  }

  async readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    const drafts = await this.#call(uri, () => this.#context.api.listDrafts());
    const names = drafts.map((draft) => DraftFileSystem.uriOf(draft).path.split('/').slice(1));
    const segments = uri.path.split('/').filter((segment) => segment !== '');
    if (segments.length === 0) return names.map(([id = '']) => [id, vscode.FileType.Directory]);
    return names.flatMap(([id, name = '']) => (id === segments[0] ? [[name, vscode.FileType.File] as [string, vscode.FileType]] : []));
  }

  watch(uri: vscode.Uri): vscode.Disposable {
    const id = draftIdOf(uri);
    if (id === undefined) return new vscode.Disposable(() => {});
    this.#watched.set(id, { uri, mtime: undefined });
    return new vscode.Disposable(() => {
      this.#watched.delete(id);
      this.#edited.forget(id);
    });
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    for (const item of this.#owned) item.dispose();
  }

  /** Why what was written last is not saved; undefined where it is. */
  failureOf(draftId: string): Failure | undefined {
    return this.#unsaved.get(draftId);
  }

  async #save(draftId: string, content: Uint8Array): Promise<DraftSaved> {
    try {
      const { byteLength: size } = content;
      if (size > MAX_DRAFT) throw new QuMailError('draft.too-large', { limit: MAX_DRAFT, size });
      const basedOn = this.#edited.basedOn(draftId);
      const text = Buffer.from(content).toString('utf8');
      const saved = await this.#context.api.saveDraft({ draftId, text, ...(basedOn !== undefined && { basedOn }) });
      this.#edited.has(draftId, saved.updatedAt);
      this.#unsaved.delete(draftId);
      return saved;
    } catch (error) {
      const { code, details } = QuMailError.from(error);
      this.#unsaved.set(draftId, { code, details });
      throw error;
    } finally {
      this.#saves.fire(draftId);
    }
  }

  /** Tells about drafts that another window changed, or that were sent or deleted. */
  async #look(): Promise<void> {
    for (const [draftId, entry] of [...this.#watched]) {
      try {
        const { updatedAt } = await this.#context.api.loadDraft({ draftId });
        const known = this.#edited.basedOn(draftId) ?? entry.mtime;
        if (known !== undefined && known !== updatedAt) this.#changes.fire([{ type: vscode.FileChangeType.Changed, uri: entry.uri }]);
        entry.mtime = updatedAt;
      } catch (error) {
        if (QuMailError.is(error, 'draft.missing')) this.#changes.fire([{ type: vscode.FileChangeType.Deleted, uri: entry.uri }]);
      }
    }
  }

  async #load(uri: vscode.Uri): Promise<Draft> {
    const draftId = idOf(uri);
    const draft = await this.#call(uri, () => this.#context.api.loadDraft({ draftId }));
    const watched = this.#watched.get(draftId);
    if (watched) watched.mtime = draft.updatedAt;
    return draft;
  }

  /** Runs a request of the engine with its failures told as the file system does. */
  async #call<T>(uri: vscode.Uri, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const named = QuMailError.from(error);
      if (named.code === 'draft.missing') throw vscode.FileSystemError.FileNotFound(uri);
      throw vscode.FileSystemError.Unavailable(this.#words(named));
    }
  }

  #words(error: QuMailError): string {
    return sentenceOf(error, vscode.l10n);
  }
}

/** Whether an editor has something of a draft that is not saved yet. */
function isBeingTyped(draftId: string): boolean {
  return vscode.workspace.textDocuments.some(({ uri, isDirty }) => isDirty && draftIdOf(uri) === draftId);
}

function idOf(uri: vscode.Uri): string {
  const id = draftIdOf(uri);
  if (id === undefined) throw vscode.FileSystemError.FileNotFound(uri);
  return id;
}
