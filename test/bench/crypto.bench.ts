import { execFileSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../src/core/base/systemPorts.ts';
import { openOneTimePad, sealOneTimePad } from '../../src/core/crypto/oneTimePad.ts';
import { OpenPgpEngine } from '../../src/core/crypto/openPgpEngine.ts';
import { openQuantumAes, sealQuantumAes } from '../../src/core/crypto/quantumAes.ts';
import type { BenchRow } from './benchRow.ts';

const LARGE = 25 << 20;
const SMALL = 64 << 10;
const UPDATE = 64 << 10;

/**
 * The cost of sealing and opening against references of the same run. Ours and theirs take turns, and the best of each counts: other work
 * on the machine only ever adds.
 */
export async function rows(): Promise<BenchRow[]> {
  return [...(await padRows()), ...(await quantumAesRows()), ...(await openPgpRows())];
}

async function padRows(): Promise<BenchRow[]> {
  const message = randomBytes(SMALL);
  const aad = randomBytes(400);
  const pad = randomBytes(32 + SMALL);
  const body = sealOneTimePad(pad, aad, message);
  const [reference, seal, open] = await race(60, [
    () => cipherPass('chacha20-poly1305', message, SMALL),
    () => sealOneTimePad(pad, aad, message),
    () => openOneTimePad(pad, aad, body),
  ]);
  // Poly1305 and XOR run in JavaScript, because no cipher of the runtime takes a key stream. Nobody waits for a millisecond.
  const name = 'one node:crypto ChaCha20-Poly1305 pass';
  return [row('L1 seal, 64 KiB', 15, name, reference!, seal!), row('L1 open, 64 KiB', 15, name, reference!, open!)];
}

async function quantumAesRows(): Promise<BenchRow[]> {
  const message = randomBytes(LARGE);
  const [secret, aad] = [randomBytes(32), randomBytes(400)];
  const body = sealQuantumAes(secret, aad, [message], systemRandom);
  const [reference, seal, open] = await race(25, [
    () => cipherPass('aes-256-gcm', message, UPDATE),
    () => sealQuantumAes(secret, aad, [message], systemRandom),
    () => openQuantumAes(secret, aad, body),
  ]);
  const name = 'one node:crypto AES-256-GCM pass in 64 KiB updates';
  return [row('L2 seal, 25 MiB', 2.5, name, reference!, seal!), row('L2 open, 25 MiB', 2.5, name, reference!, open!)];
}

async function openPgpRows(): Promise<BenchRow[]> {
  const pgp = new OpenPgpEngine({ random: systemRandom });
  const now = Date.now();
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => pgp.generate({ addresses: [`${name}@example.org`], name, now })));
  const plaintext = randomBytes(LARGE);
  const seal = () =>
    pgp.seal({
      plaintext,
      certificates: [alice!.certificate, bob!.certificate],
      signWith: alice!.secretKey,
      now,
      profile: 'pq',
    });
  const { message } = await seal();
  const open = () => pgp.open({ message, secretKeys: [bob!.secretKey], verifyWith: [alice!.certificate], now });
  const folder = mkdtempSync(join(tmpdir(), 'qumail-bench-'));
  try {
    const file = join(folder, 'message');
    writeFileSync(file, plaintext);
    const [reference, sealed, opened] = await race(9, [() => gpgSymmetric(folder, file), seal, open]);
    const name = 'gpg --symmetric --cipher-algo AES256';
    return [
      row('L3 seal, 25 MiB, two recipients, signed', 0.3, name, reference!, sealed!),
      row('L3 open, 25 MiB', 0.3, name, reference!, opened!),
    ];
  } finally {
    execFileSync('gpgconf', ['--homedir', folder, '--kill', 'all'], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  }
}

function gpgSymmetric(home: string, file: string): void {
  const options = ['--batch', '--yes', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', 'bench', '--cipher-algo', 'AES256'];
  execFileSync('gpg', ['--homedir', home, ...options, '--symmetric', '--output', `${file}.gpg`, file], { stdio: 'ignore' });
}

function cipherPass(name: 'aes-256-gcm' | 'chacha20-poly1305', message: Buffer, update: number): void {
  const cipher = createCipheriv(name as 'aes-256-gcm', randomBytes(32), randomBytes(12));
  for (let at = 0; at < message.length; at += update) cipher.update(message.subarray(at, at + update));
  cipher.final();
  cipher.getAuthTag();
}

/** The best time of each in milliseconds, over `rounds` in which each runs once. */
async function race(rounds: number, runs: readonly (() => unknown)[]): Promise<number[]> {
  const best = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of runs.entries()) {
      const started = performance.now();
      await run();
      best[index] = Math.min(best[index]!, performance.now() - started);
    }
  }
  return best;
}

function row(name: string, bar: number, reference: string, value: number, ours: number): BenchRow {
  return { name, bar, unit: 'ms', reference: { name: reference, value }, ours, ratio: ours / value };
}
