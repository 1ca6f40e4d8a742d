import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { wipe } from '../base/bytes.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import { PadLayout } from '../keys/padChunks.ts';
import {
  decodePadHeader,
  encodePadHeader,
  PAD_MAC_LENGTH,
  PAD_PREFIX_LENGTH,
  padHeaderLength,
  padMac,
  type PadHeader,
} from '../keys/padFile.ts';
import { PadHealth } from '../keys/padHealth.ts';
import { padName } from '../keys/padKeyId.ts';
import { PadTree } from '../keys/padTree.ts';
import { equalBytes } from '../base/bytes.ts';

export interface TransferOptions {
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
  readonly progress: (doneOctets: number, totalOctets: number) => void;
}

/** Between two signs of progress. */
const PROGRESS_EVERY = 64 * 1024 * 1024;

/**
 * Makes a pad: the file to hand over at `path`, and the own copy, sealed chunk by chunk, at `target`. Neither is there when it fails.
 *
 * @param randomPath a file of random octets to use in place of `options.random`
 * @returns the state that opens the own copy; the caller seals and wipes it
 * @throws QuMailError `file.unwritable`, `file.unreadable`, `pad.too-short`, `pad.bad-randomness`, `engine.cancelled`
 */
export async function writePad(
  header: PadHeader,
  files: { path: string; target: string; randomPath: string | undefined },
  options: TransferOptions,
): Promise<Buffer> {
  await using source = await octetsFrom(files.randomPath, header.octets * 2, options.random);
  const out = await openNew(files.path);
  try {
    const mac = padMac(header.secret);
    const put = async (bytes: Buffer): Promise<void> => {
      mac.update(bytes);
      await writeAll(out, bytes);
    };
    await put(encodePadHeader(header));
    const state = await sealPad(header, files.target, options, async (length) => {
      const bytes = await source.next(length);
      await put(bytes);
      return bytes;
    });
    try {
      await writeAll(out, mac.digest());
      await out.sync();
      await out.close();
      return state;
    } catch (error) {
      wipe(state);
      await rm(files.target, { force: true });
      throw error;
    }
  } catch (error) {
    await eraseFile(out, files.path);
    throw unwritable(error, files.path);
  }
}

/** The header of a pad file, its length checked. @throws QuMailError `file.unreadable`, `pad.malformed`, `pad.damaged` */
export async function readPadHeader(path: string): Promise<PadHeader> {
  await using file = await openRegular(path);
  return (await headerOf(file)).header;
}

/**
 * Seals the octets of the pad file at `path` into `target`, which is there only if the whole file is as it was made.
 *
 * @returns the state that opens the copy; the caller seals and wipes it
 * @throws QuMailError `file.unreadable`, `pad.malformed`, `pad.damaged`, `pad.bad-randomness`, `engine.cancelled`
 */
export async function readPad(path: string, target: string, options: TransferOptions): Promise<{ header: PadHeader; state: Buffer }> {
  await using file = await openRegular(path);
  const { header, raw } = await headerOf(file);
  const mac = padMac(header.secret).update(raw);
  let at = raw.length;
  const state = await sealPad(header, target, options, async (length) => {
    const bytes = await readExactly(file, length, at);
    at += length;
    mac.update(bytes);
    return bytes;
  });
  if (equalBytes(mac.digest(), await readExactly(file, PAD_MAC_LENGTH, at))) return { header, state };
  wipe(state);
  await rm(target, { force: true });
  throw new QuMailError('pad.damaged', { reason: 'altered' });
}

/** Overwrites a file once and deletes it: the best a program can do on a medium that may keep copies of its own. */
export async function erasePadFile(path: string): Promise<void> {
  const file = await open(path, 'r+').catch(() => undefined);
  if (file) await eraseFile(file, path);
  else await rm(path, { force: true });
}

/** Both directions of a pad, checked and sealed as `next` gives them. What `next` returned is wiped. */
async function sealPad(
  header: PadHeader,
  target: string,
  options: TransferOptions,
  next: (length: number) => Promise<Buffer>,
): Promise<Buffer> {
  const layout = new PadLayout(padName(header.secret), header.octets);
  const health = new PadHealth();
  const tree = PadTree.plant(options.random.bytes(32), layout.chunks * 2);
  const part = `${target}.part`;
  await rm(part, { force: true });
  const out = await openNew(part);
  try {
    const keys = tree.keys(layout.chunks * 2);
    let done = 0;
    for (const place of layout.places()) {
      throwIfCancelled(options.signal);
      const key = keys.next().value as Buffer;
      const bytes = await next(layout.lengthOf(place));
      try {
        health.look(bytes);
        await writeAll(out, layout.seal(place, key, bytes));
      } finally {
        wipe(bytes, key);
      }
      done += layout.lengthOf(place);
      if (done % PROGRESS_EVERY === 0 || done === header.octets * 2) options.progress(done, header.octets * 2);
    }
    await out.sync();
    await out.close();
    await rename(part, target);
    const nodes = tree.encode();
    const state = Buffer.concat([header.secret, nodes]);
    wipe(nodes);
    return state;
  } catch (error) {
    await out.close().catch(() => {});
    await rm(part, { force: true });
    throw unwritable(error, part);
  } finally {
    tree.wipe();
  }
}

/** Random octets: the system's, or those of a file, which must have enough. */
async function octetsFrom(path: string | undefined, wanted: number, random: Random) {
  if (path === undefined) return { next: async (length: number) => random.bytes(length), [Symbol.asyncDispose]: async () => {} };
  const file = await openRegular(path);
  const { size } = await file.stat();
  if (size < wanted) {
    await file.close();
    throw new QuMailError('pad.too-short', { wantedOctets: wanted, gotOctets: size });
  }
  let at = 0;
  return {
    async next(length: number): Promise<Buffer> {
      const bytes = await readExactly(file, length, at);
      at += length;
      return bytes;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function headerOf(file: FileHandle): Promise<{ header: PadHeader; raw: Buffer }> {
  const { size } = await file.stat();
  const prefix = Buffer.alloc(PAD_PREFIX_LENGTH);
  await file.read(prefix, 0, prefix.length, 0);
  const length = padHeaderLength(prefix);
  if (size < prefix.length + length) throw new QuMailError('pad.damaged', { reason: 'cut' });
  const json = await readExactly(file, length, prefix.length);
  const header = decodePadHeader(json);
  const wanted = prefix.length + length + header.octets * 2 + PAD_MAC_LENGTH;
  if (size !== wanted) throw new QuMailError('pad.damaged', { reason: size < wanted ? 'cut' : 'longer' });
  return { header, raw: Buffer.concat([prefix, json]) };
}

async function readExactly(file: FileHandle, length: number, at: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) throw new QuMailError('pad.damaged', { reason: 'cut' });
    done += bytesRead;
  }
  return bytes;
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
}

/** Never over a file that is there, never through a link. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    throw unwritable(error, path);
  }
}

async function openRegular(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    throw new QuMailError('file.unreadable', { path }, { cause: error });
  }
  await file.close();
  throw new QuMailError('file.unreadable', { path });
}

async function eraseFile(file: FileHandle, path: string): Promise<void> {
  try {
    const { size } = await file.stat();
    const zeros = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < size; at += zeros.length) await file.write(zeros, 0, Math.min(zeros.length, size - at), at);
    await file.sync();
  } catch {
    // A medium that cannot be written any more keeps what it has; deleting is what is left.
  }
  await file.close().catch(() => {});
  await rm(path, { force: true }).catch(() => {});
}

function unwritable(error: unknown, path: string): QuMailError {
  return QuMailError.from(error, 'file.unwritable', { path });
}
