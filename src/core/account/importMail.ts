import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { QuMailEvent } from '../base/events.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { ImportRequest, ImportResult } from '../base/transfer.ts';
import type { MailFlag } from '../base/types.ts';
import { fieldValue, readHeaderSection } from '../mail/headerSection.ts';
import { readMbox } from '../mail/mbox.ts';
import type { ImapActions } from '../transport/imapActions.ts';

/** As large as QuMail fetches; servers stop earlier. */
const MAX_MESSAGE = 100 * 1024 * 1024;
const MAX_FILES = 100_000;
const CHUNK = 256 * 1024;
/** How often it is told how far it is, in messages. */
const TELL_EVERY = 10;

export interface ImportDeps {
  readonly actionsOf: (accountId: string) => Pick<ImapActions, 'append' | 'marks' | 'identify'>;
  readonly synced: (accountId: string, folder: string) => Promise<unknown>;
  readonly emit: (event: QuMailEvent) => void;
}

interface Incoming {
  readonly raw: Buffer;
  readonly date?: number;
  readonly flags: readonly MailFlag[];
}

/**
 * Files the messages of an .eml file, an mbox, or a folder of them into a folder of an account, with their flags and dates; one message at
 * a time, whatever the size of the file. What was filed before a failure or a cancellation stays.
 *
 * @throws QuMailError `import.unreadable`, `import.no-mail`, `imap.*`, `net.*`, `engine.cancelled`
 */
export async function importMail(request: ImportRequest, deps: ImportDeps, signal?: AbortSignal): Promise<ImportResult> {
  const files = await filesOf(request.path);
  const total = await files.reduce(async (sum, file) => (await sum) + (await sizeOf(file)), Promise.resolve(0));
  const target = new Target(request, deps, signal);
  let done = 0;
  let imported = 0;
  let refused = 0;
  const tell = (): void => deps.emit({ kind: 'transfer-progress', what: 'import', path: request.path, done: Math.min(done, total), total });
  try {
    for (const file of files) {
      for await (const item of messagesOf(file, signal, (octets) => (done += octets))) {
        throwIfCancelled(signal);
        if (item === 'refused') refused += 1;
        else {
          if (await target.file(item)) imported += 1;
          else refused += 1;
        }
        if ((imported + refused) % TELL_EVERY === 0) tell();
      }
    }
  } finally {
    tell();
    if (imported > 0) await deps.synced(request.accountId, request.folder).catch(() => {});
  }
  if (imported + refused === 0) throw new QuMailError('import.no-mail', { path: request.path });
  return { imported, refused };
}

/** The folder that is filed into. A cut line leaves open whether the last message arrived: then it is looked. */
class Target {
  readonly #request: ImportRequest;
  readonly #actions: Pick<ImapActions, 'append' | 'marks' | 'identify'>;
  readonly #signal: AbortSignal | undefined;
  #before: { readonly uidValidity: number; readonly uidNext: number } | undefined;
  /** How many of each size were filed. */
  readonly #filed = new Map<number, number>();

  constructor(request: ImportRequest, deps: ImportDeps, signal: AbortSignal | undefined) {
    this.#request = request;
    this.#actions = deps.actionsOf(request.accountId);
    this.#signal = signal;
  }

  /** False where the server will not take this very message. */
  async file(message: Incoming): Promise<boolean> {
    const { folder } = this.#request;
    const raw = withCrlf(message.raw);
    this.#before ??= await this.#actions.marks(folder, this.#signal);
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#actions.append(folder, raw, message, this.#signal);
        break;
      } catch (error) {
        if (QuMailError.is(error, 'imap.rejected') && /TOOBIG|too (?:big|large)/i.test(String(error.details['response'] ?? '')))
          return false;
        if (!QuMailError.is(error, 'net.cut') || attempt > 0) throw error;
        const { uidValidity, uidNext } = this.#before;
        const since = await this.#actions.identify(folder, uidValidity, { from: uidNext }, this.#signal);
        if (since.filter(({ size }) => size === raw.length).length > (this.#filed.get(raw.length) ?? 0)) break;
      }
    }
    this.#filed.set(raw.length, (this.#filed.get(raw.length) ?? 0) + 1);
    return true;
  }
}

async function* messagesOf(
  file: string,
  signal: AbortSignal | undefined,
  read: (octets: number) => void,
): AsyncGenerator<Incoming | 'refused'> {
  try {
    if (!(await startsWith(file, 'From '))) {
      const octets = await sizeOf(file);
      read(octets);
      if (octets > MAX_MESSAGE) yield 'refused';
      else {
        const raw = await readFile(file);
        yield looksLikeMail(raw) ? { raw, flags: [], ...dateOf(raw) } : 'refused';
      }
      return;
    }
    const chunks = createReadStream(file, { highWaterMark: CHUNK });
    chunks.on('data', (chunk) => read(chunk.length));
    for await (const item of readMbox(chunks, { maxMessage: MAX_MESSAGE })) {
      throwIfCancelled(signal);
      yield item.kind === 'too-large' ? 'refused' : { ...dateOf(item.raw), ...item };
    }
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Some header field at the top makes a mail; anything else would only be litter in a mailbox. */
function looksLikeMail(raw: Buffer): boolean {
  return (
    /^(?:[!-9;-~]{1,200}:|>?From )/.test(raw.toString('latin1', 0, 1000).replace(/^\ufeff|^\xef\xbb\xbf/, '')) &&
    readHeaderSection(raw).fields.length > 1
  );
}

function dateOf(raw: Buffer): { date?: number } {
  const time = Date.parse(fieldValue(readHeaderSection(raw.subarray(0, 256 * 1024)).fields, 'Date')?.replace(/\([^()]*\)/g, '') ?? '');
  return Number.isFinite(time) && time >= 0 && time < 253_402_300_800_000 ? { date: time } : {};
}

/** IMAP wants CRLF (RFC 9051 section 2.3.1). A message whose first line has it is left as it is. */
function withCrlf(raw: Buffer): Buffer {
  const first = raw.indexOf(0x0a);
  if (first < 0 || (first > 0 && raw[first - 1] === 0x0d)) return raw;
  return Buffer.from(raw.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile() && /\.(?:eml|mbox|mbx)$/i.test(entry.name));
    if (files.length === 0) throw new QuMailError('import.no-mail', { path });
    return files
      .slice(0, MAX_FILES)
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function startsWith(file: string, text: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(text.length), 0, text.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === text;
  } finally {
    await handle.close();
  }
}

function unreadable(path: string, error: unknown): QuMailError {
  if (QuMailError.is(error)) return error;
  const { code } = error as { code?: string };
  return new QuMailError('import.unreadable', { path, reason: code ?? 'unknown' }, { cause: error });
}
