import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QuMailError } from '../base/errors.ts';
import type { MailFlag } from '../base/types.ts';

const MAX_FILES = 100_000;
const KNOWN = /\.(?:eml|mbox|mbx)$/i;
/** What other programs keep beside their mail under a name without an ending is none of theirs. */
const WITHOUT_ENDING = /^[^.]+$/;

/** Flags at the end of a file name in a Maildir (https://cr.yp.to/proto/maildir.html), after the version 2. */
const MAILDIR_FLAGS: Readonly<Record<string, MailFlag>> = { S: 'seen', F: 'flagged', R: 'answered', D: 'draft' };

/**
 * The files with mail at a path: the file itself; of a folder the .eml and mbox files in it and below, Thunderbird's mbox files, which have no ending
 * and an .msf file beside them, and what lies in `cur` and `new` of a Maildir. Sorted; 100,000 at most.
 *
 * @throws QuMailError `import.no-mail`, `import.unreadable`
 */
export async function mailFilesAt(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    const names = new Set(entries.map(({ parentPath, name }) => join(parentPath, name)));
    const files: string[] = [];
    for (const entry of entries) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile() && (await holdsMail(file, names))) files.push(file);
    }
    if (files.length === 0) throw new QuMailError('import.no-mail', { path });
    return files.sort().slice(0, MAX_FILES);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Flags that the name of a file in a Maildir tells. */
export function maildirFlags(file: string): readonly MailFlag[] {
  const letters = basename(dirname(file)) === 'cur' ? /[:;!]2,([A-Z]*)$/.exec(file)?.[1] : undefined;
  return [...(letters ?? '')].flatMap((letter) => MAILDIR_FLAGS[letter] ?? []);
}

/** Octets; 0 where there is no such file. */
export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

export async function startsWith(file: string, text: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(text.length), 0, text.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === text;
  } finally {
    await handle.close();
  }
}

export function unreadable(path: string, error: unknown): QuMailError {
  if (QuMailError.is(error)) return error;
  const { code } = error as { code?: string };
  return new QuMailError('import.unreadable', { path, reason: code ?? 'unknown' }, { cause: error });
}

async function holdsMail(file: string, names: ReadonlySet<string>): Promise<boolean> {
  const name = basename(file);
  if (KNOWN.test(name)) return true;
  const folder = dirname(file);
  // Every Maildir has both; what is still being written lies in a third.
  const isMaildir = ['cur', 'new'].includes(basename(folder)) && ['cur', 'new'].every((each) => names.has(join(dirname(folder), each)));
  if (isMaildir) return !name.startsWith('.');
  return (names.has(`${file}.msf`) || WITHOUT_ENDING.test(name)) && startsWith(file, 'From ');
}
