import assert from 'node:assert/strict';
import { EditedDrafts } from '../../../src/views/composer/editedDrafts.ts';

interface Stat {
  readonly mtime: number;
  readonly size: number;
}

/** VS Code refuses to write over a file that is newer and of another size than the one it read, until the person decides. */
const refuses = (read: Stat, now: Stat): boolean => read.mtime < now.mtime && read.size !== now.size;

/** A draft in the engine and in an editor, as the file system of drafts puts them together. */
class Desk {
  readonly edited = new EditedDrafts();
  stored = { text: 'begun', updatedAt: 1000 };
  versions: string[] = [];
  editor: { text: string; read: Stat; state: 'clean' | 'dirty' };

  constructor() {
    this.editor = { text: '', read: { mtime: 0, size: 0 }, state: 'clean' };
    this.read();
  }

  stat(): Stat {
    return { mtime: this.edited.moment('d', this.stored.updatedAt, this.editor.state), size: this.stored.text.length };
  }

  read(): void {
    const read = this.stat();
    this.edited.has('d', this.stored.updatedAt);
    this.editor = { text: this.stored.text, read, state: 'clean' };
  }

  types(text: string): void {
    this.editor = { ...this.editor, text, state: 'dirty' };
  }

  saves(at: number): 'saved' | 'refused' {
    if (refuses(this.editor.read, this.stat())) return 'refused';
    if (this.edited.basedOn('d') !== this.stored.updatedAt) this.versions.push(this.stored.text);
    this.stored = { text: this.editor.text, updatedAt: at };
    this.edited.has('d', at);
    this.editor = { ...this.editor, read: this.stat(), state: 'clean' };
    return 'saved';
  }
}

describe('views/a draft in an editor while another text of it comes', () => {
  for (const [whose, updatedAt] of [
    ['an earlier', 500],
    ['a later', 5000],
  ] as const)
    it(`is saved over a text of ${whose} moment, which is known to be another one`, () => {
      const desk = new Desk();
      desk.types('begun and go');
      desk.stored = { text: 'what the train has', updatedAt };
      desk.types('begun and gone on');
      assert.equal(desk.saves(2000), 'saved');
      assert.deepEqual([desk.stored.text, desk.versions], ['begun and gone on', ['what the train has']]);
      desk.types('begun and gone on further');
      assert.equal(desk.saves(3000), 'saved');
      assert.equal(desk.versions.length, 1, 'and told of once');
    });

  it('shows the other text where nothing is typed', () => {
    const desk = new Desk();
    desk.stored = { text: 'what the train has', updatedAt: 5000 };
    assert.equal(desk.stat().mtime, 5000);
    desk.read();
    desk.types('what the train has, and more');
    assert.equal(desk.saves(6000), 'saved');
    assert.deepEqual(desk.versions, []);
  });

  it('leaves it to VS Code where the editor has its text from before a restart', () => {
    const edited = new EditedDrafts();
    assert.equal(edited.moment('d', 5000, 'dirty'), 5000);
    edited.has('d', 1000);
    edited.forget('d');
    assert.equal(edited.basedOn('d'), undefined);
  });
});
