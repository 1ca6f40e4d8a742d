import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { QuMailEvent } from '../base/events.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { ExportRequest, ExportResult } from '../base/transfer.ts';
import { safeFileName } from '../mail/fileName.ts';
import { writeMbox } from '../mail/mbox.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';

const MAX_MESSAGES = 1_000_000;
const PAGE = 200;
/** How often it is told how far it is, in messages. */
const TELL_EVERY = 25;

export interface ExportDeps {
  readonly messages: MessageStore;
  readonly sealedMail: SealedMailStore;
  readonly source: (row: MessageRow, signal: AbortSignal | undefined) => Promise<Buffer>;
  readonly emit: (event: QuMailEvent) => void;
}

/**
 * Writes messages to files of mode 0600, one message in memory at a time. What is there already is replaced only once everything was
 * written; a failure or a cancellation leaves nothing behind.
 *
 * @throws QuMailError `export.unwritable`, `message.missing`, `net.*`, `imap.*`, `store.*`, `engine.cancelled`
 */
export async function exportMail(request: ExportRequest, deps: ExportDeps, signal?: AbortSignal): Promise<ExportResult> {
  const single = request.format === 'eml' && 'messageIds' in request && request.messageIds.length === 1;
  const part = `${request.path}.part`;
  const into = request.format === 'mbox' || single ? new OneFile(part, request.path) : new ManyFiles(part, request.path);
  const total = 'messageIds' in request ? request.messageIds.length : 0;
  let exported = 0;
  let missing = 0;
  const tell = (): void => deps.emit({ kind: 'transfer-progress', what: 'export', path: request.path, done: exported + missing, total });
  try {
    await into.begin();
    for (const row of rowsOf(request, deps.messages)) {
      throwIfCancelled(signal);
      const raw = await octetsOf(row, request, deps, signal);
      if (raw) {
        if (request.format === 'mbox') await into.mbox(raw, row);
        else await into.eml(raw, row);
        exported += 1;
      } else missing += 1;
      if ((exported + missing) % TELL_EVERY === 0) tell();
    }
    await into.end();
    tell();
    return { exported, missing };
  } catch (error) {
    await into.abandon();
    if (QuMailError.is(error)) throw error;
    const { code } = error as { code?: string };
    throw new QuMailError('export.unwritable', { path: request.path, reason: code ?? 'unknown' }, { cause: error });
  }
}

/** The messages asked for, a page at a time; those that came or went meanwhile may be among them or not. */
function* rowsOf(request: ExportRequest, messages: MessageStore): Generator<MessageRow> {
  if ('messageIds' in request) {
    if (request.messageIds.length > MAX_MESSAGES) throw new QuMailError('engine.bad-request', { field: 'messageIds' });
    for (const id of request.messageIds) {
      const row = messages.get(id);
      if (!row) throw new QuMailError('message.missing');
      yield row;
    }
    return;
  }
  const uids = messages.knownUids(request.accountId, request.folder, MAX_MESSAGES).toReversed();
  for (let at = 0; at < uids.length; at += PAGE)
    for (const uid of uids.slice(at, at + PAGE)) {
      const row = messages.byUid(request.accountId, request.folder, uid);
      if (row) yield row;
    }
}

async function octetsOf(
  row: MessageRow,
  request: ExportRequest,
  deps: ExportDeps,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  if (request.sealed === 'plaintext' && row.seal !== 'plain')
    return row.envelopeId === undefined ? undefined : deps.sealedMail.getByEnvelope(row.accountId, row.envelopeId)?.plaintext;
  try {
    return await deps.source(row, signal);
  } catch (error) {
    if (QuMailError.is(error, 'imap.message-missing') || QuMailError.is(error, 'message.missing')) return undefined;
    throw error;
  }
}

/** One file, in place once it is whole. */
class OneFile {
  readonly #part: string;
  readonly #path: string;
  #file: FileHandle | undefined;

  constructor(part: string, path: string) {
    this.#part = part;
    this.#path = path;
  }

  async begin(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await rm(this.#part, { force: true });
    this.#file = await open(this.#part, 'wx', 0o600);
  }

  async eml(raw: Buffer): Promise<void> {
    await this.#file?.writeFile(raw);
  }

  async mbox(raw: Buffer, { internalDate, date, flags }: MessageRow): Promise<void> {
    for (const piece of writeMbox(raw, { date: internalDate ?? date, flags })) if (piece.length > 0) await this.#file?.writeFile(piece);
  }

  async end(): Promise<void> {
    await this.#file?.sync();
    await this.#file?.close();
    this.#file = undefined;
    await rename(this.#part, this.#path);
  }

  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => {});
    await rm(this.#part, { force: true }).catch(() => {});
  }
}

/** A folder of .eml files, filled apart and put in place once it is whole. */
class ManyFiles {
  readonly #part: string;
  readonly #path: string;
  #count = 0;

  constructor(part: string, path: string) {
    this.#part = part;
    this.#path = path;
  }

  async begin(): Promise<void> {
    await rm(this.#part, { recursive: true, force: true });
    await mkdir(this.#part, { recursive: true, mode: 0o700 });
  }

  async eml(raw: Buffer, row: MessageRow): Promise<void> {
    this.#count += 1;
    // Of sealed mail the row knows the outer subject only, which says nothing.
    const name = safeFileName(
      `${String(this.#count).padStart(5, '0')} ${row.subject.slice(0, 60).replace(/[/\\:]/g, '-')}.eml`,
      `${this.#count}.eml`,
    );
    const file = await open(join(this.#part, name), 'wx', 0o600);
    try {
      await file.writeFile(raw);
    } finally {
      await file.close();
    }
  }

  async mbox(): Promise<void> {}

  async end(): Promise<void> {
    await rename(this.#part, this.#path);
  }

  async abandon(): Promise<void> {
    await rm(this.#part, { recursive: true, force: true }).catch(() => {});
  }
}
