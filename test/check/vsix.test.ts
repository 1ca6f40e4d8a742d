import assert from 'node:assert/strict';
import { VSIX_LIMIT_BYTES, vsixProblems, zipNames } from '../../scripts/check/vsix.ts';

const SOUND = [
  '[Content_Types].xml',
  'extension.vsixmanifest',
  'extension/package.json',
  'extension/package.nls.json',
  'extension/readme.md',
  'extension/changelog.md',
  'extension/LICENSE.txt',
  'extension/dist/extension.cjs',
  'extension/dist/engine.cjs',
  'extension/dist/lab.cjs',
  'extension/dist/openpgp.min.cjs',
  'extension/dist/openpgp.LICENSE.txt',
  'extension/dist/reader.js',
  'extension/dist/reader.css',
  'extension/dist/trust.js',
  'extension/dist/chat.js',
  'extension/dist/chat.css',
  'extension/dist/codicon.ttf',
  'extension/dist/THIRD-PARTY-NOTICES.txt',
  'extension/media/qumail.svg',
];

describe('check/vsix', () => {
  it('has nothing to say about the files it knows, up to the limit', () => assert.deepEqual(vsixProblems(SOUND, VSIX_LIMIT_BYTES), []));

  it('refuses one byte too many', () => assert.equal(vsixProblems(SOUND, VSIX_LIMIT_BYTES + 1).length, 1));

  for (const name of [
    'src/extension.ts',
    'dist/meta.json',
    'dist/engine.cjs.map',
    'node_modules/imapflow/package.json',
    '.ci/run',
    'media/reader/reader.css',
  ]) {
    it(`refuses ${name}`, () =>
      assert.deepEqual(vsixProblems([...SOUND, `extension/${name}`], 1), [`extension/${name} does not belong into the VSIX`]));
  }

  it('misses a program that was not built', () => {
    assert.deepEqual(
      vsixProblems(
        SOUND.filter((name) => !name.endsWith('engine.cjs')),
        1,
      ),
      ['extension/dist/engine.cjs is missing'],
    );
  });

  it('reads the names in a zip archive, and refuses what is none', () => {
    // Two empty stored files, "a" and "b/c", as `zip` writes them.
    const entry = (name: string): Buffer => Buffer.concat([header(0x04034b50, 26, [[26 - 4, name.length]]), Buffer.from(name)]);
    const directory = (name: string): Buffer => Buffer.concat([header(0x02014b50, 46, [[28, name.length]]), Buffer.from(name)]);
    const files = Buffer.concat([entry('a'), entry('b/c')]);
    const list = Buffer.concat([directory('a'), directory('b/c')]);
    const end = header(0x06054b50, 22, [
      [8, 2],
      [10, 2],
    ]);
    end.writeUInt32LE(list.length, 12);
    end.writeUInt32LE(files.length, 16);
    assert.deepEqual(zipNames(Buffer.concat([files, list, end])), ['a', 'b/c']);
    assert.throws(() => zipNames(Buffer.from('PK is not enough')));
  });
});

function header(signature: number, length: number, fields: readonly (readonly [at: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(signature, 0);
  for (const [at, value] of fields) bytes.writeUInt16LE(value, at);
  return bytes;
}
