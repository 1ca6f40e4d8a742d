/** The plain data of bringing mail in and out. */

export interface ImportRequest {
  readonly accountId: string;
  readonly folder: string;
  /** An .eml file, an mbox file, or a folder of such files: Thunderbird's and Maildirs too. */
  readonly path: string;
}

export interface ImportResult {
  readonly imported: number;
  /** What was larger than a server takes, or no mail. */
  readonly refused: number;
  /** What lay in the folder already. */
  readonly present: number;
}

export type ExportRequest = {
  /** A file for one message or an mbox, replaced only when all of it was written; for several .eml files the folder in which a new one is made. */
  readonly path: string;
  /** What the new folder is to be called; where there is such a thing already, it gets a number. */
  readonly name?: string;
  readonly format: 'eml' | 'mbox';
  /** Sealed mail leaves as the sealed source that came; `plaintext` writes what it says instead, for everyone to read. */
  readonly sealed?: 'source' | 'plaintext';
} & ({ readonly messageIds: readonly number[] } | { readonly accountId: string; readonly folder: string });

export interface ExportResult {
  readonly exported: number;
  /** Messages that could not be had: gone from the server, not here without a connection, or sealed and never opened here where plaintext was asked for. */
  readonly missing: number;
  /** What was written: a file, or a folder. */
  readonly path: string;
  /** The server could not be asked for what is not here. */
  readonly offline?: true;
}
