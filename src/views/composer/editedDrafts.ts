/**
 * Which text of a draft an editor has, named by when it was saved (`Draft.updatedAt`). While something typed is not saved yet, the editor is told
 * of no other text: it would refuse to save over that until somebody decides, and the keys typed meanwhile would be nowhere. The engine keeps the
 * other text, and the person is told.
 */
export class EditedDrafts {
  readonly #texts = new Map<string, number>();

  /** The editor has the text of this moment, which it read or wrote. */
  has(draftId: string, updatedAt: number): void {
    this.#texts.set(draftId, updatedAt);
  }

  /** The text that the editor has, or began from; undefined where it was not seen to take any. */
  basedOn(draftId: string): number | undefined {
    return this.#texts.get(draftId);
  }

  /** What to tell the editor of a draft whose text is of `updatedAt` now. */
  moment(draftId: string, updatedAt: number, editor: 'clean' | 'dirty'): number {
    return editor === 'dirty' ? (this.#texts.get(draftId) ?? updatedAt) : updatedAt;
  }

  forget(draftId: string): void {
    this.#texts.delete(draftId);
  }
}
