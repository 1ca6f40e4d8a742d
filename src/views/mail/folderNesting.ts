import type { Folder, SpecialUse } from '../../core/api.ts';

/** A folder with those inside it, in the order people look for them. */
export interface FolderBranch {
  readonly folder: Folder;
  readonly children: readonly FolderBranch[];
}

const ORDER: readonly SpecialUse[] = ['inbox', 'flagged', 'drafts', 'sent', 'archive', 'all', 'junk', 'trash'];

/** The flat list of folders as a forest. A folder's parent is the one whose path is its own without delimiter and name. */
export function nestFolders(folders: readonly Folder[]): readonly FolderBranch[] {
  const known = new Set(folders.map((folder) => folder.path));
  const inside = new Map<string, Folder[]>();
  for (const folder of folders) {
    const parent = parentPath(folder);
    const key = parent !== undefined && known.has(parent) ? parent : '';
    inside.set(key, [...(inside.get(key) ?? []), folder]);
  }
  const branches = (key: string): readonly FolderBranch[] =>
    (inside.get(key) ?? []).sort(compareFolders).map((folder) => ({ folder, children: branches(folder.path) }));
  return branches('');
}

function parentPath(folder: Folder): string | undefined {
  if (!folder.path.endsWith(folder.name)) return undefined;
  const length = folder.path.length - folder.name.length - 1;
  return length > 0 ? folder.path.slice(0, length) : undefined;
}

function compareFolders(a: Folder, b: Folder): number {
  const rank = (folder: Folder): number => (folder.specialUse ? ORDER.indexOf(folder.specialUse) : ORDER.length);
  return rank(a) - rank(b) || a.name.localeCompare(b.name);
}

/** Codicon of a folder. */
export function folderIcon(specialUse: SpecialUse | undefined): string {
  const icons: Record<SpecialUse, string> = {
    inbox: 'inbox',
    sent: 'send',
    drafts: 'edit',
    trash: 'trash',
    junk: 'warning',
    archive: 'archive',
    all: 'mail',
    flagged: 'star-full',
  };
  return specialUse ? icons[specialUse] : 'folder';
}

/** Unread messages as the badge counts them: inboxes only, because some servers show one message in several folders. */
export function unreadInInboxes(folders: readonly Folder[]): number {
  return folders.reduce(
    (sum, folder) => (folder.specialUse === 'inbox' || folder.path.toUpperCase() === 'INBOX' ? sum + folder.unread : sum),
    0,
  );
}
