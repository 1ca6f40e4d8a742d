/** An earlier text of a draft that is kept. */
export interface DraftVersion {
  readonly id: number;
  /** When it was the text, milliseconds since the epoch. */
  readonly at: number;
  readonly subject: string;
  /** Characters of the whole document. */
  readonly length: number;
}
