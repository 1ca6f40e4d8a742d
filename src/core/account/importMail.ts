import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { QuMailEvent } from '../base/events.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import { othersFirst } from '../base/othersFirst.ts';
import type { ImportRequest, ImportResult } from '../base/transfer.ts';
import type { MailFlag } from '../base/types.ts';
import { fieldValue, readHeaderSection } from '../mail/headerSection.ts';
import { readMbox } from '../mail/mbox.ts';
import { summaryOfSource } from '../mail/sourceSummary.ts';
import type { OfflineStore } from '../store/offline.ts';
import type { ImapActions } from '../transport/imapActions.ts';
import { maildirFlags, mailFilesAt, sizeOf, startsWith, unreadable } from './importFiles.ts';

/** As large as QuMail fetches; servers stop earlier. */
const MAX_MESSAGE = 100 * 1024 * 1024;
const CHUNK = 256 * 1024;
/** How often it is told how far it is, in messages. */
const TELL_EVERY = 10;
/** Messages of the target folder that are gone through at a time. */
const KNOWN_AT_ONCE = 5000;

export interface ImportDeps {
  readonly offline: Pick<OfflineStore, 'identities'>;
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
 * Files the messages of an .eml file, an mbox, or a folder of them (`mailFilesAt`) into a folder of an account, with their flags and dates; one message at
 * a time, whatever the size of the file. What that folder lists already, by Message-ID and size, is passed over. What was filed before a failure or a
 * cancellation stays: the error's details say how many (`imported`, `refused`, `present`), and the same import once more files the rest.
 *
 * @throws QuMailError `import.unreadable`, `import.no-mail`, `imap.*`, `net.*`, `engine.cancelled`
 */
export async function importMail(request: ImportRequest, deps: ImportDeps, signal?: AbortSignal): Promise<ImportResult> {
  const files = await mailFilesAt(request.path);
  const total = await files.reduce(async (sum, file) => (await sum) + (await sizeOf(file)), Promise.resolve(0));
  const target = new Target(request, deps, signal);
  const result = { imported: 0, refused: 0, present: 0 };
  let done = 0;
  const tell = (): void => deps.emit({ kind: 'transfer-progress', what: 'import', path: request.path, done: Math.min(done, total), total });
  try {
    await target.look();
    for (const file of files) {
      for await (const item of messagesOf(file, signal, (octets) => (done += octets))) {
        throwIfCancelled(signal);
        result[item === 'refused' ? item : await target.file(item)] += 1;
        if ((result.imported + result.refused + result.present) % TELL_EVERY === 0) tell();
      }
    }
  } catch (error) {
    const { code, details } = QuMailError.from(error);
    throw new QuMailError(code, { ...details, ...result }, { cause: error });
  } finally {
    tell();
    if (result.imported > 0) await deps.synced(request.accountId, request.folder).catch(() => {});
  }
  if (result.imported + result.refused + result.present === 0) throw new QuMailError('import.no-mail', { path: request.path });
  return result;
}

/** The folder that is filed into. A cut line leaves open whether the last message arrived: then it is looked. */
class Target {
  readonly #request: ImportRequest;
  readonly #deps: ImportDeps;
  readonly #actions: Pick<ImapActions, 'append' | 'marks' | 'identify'>;
  readonly #signal: AbortSignal | undefined;
  #before: { readonly uidValidity: number; readonly uidNext: number } | undefined;
  /** How many of each size were filed. */
  readonly #filed = new Map<number, number>();
  /** How many of each message were there before. */
  readonly #present = new Map<string, number>();

  constructor(request: ImportRequest, deps: ImportDeps, signal: AbortSignal | undefined) {
    this.#request = request;
    this.#deps = deps;
    this.#actions = deps.actionsOf(request.accountId);
    this.#signal = signal;
  }

  /** What lies there already, as far as the folder is known after one look. */
  async look(): Promise<void> {
    const { accountId, folder } = this.#request;
    await this.#deps.synced(accountId, folder);
    for (let after = 0, known = KNOWN_AT_ONCE; known === KNOWN_AT_ONCE;) {
      const some = this.#deps.offline.identities(accountId, folder, after, KNOWN_AT_ONCE);
      for (const each of some) if (each.rfcMessageId !== '') this.#present.set(keyOf(each), (this.#present.get(keyOf(each)) ?? 0) + 1);
      known = some.length;
      after = some.at(-1)?.uid ?? after;
      await othersFirst();
    }
  }

  /** `refused` where the server will not take this very message. */
  async file(message: Incoming): Promise<'imported' | 'refused' | 'present'> {
    const { folder } = this.#request;
    const raw = withCrlf(message.raw);
    if (this.#isPresent(raw)) return 'present';
    this.#before ??= await this.#actions.marks(folder, this.#signal);
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#actions.append(folder, raw, message, this.#signal);
        break;
      } catch (error) {
        if (QuMailError.is(error, 'imap.rejected') && /TOOBIG|too (?:big|large)/i.test(String(error.details['response'] ?? '')))
          return 'refused';
        if (!QuMailError.is(error, 'net.cut') || attempt > 0) throw error;
        const { uidValidity, uidNext } = this.#before;
        const since = await this.#actions.identify(folder, uidValidity, { from: uidNext }, this.#signal);
        if (since.filter(({ size }) => size === raw.length).length > (this.#filed.get(raw.length) ?? 0)) break;
      }
    }
    this.#filed.set(raw.length, (this.#filed.get(raw.length) ?? 0) + 1);
    return 'imported';
  }

  /** Each one that is there stands for one message: what comes twice is filed twice. */
  #isPresent(raw: Buffer): boolean {
    const key = keyOf({ rfcMessageId: summaryOfSource(raw).rfcMessageId, size: raw.length });
    const left = this.#present.get(key) ?? 0;
    if (left > 0) this.#present.set(key, left - 1);
    return left > 0;
  }
}

function keyOf({ rfcMessageId, size }: { rfcMessageId: string; size: number }): string {
  return `${size} ${rfcMessageId}`;
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
        yield looksLikeMail(raw) ? { raw, flags: maildirFlags(file), ...dateOf(raw) } : 'refused';
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
