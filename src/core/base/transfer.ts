/** The plain data of bringing mail in and out. */

export interface ImportRequest {
  readonly accountId: string;
  readonly folder: string;
  /** An .eml file, an mbox file, or a folder of such files. */
  readonly path: string;
}

export interface ImportResult {
  readonly imported: number;
  /** What was larger than a server takes, or no mail. */
  readonly refused: number;
}

export type ExportRequest = {
  /** A file for one message or an mbox, a folder for several .eml files; replaced only when all of it was written. */
  readonly path: string;
  readonly format: 'eml' | 'mbox';
  /** Sealed mail leaves as the sealed source that came; `plaintext` writes what it says instead, for everyone to read. */
  readonly sealed?: 'source' | 'plaintext';
} & ({ readonly messageIds: readonly number[] } | { readonly accountId: string; readonly folder: string });

export interface ExportResult {
  readonly exported: number;
  /** Messages that could not be had: gone from the server, or sealed and never opened here where plaintext was asked for. */
  readonly missing: number;
}
