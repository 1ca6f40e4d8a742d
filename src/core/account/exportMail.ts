import type { QuMailEvent } from '../base/events.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { ExportRequest, ExportResult } from '../base/transfer.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import { FolderExport, type ExportedFolder } from './exportFolder.ts';
import { ManyFiles, OneFile, type MailFiles, type OutgoingFile } from './exportFiles.ts';

const MAX_MESSAGES = 1_000_000;
/** How often it is told how far it is, in messages. */
const TELL_EVERY = 25;

export interface ExportDeps {
  readonly messages: MessageStore;
  readonly sealedMail: SealedMailStore;
  readonly source: (row: MessageRow, signal: AbortSignal | undefined) => Promise<Buffer>;
  readonly handlerOf: (accountId: string) => ExportedFolder['handler'];
  readonly emit: (event: QuMailEvent) => void;
}

/**
 * Writes messages to files of mode 0600, one message in memory at a time: those named, or all that the server lists in a folder, whether they are here or
 * not. A file that is there already is replaced only once everything was written; a failure or a cancellation leaves nothing behind.
 *
 * @throws QuMailError `export.unwritable`, `message.missing`, `net.*`, `imap.*`, `store.*`, `engine.cancelled`
 */
export async function exportMail(request: ExportRequest, deps: ExportDeps, signal?: AbortSignal): Promise<ExportResult> {
  const into = filesFor(request);
  let total = 'messageIds' in request ? request.messageIds.length : 0;
  let exported = 0;
  let missing = 0;
  const tell = (): void => deps.emit({ kind: 'transfer-progress', what: 'export', path: request.path, done: exported + missing, total });
  const put = async (mail: OutgoingFile | undefined): Promise<void> => {
    throwIfCancelled(signal);
    if (mail) await into.put(mail);
    if (mail) exported += 1;
    else missing += 1;
    if ((exported + missing) % TELL_EVERY === 0) tell();
  };
  try {
    await into.begin();
    let from: 'server' | 'here' = 'server';
    if ('messageIds' in request) await putNamed(request, deps, put, signal);
    else {
      const { accountId, folder, sealed = 'source' } = request;
      const found = (count: number): void => void (total = count);
      const place = { accountId, folder, sealed, handler: deps.handlerOf(accountId) };
      from = await new FolderExport(place, { ...deps, put, found }).run(signal);
    }
    const path = await into.end();
    tell();
    return { exported, missing, path, ...(from === 'here' && { offline: true }) };
  } catch (error) {
    await into.abandon();
    if (QuMailError.is(error)) throw error;
    const { code } = error as { code?: string };
    throw new QuMailError('export.unwritable', { path: request.path, reason: code ?? 'unknown' }, { cause: error });
  }
}

function filesFor(request: ExportRequest): MailFiles {
  const single = 'messageIds' in request && request.messageIds.length === 1;
  if (request.format === 'mbox' || single) return new OneFile(request.path, request.format);
  return new ManyFiles(request.path, request.name ?? ('folder' in request ? request.folder : 'mail'));
}

async function putNamed(
  request: ExportRequest & { messageIds: readonly number[] },
  deps: ExportDeps,
  put: (mail: OutgoingFile | undefined) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (request.messageIds.length > MAX_MESSAGES) throw new QuMailError('engine.bad-request', { field: 'messageIds' });
  for (const id of request.messageIds) {
    const row = deps.messages.get(id);
    if (!row) throw new QuMailError('message.missing');
    const raw = await octetsOf(row, request, deps, signal);
    await put(raw && { raw, date: row.internalDate ?? row.date, flags: row.flags, subject: row.subject });
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
