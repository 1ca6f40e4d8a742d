import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ErrorCode } from '../../../src/core/base/errors.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { BackupWriter, withBackup } from '../../../src/core/store/backupFile.ts';
import { CHUNK_LENGTH, HEADER_LENGTH, SEALED_CHUNK_LENGTH } from '../../../src/core/store/backupFormat.ts';
import { entropyOf, newRecoveryPhrase } from '../../../src/core/store/backupPhrase.ts';
import { readRecords, writeRecord, type BackupRecord } from '../../../src/core/store/backupRecords.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const ENTROPY = Buffer.alloc(32, 7);

describe('the recovery phrase', () => {
  it('is 24 words for 32 random octets, as BIP-39 has it', () => {
    // The first and last 256-bit vectors of the BIP-39 reference list.
    assert.deepEqual(entropyOf(`${'abandon '.repeat(23)}art`), Buffer.alloc(32));
    assert.deepEqual(entropyOf(`${'zoo '.repeat(23)}vote`), Buffer.alloc(32, 0xff));
    const words = newRecoveryPhrase(systemRandom);
    assert.equal(words.length, 24);
    assert.equal(entropyOf(words.join(' ')).length, 32);
    assert.notDeepEqual(words, newRecoveryPhrase(systemRandom));
  });

  it('is understood in any case and with any white space', () => {
    assert.deepEqual(entropyOf(`  ${'ABANDON\n'.repeat(23)}\tArt `), Buffer.alloc(32));
  });

  it('tells an unknown word, a wrong number of words and a wrong checksum apart', () => {
    const fails = (phrase: string, details: object): void =>
      assert.throws(() => entropyOf(phrase), { code: 'backup.phrase-checksum', details });
    fails(`${'abandon '.repeat(3)}abandun ${'abandon '.repeat(19)}art`, { index: 3 });
    fails('abandon art', { words: 2 });
    fails('', { words: 0 });
    fails('abandon '.repeat(24), { words: 24 });
  });
});

describe('the backup file', () => {
  let path: string;
  beforeEach(() => {
    path = join(tempFolder(), 'mail.qumailbackup');
  });
  after(removeTempFolders);

  async function write(plaintext: Buffer): Promise<number> {
    const writer = await BackupWriter.create(path, ENTROPY, systemRandom);
    await writer.write(Buffer.from(plaintext));
    return writer.finish();
  }

  async function read(entropy = ENTROPY): Promise<Buffer> {
    return withBackup(path, entropy, undefined, async ({ chunks }) => {
      const all: Buffer[] = [];
      for await (const chunk of chunks()) all.push(chunk);
      return Buffer.concat(all);
    });
  }

  const refused = (code: ErrorCode, entropy = ENTROPY): Promise<void> => assert.rejects(read(entropy), { code });

  it('gives back what was written, whatever its length', async () => {
    for (const length of [0, 1, CHUNK_LENGTH - 1, CHUNK_LENGTH, CHUNK_LENGTH + 1, 3 * CHUNK_LENGTH]) {
      const plaintext = randomBytes(length);
      assert.equal(await write(plaintext), statSync(path).size);
      assert.ok((await read()).equals(plaintext), `${length} octets`);
      assert.ok(length < 16 || !readFileSync(path).includes(plaintext.subarray(0, 16)));
    }
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('refuses another phrase by name', async () => {
    await write(randomBytes(100));
    await refused('backup.wrong-phrase', Buffer.alloc(32, 8));
  });

  it('refuses a file cut anywhere as cut', async () => {
    await write(randomBytes(2 * CHUNK_LENGTH + 5));
    const whole = readFileSync(path);
    for (const at of [1, 11, 12, 13, 14, HEADER_LENGTH - 1, HEADER_LENGTH, HEADER_LENGTH + SEALED_CHUNK_LENGTH, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, at));
      await refused('backup.truncated');
    }
  });

  it('refuses what is no backup, an empty file among them', async () => {
    for (const content of ['', 'not a backup at all', '\0'.repeat(200)]) {
      writeFileSync(path, content);
      await refused('backup.malformed');
    }
  });

  it('refuses a file that is not there, or a folder', async () => {
    await refused('file.unreadable');
    mkdirSync(path);
    await refused('file.unreadable');
  });

  it('refuses a newer version before it looks at anything else', async () => {
    await write(randomBytes(10));
    const file = readFileSync(path);
    file.writeUInt16BE(2, 12);
    writeFileSync(path, file.subarray(0, 20));
    await assert.rejects(read(), { code: 'backup.newer', details: { version: 2 } });
  });

  it('believes no claim of 100 GB, and allocates nothing for it', async () => {
    await write(randomBytes(10));
    const file = readFileSync(path);
    file.writeBigUInt64BE(100_000_000_000n, 14);
    writeFileSync(path, file);
    await refused('backup.tampered');
    createHash('sha256').update(file.subarray(0, 86)).digest().copy(file, 86, 0, 8);
    writeFileSync(path, file);
    const before = process.memoryUsage().arrayBuffers;
    await refused('backup.truncated');
    assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
  });

  it('refuses every single flipped octet, and never as another phrase', async () => {
    await write(randomBytes(300));
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const spoilt = Buffer.from(whole);
      spoilt[at]! ^= 1 << (at % 8);
      writeFileSync(path, spoilt);
      const expected: readonly ErrorCode[] =
        at < 12 ? ['backup.malformed'] : at < 14 ? ['backup.newer', 'backup.malformed'] : ['backup.tampered'];
      await assert.rejects(read(), (error: { code: ErrorCode }) => expected.includes(error.code), `octet ${at}`);
    }
  });

  it('refuses chunks in another order, twice, left out, and octets after the end', async () => {
    await write(randomBytes(2 * CHUNK_LENGTH + 5));
    const whole = readFileSync(path);
    const header = whole.subarray(0, HEADER_LENGTH);
    const chunk = (n: number): Buffer =>
      whole.subarray(HEADER_LENGTH + n * SEALED_CHUNK_LENGTH, HEADER_LENGTH + (n + 1) * SEALED_CHUNK_LENGTH);
    const last = chunk(2);
    for (const body of [
      [chunk(1), chunk(0), last],
      [chunk(0), chunk(0), last],
      [chunk(0), chunk(1), last, Buffer.alloc(1)],
      [chunk(0), chunk(1)],
    ]) {
      const bytes = Buffer.concat(body);
      const file = Buffer.concat([header, bytes]);
      // An attacker can make length and checksum fit, and gains nothing.
      file.writeBigUInt64BE(BigInt(bytes.length), 14);
      createHash('sha256').update(file.subarray(0, 86)).digest().copy(file, 86, 0, 8);
      writeFileSync(path, file);
      await refused('backup.tampered');
    }
  });

  it('leaves the old file and nothing else where writing fails or is given up', async () => {
    await write(Buffer.from('first'));
    const writer = await BackupWriter.create(path, ENTROPY, systemRandom);
    await writer.write(Buffer.from('second'));
    await writer.abort();
    assert.equal((await read()).toString(), 'first');
    assert.ok(!existsSync(`${path}.part`));
    await assert.rejects(BackupWriter.create(join(path, 'in', 'a', 'file'), ENTROPY, systemRandom), { code: 'file.unwritable' });
  });

  it('carries records with their blobs, however they are cut into chunks', async () => {
    const record = fc.record({
      kind: fc.string({ maxLength: 8 }),
      v: fc.integer({ min: 1, max: 9 }),
      account: fc.string({ maxLength: 8 }),
      data: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
      blobs: fc.array(
        fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
        { maxLength: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), async (records, size) => {
        const bytes = Buffer.concat(records.map(writeRecord));
        async function* pieces(): AsyncGenerator<Buffer> {
          for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
        }
        const found: BackupRecord[] = [];
        for await (const each of readRecords(pieces())) found.push(each);
        const asJson = records.map(({ data, ...rest }) => ({ ...rest, data: JSON.parse(JSON.stringify(data)) as unknown }));
        assert.deepEqual(found, asJson);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses records that do not fit the form', async () => {
    const bad = [
      Buffer.from([0, 0, 0, 9, 1]),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('{}')]),
      writeRecord({ kind: 'mail', v: 1, account: '', data: 1, blobs: [Buffer.alloc(9)] }).subarray(0, -1),
    ];
    for (const bytes of bad) {
      async function* one(): AsyncGenerator<Buffer> {
        yield Buffer.from(bytes);
      }
      await assert.rejects(
        async () => {
          for await (const _ of readRecords(one()));
        },
        { code: 'backup.malformed' },
      );
    }
  });
});
