/** The scheme of drafts: `qumail-draft://<draft id>/<subject>.qumail`. The id is the authority, which no breadcrumb shows. */
export const DRAFT_SCHEME = 'qumail-draft';
export const DRAFT_LANGUAGE = 'qumail-draft';

const EXTENSION = '.qumail';
const MAX_NAME = 60;

/** A draft's address as far as it is the draft's own. */
export interface DraftPlace {
  readonly authority: string;
  readonly path: string;
}

/** Draft ids as the engine makes them; an authority is compared without regard to case, so capitals have no place in it. */
const DRAFT_ID = /^[a-z0-9-]{1,64}$/;

/** Where a draft is, its subject as the name that the tab shows. The name is decoration: the id alone finds the draft. */
export function draftPlace(draftId: string, subject: string, unnamed: string): DraftPlace {
  const name = subject
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return { authority: draftId, path: `/${[...(name || unnamed)].slice(0, MAX_NAME).join('').trim()}${EXTENSION}` };
}

/** The draft an address belongs to, or undefined for the root and whatever else is no draft. */
export function draftIdOf({ authority, path }: DraftPlace): string | undefined {
  const isFile = /^\/[^/]+$/.test(path) && path.endsWith(EXTENSION);
  return isFile && DRAFT_ID.test(authority) ? authority : undefined;
}
