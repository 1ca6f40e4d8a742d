/** Earlier texts of drafts: `qumail-draft-version://<draft id>/<version id>.qumail`. They are read only. */
export const VERSION_SCHEME = 'qumail-draft-version';

export interface VersionPlace {
  readonly draftId: string;
  readonly versionId: number;
}

export function versionPlace({ draftId, versionId }: VersionPlace): { readonly authority: string; readonly path: string } {
  return { authority: draftId, path: `/${versionId}.qumail` };
}

/** The version an address names; undefined for any other address. */
export function versionIn(uri: { readonly scheme: string; readonly authority: string; readonly path: string }): VersionPlace | undefined {
  const versionId = Number(/^\/(\d{1,15})\.qumail$/.exec(uri.path)?.[1]);
  if (uri.scheme !== VERSION_SCHEME || !/^[a-z0-9-]{1,64}$/.test(uri.authority) || !Number.isSafeInteger(versionId)) return undefined;
  return { draftId: uri.authority, versionId };
}
