/** The scheme of drafts: `qumail-draft:/<draft id>/<subject>.qumail`. */
export const DRAFT_SCHEME = 'qumail-draft';
export const DRAFT_LANGUAGE = 'qumail-draft';

const EXTENSION = '.qumail';
const MAX_NAME = 60;

/** The path of a draft, its subject as the name that the tab shows. The name is decoration: the id alone finds the draft. */
export function draftPath(draftId: string, subject: string, unnamed: string): string {
  const name = subject
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return `/${encodeURIComponent(draftId)}/${[...(name || unnamed)].slice(0, MAX_NAME).join('').trim()}${EXTENSION}`;
}

/** The draft a path belongs to, or undefined for the root and whatever else is no draft. */
export function draftIdOf(path: string): string | undefined {
  const [, id, name, ...rest] = path.split('/');
  if (!id || !name || rest.length > 0 || !name.endsWith(EXTENSION)) return undefined;
  try {
    return decodeURIComponent(id);
  } catch {
    return undefined;
  }
}
