import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { KmeStore } from '../../src/core/lab/kmeStore.ts';
import { CipherManager } from '../../src/core/crypto/cipherManager.ts';
import { type OwnCertificateRecord, OwnCertificateStore } from '../../src/core/store/ownCertificateStore.ts';
import { SealedMailStore } from '../../src/core/store/sealedMail.ts';

/** Something that must stand nowhere but where it belongs. */
export interface Secret {
  readonly name: string;
  readonly value: Buffer | string;
}

/** Somewhere it must not stand. */
export interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Secrets shorter than this, in octets, would be found by chance. */
const SHORTEST = 8;
/** Of a long secret so many octets are looked for, at so many places in it. */
const SAMPLE = 48;
const SAMPLES = 12;
/** Octets of a secret key that are looked for together: short enough to lie inside the 32 and 64 octets of its secret parts. */
const PIECE = 16;
const PIECES = 4;

/** Every secret that stands in a place in any usual spelling, as `secret, as SPELLING, in PLACE`; empty when all is well. */
export function findSecrets(secrets: readonly Secret[], places: readonly Place[]): string[] {
  const found: string[] = [];
  for (const { name, value } of secrets) {
    for (const part of samplesOf(Buffer.from(value as string))) {
      for (const [spelling, needle] of spellings(part))
        for (const place of places) if (place.bytes.includes(needle)) found.push(`${name}, as ${spelling}, in ${place.name}`);
    }
  }
  return [...new Set(found)];
}

/** The spellings of some octets: what encodings on disk, in logs and in mail make of them wherever they begin. */
function spellings(octets: Buffer): [string, Buffer | string][] {
  const all: [string, Buffer | string][] = [
    ['octets', octets],
    ['hexadecimal', octets.toString('hex')],
    ['hexadecimal', octets.toString('hex').toUpperCase()],
    ['an array of numbers', [...octets].join(',')],
    ['UTF-16', Buffer.from(octets.toString('latin1'), 'utf16le')],
  ];
  const text = octets.toString('utf8');
  const escaped = JSON.stringify(text).slice(1, -1);
  if (escaped !== text && Buffer.from(text, 'utf8').equals(octets))
    all.push(['JSON', escaped], ['percent-encoding', encodeURIComponent(text)]);
  for (const offset of [0, 1, 2]) {
    const whole = octets.subarray(offset, offset + Math.floor((octets.length - offset) / 3) * 3);
    if (whole.length < SHORTEST - 2) continue;
    all.push(['base64', whole.toString('base64')], ['base64url', whole.toString('base64url')]);
  }
  return all;
}

function samplesOf(octets: Buffer): Buffer[] {
  if (octets.length < SHORTEST) return [];
  if (octets.length <= 2 * SAMPLE) return [octets];
  const step = Math.floor((octets.length - SAMPLE) / (SAMPLES - 1));
  return Array.from({ length: SAMPLES }, (_, i) => octets.subarray(i * step, i * step + SAMPLE));
}

/** Every file below a folder that `wanted` lets through by its path in it, database journals included. One that goes meanwhile is passed over. */
export function placesIn(folder: string, name: string, wanted: (path: string) => boolean = () => true): Place[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) => {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (!entry.isFile() || !wanted(path)) return [];
    try {
      return [{ name: `${name}: ${path}`, bytes: readFileSync(join(folder, path)) }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** What is in a secret store: each value, and each text inside one that is JSON. */
export function secretsIn(values: ReadonlyMap<string, string>): Secret[] {
  return [...values]
    .flatMap(([name, value]) => [...new Set([value, ...textsIn(value)])].map((text) => ({ name, value: text })))
    .concat(
      // Epoch keys are kept as text and used as octets.
      [...values]
        .filter(([name]) => name.startsWith('qumail.epoch.'))
        .map(([name, value]) => ({ name, value: Buffer.from(value, 'base64url') as never })),
    );
}

/** Texts inside a JSON value that are secret by their length: tokens, passwords, private keys. */
function textsIn(json: string): string[] {
  const texts: string[] = [];
  try {
    JSON.parse(json, (name, value: unknown) => {
      if (typeof value === 'string' && /token|key|pass|secret|pfx/i.test(name)) texts.push(value);
      return value;
    });
  } catch {
    // A plain text.
  }
  return texts.filter((text) => text.length >= SHORTEST);
}

/**
 * Notes, from now on and in this process, every key the key managers make, every session key that is stored, every own secret key, every post-quantum share, and
 * everything written to the process's output. Texts are the test's to name: half of a message's headers are public. `stop` ends it.
 */
export function hoardSecrets(): { readonly secrets: readonly Secret[]; output(): Place; stop(): void } {
  const secrets: Secret[] = [];
  const written: Buffer[] = [];
  const note = (name: string, value: Buffer): void => void secrets.push({ name, value: Buffer.from(value) });
  const undo = [
    wrapped(
      KmeStore.prototype,
      'create',
      (original) =>
        function (this: KmeStore, request) {
          const keys = original.call(this, request);
          if (keys !== 'exhausted') for (const { keyId, bytes } of keys) note(`key ${keyId}`, bytes);
          return keys;
        },
    ),
    wrapped(
      SealedMailStore.prototype,
      'put',
      (original) =>
        function (this: SealedMailStore, record) {
          if (record.sessionKey) note(`session key of ${record.envelopeId}`, record.sessionKey);
          original.call(this, record);
        },
    ),
    ...(['add', 'replace'] as const).map((method) =>
      wrapped(
        OwnCertificateStore.prototype,
        method,
        (original: (record: OwnCertificateRecord, secretKey: Uint8Array) => unknown) =>
          function (this: OwnCertificateStore, record: OwnCertificateRecord, secretKey: Uint8Array) {
            for (const part of secretsOfTsk(record.certificate, secretKey)) note(`secret key of ${record.fingerprint}`, part);
            return original.call(this, record, secretKey);
          } as never,
      ),
    ),
    wrapped(
      CipherManager.prototype,
      'seal',
      (original) =>
        function (this: CipherManager, request) {
          if (request.pqShare) note('post-quantum share', request.pqShare.octets);
          return original.call(this, request);
        },
    ),
    ...[process.stdout, process.stderr].map((stream) =>
      wrapped(
        stream,
        'write',
        (original) =>
          function (this: NodeJS.WriteStream, ...args: unknown[]) {
            if (typeof args[0] === 'string' || args[0] instanceof Uint8Array) written.push(Buffer.from(args[0] as string));
            return (original as (...rest: unknown[]) => boolean).apply(this, args);
          } as typeof original,
      ),
    ),
  ];
  return {
    secrets,
    output: () => ({ name: 'output', bytes: Buffer.concat(written) }),
    stop: () => {
      for (const each of undo) each();
    },
  };
}

/** Pieces of a transferable secret key of which its public certificate has neither half: from seeds and secret parts, of every subkey. */
function secretsOfTsk(certificate: Uint8Array, secretKey: Uint8Array): Buffer[] {
  const open = Buffer.from(certificate);
  const secret = Buffer.from(secretKey);
  const pieces: Buffer[] = [];
  for (let at = 0; at + PIECE <= secret.length; at += PIECE / 2) {
    const piece = secret.subarray(at, at + PIECE);
    if (!open.includes(piece.subarray(0, PIECE / 2)) && !open.includes(piece.subarray(PIECE / 2))) pieces.push(Buffer.from(piece));
  }
  const step = Math.max(1, pieces.length / PIECES);
  return Array.from({ length: Math.min(PIECES, pieces.length) }, (_, i) => pieces[Math.floor(i * step)]!);
}

function wrapped<T extends object, K extends keyof T>(holder: T, name: K, make: (original: T[K]) => T[K]): () => void {
  const original = holder[name];
  holder[name] = make(original);
  return () => {
    holder[name] = original;
  };
}
