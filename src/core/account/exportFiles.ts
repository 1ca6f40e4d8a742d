import { mkdir, open, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MailFlag } from '../base/types.ts';
import { safeFileName } from '../mail/fileName.ts';
import { writeMbox } from '../mail/mbox.ts';

/** Names that are tried beside one that is taken. */
const MOST_TRIED = 1000;

/** A message on its way to a file. */
export interface OutgoingFile {
  readonly raw: Buffer;
  /** When it arrived, milliseconds since the epoch. */
  readonly date: number;
  readonly flags: readonly MailFlag[];
  /** Of sealed mail the outer one, which says nothing. */
  readonly subject: string;
}

/** Where messages are written to. Whoever did not `end` it has to `abandon` it, which takes away what was made and nothing else. */
export interface MailFiles {
  begin(): Promise<void>;
  put(mail: OutgoingFile): Promise<void>;
  /** Resolves to the path of what was written. */
  end(): Promise<string>;
  abandon(): Promise<void>;
}

/** One file, in place once it is whole. */
export class OneFile implements MailFiles {
  readonly #path: string;
  readonly #format: 'eml' | 'mbox';
  #part: string | undefined;
  #file: FileHandle | undefined;

  constructor(path: string, format: 'eml' | 'mbox') {
    this.#path = path;
    this.#format = format;
  }

  async begin(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    this.#part = await firstFree(`${this.#path}.part`, async (path) => {
      this.#file = await open(path, 'wx', 0o600);
    });
  }

  async put({ raw, date, flags }: OutgoingFile): Promise<void> {
    const pieces = this.#format === 'eml' ? [raw] : writeMbox(raw, { date, flags });
    for (const piece of pieces) if (piece.length > 0) await this.#file?.writeFile(piece);
  }

  async end(): Promise<string> {
    await this.#file?.sync();
    await this.#file?.close();
    this.#file = undefined;
    if (this.#part !== undefined) await rename(this.#part, this.#path);
    return this.#path;
  }

  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => {});
    if (this.#part !== undefined) await rm(this.#part, { force: true }).catch(() => {});
  }
}

/** A new folder of .eml files in the one that was chosen. */
export class ManyFiles implements MailFiles {
  readonly #into: string;
  readonly #name: string;
  readonly #made: string[] = [];
  #folder: string | undefined;

  constructor(into: string, name: string) {
    this.#into = into;
    this.#name = safeFileName(name.replace(/[/\\:]/g, '-'), 'mail');
  }

  async begin(): Promise<void> {
    await mkdir(this.#into, { recursive: true });
    this.#folder = await firstFree(join(this.#into, this.#name), (path) => mkdir(path, { mode: 0o700 }));
  }

  async put({ raw, subject }: OutgoingFile): Promise<void> {
    const count = this.#made.length + 1;
    const name = safeFileName(`${String(count).padStart(5, '0')} ${subject.slice(0, 60).replace(/[/\\:]/g, '-')}.eml`, `${count}.eml`);
    const file = await open(join(this.#folder ?? this.#into, name), 'wx', 0o600);
    this.#made.push(name);
    try {
      await file.writeFile(raw);
    } finally {
      await file.close();
    }
  }

  async end(): Promise<string> {
    return this.#folder ?? this.#into;
  }

  async abandon(): Promise<void> {
    if (this.#folder === undefined) return;
    for (const name of this.#made) await rm(join(this.#folder, name), { force: true }).catch(() => {});
    // Fails where somebody else put something there meanwhile, as it should.
    await rmdir(this.#folder).catch(() => {});
  }
}

/** Makes something under a name that nothing has yet: `path`, `path (2)`, ... Returns which. */
async function firstFree(path: string, make: (path: string) => Promise<unknown>): Promise<string> {
  for (let n = 1; ; n++) {
    const tried = n === 1 ? path : `${path} (${n})`;
    try {
      await make(tried);
      return tried;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST' || n >= MOST_TRIED) throw error;
    }
  }
}
