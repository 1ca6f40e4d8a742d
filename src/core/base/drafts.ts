import type { Failure } from './model.ts';

/**
 * Where the text of a draft is, besides this computer, on which every saved text lies at once.
 * `on-server`: the Drafts folder has this very text, sealed. `under-way`: in a moment. `waiting`: as soon as what it waits for is there.
 * `failed`: the server or the connection refused it; it is tried again by itself. `here-only`: the account has no Drafts folder.
 * `outgoing`: it was handed over for sending, and its copy is left alone until then.
 * `newer-elsewhere`: another computer wrote a text of it that no key here opens; the one that is here stays as it is.
 */
export type DraftState =
  | { readonly state: 'on-server' | 'under-way' | 'here-only' | 'outgoing' }
  | { readonly state: 'waiting'; readonly for: 'connection' | 'certificate' }
  | { readonly state: 'failed' | 'newer-elsewhere'; readonly failure: Failure };

/** What became of a text that was saved. */
export interface DraftSaved {
  /** As `Draft` has it from now on. */
  readonly updatedAt: number;
  /** Whether it took the place of the text that its writer had, or of another one, which is now the newest version. */
  readonly replaced: 'own' | 'other';
}

/** A listed message of a Drafts folder that is the sealed copy of a draft here. */
export interface DraftCopyRow {
  readonly messageId: number;
  readonly draftId: string;
}

/** An earlier text of a draft that is kept. */
export interface DraftVersion {
  readonly id: number;
  /** When it was the text, milliseconds since the epoch. */
  readonly at: number;
  readonly subject: string;
  /** Characters of the whole document. */
  readonly length: number;
}
