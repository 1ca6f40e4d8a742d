import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { equalBytes, wipe } from '../base/bytes.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import {
  backupKeys,
  type BackupKeys,
  BACKUP_SALT_LENGTH,
  CHUNK_LENGTH,
  HEADER_LENGTH,
  openChunk,
  readHeader,
  sealChunk,
  SEALED_CHUNK_LENGTH,
  wipeBackupKeys,
  writeHeader,
} from './backupFormat.ts';

/** Writes a backup beside its place and puts it there when it is whole: a cancelled or failed one leaves what was there before. */
export class BackupWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #salt: Buffer;
  readonly #keys: BackupKeys;
  #pending = Buffer.alloc(0);
  #chunks = 0;
  #bodyLength = 0;

  private constructor(path: string, file: FileHandle, salt: Buffer, keys: BackupKeys) {
    this.#path = path;
    this.#file = file;
    this.#salt = salt;
    this.#keys = keys;
  }

  /** @throws QuMailError `file.unwritable` (details: path) */
  static async create(path: string, entropy: Buffer, random: Random): Promise<BackupWriter> {
    const file = await writing(path, () => open(partOf(path), 'w', 0o600));
    const salt = random.bytes(BACKUP_SALT_LENGTH);
    const writer = new BackupWriter(path, file, salt, backupKeys(entropy, salt));
    await writing(path, () => file.write(Buffer.alloc(HEADER_LENGTH)));
    return writer;
  }

  /** Adds octets; they are wiped. */
  async write(bytes: Buffer): Promise<void> {
    const joined = Buffer.concat([this.#pending, bytes]);
    wipe(this.#pending, bytes);
    let at = 0;
    for (; joined.length - at >= CHUNK_LENGTH; at += CHUNK_LENGTH) await this.#seal(joined.subarray(at, at + CHUNK_LENGTH));
    this.#pending = Buffer.from(joined.subarray(at));
    wipe(joined);
  }

  /** Resolves to the size of the file once it is whole, durable and in its place. */
  async finish(): Promise<number> {
    await this.#seal(this.#pending);
    const header = writeHeader(this.#bodyLength, this.#salt, this.#keys);
    await writing(this.#path, async () => {
      await this.#file.write(header, 0, header.length, 0);
      await this.#file.sync();
      await this.#file.close();
      await rename(partOf(this.#path), this.#path);
    });
    this.#forget();
    return HEADER_LENGTH + this.#bodyLength;
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    this.#forget();
    await this.#file.close().catch(() => {});
    await rm(partOf(this.#path), { force: true }).catch(() => {});
  }

  async #seal(plaintext: Buffer): Promise<void> {
    const sealed = sealChunk(this.#keys, this.#chunks++, plaintext);
    this.#bodyLength += sealed.length;
    await writing(this.#path, () => this.#file.write(sealed));
  }

  #forget(): void {
    wipe(this.#pending);
    wipeBackupKeys(this.#keys);
  }
}

export interface BackupContents {
  /** Octets. */
  readonly size: number;
  /** The plaintext, chunk by chunk, each verified before it is handed out; whoever takes one wipes it. */
  chunks(): AsyncGenerator<Buffer>;
}

/**
 * Opens a backup for `use`, which may read it more than once.
 *
 * @throws QuMailError `file.unreadable` (details: path), `backup.malformed`, `backup.truncated`, `backup.newer`, `backup.tampered`,
 *   `backup.wrong-phrase`; a chunk that fails while it is read throws there
 */
export async function withBackup<T>(
  path: string,
  entropy: Buffer,
  signal: AbortSignal | undefined,
  use: (contents: BackupContents) => Promise<T>,
): Promise<T> {
  const file = await reading(path, () => open(path, 'r'));
  let keys: BackupKeys | undefined;
  try {
    const info = await reading(path, () => file.stat());
    if (!info.isFile()) throw new QuMailError('file.unreadable', { path });
    const header = readHeader(await readAt(file, 0, HEADER_LENGTH, path), info.size);
    keys = backupKeys(entropy, header.salt);
    if (!equalBytes(keys.commitment, header.commitment)) throw new QuMailError('backup.wrong-phrase');
    const found = keys;
    return await use({ size: info.size, chunks: () => chunksOf(file, header.bodyLength, found, path, signal) });
  } finally {
    if (keys) wipeBackupKeys(keys);
    await file.close();
  }
}

async function* chunksOf(
  file: FileHandle,
  bodyLength: number,
  keys: BackupKeys,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for (let at = 0, number = 0; at < bodyLength; at += SEALED_CHUNK_LENGTH, number++) {
    throwIfCancelled(signal);
    const length = Math.min(SEALED_CHUNK_LENGTH, bodyLength - at);
    const sealed = await readAt(file, HEADER_LENGTH + at, length, path);
    if (sealed.length < length) throw new QuMailError('backup.truncated');
    yield openChunk(keys, number, sealed);
  }
}

/** So many octets from `position`, fewer at the end of the file. */
async function readAt(file: FileHandle, position: number, length: number, path: string): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await reading(path, () => file.read(buffer, filled, length - filled, position + filled));
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function partOf(path: string): string {
  return `${path}.part`;
}

async function reading<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw QuMailError.from(error, 'file.unreadable', { path });
  }
}

/** Runs a file operation and names its failure. @throws QuMailError `store.full`, `file.unwritable` (details: path) */
async function writing<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
    throw QuMailError.from(error, full ? 'store.full' : 'file.unwritable', { path });
  }
}
