/** What goes into the VSIX: nothing but the files named here, and no more than fits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const VSIX_LIMIT_BYTES = 1_500_000;

/** Every file of the package matches one of these. */
const ALLOWED: readonly RegExp[] = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/(package\.json|package\.nls(\.[a-z-]+)?\.json|readme\.md|changelog\.md|LICENSE\.txt)$/,
  /^extension\/dist\/(extension|engine|lab)\.cjs$/,
  /^extension\/dist\/openpgp\.(min\.cjs|LICENSE\.txt)$/,
  /^extension\/dist\/((reader|chat)\.(js|css)|trust\.js|codicon\.ttf|THIRD-PARTY-NOTICES\.txt)$/,
  /^extension\/l10n\/bundle\.l10n(\.[a-z-]+)?\.json$/,
  /^extension\/media\/[\w/-]+\.(svg|png|md)$/,
  /^extension\/media\/draft\/[\w.-]+\.json$/,
];

/** Without these it is no QuMail. */
const REQUIRED = [
  'extension/package.json',
  'extension/package.nls.json',
  'extension/readme.md',
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
  'extension/dist/THIRD-PARTY-NOTICES.txt',
];

/** What is wrong with a package of these files and this size, one line each. */
export function vsixProblems(names: readonly string[], bytes: number): string[] {
  const problems = names
    .filter((name) => !ALLOWED.some((pattern) => pattern.test(name)))
    .map((name) => `${name} does not belong into the VSIX`);
  problems.push(...REQUIRED.filter((name) => !names.includes(name)).map((name) => `${name} is missing`));
  if (bytes > VSIX_LIMIT_BYTES) problems.push(`the VSIX has ${bytes} bytes, at most ${VSIX_LIMIT_BYTES} are allowed`);
  return problems;
}

/** Checks a VSIX on disk. */
export function checkVsix(path: string): string[] {
  const archive = readFileSync(path);
  return vsixProblems(zipNames(archive), archive.length);
}

/** The OpenPGP library, which is shipped as it was published: exactly this version, octet for octet (its hash is in the lock file). */
export function openPgpProblems(root: string): string[] {
  const folder = join(root, 'node_modules/@protontech/openpgp');
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const problems: string[] = [];
  if (dependencies['@protontech/openpgp'] !== version) problems.push(`the OpenPGP library is ${version}, package.json names another`);
  const shipped = readFileSync(join(root, 'dist/openpgp.min.cjs'));
  if (!shipped.equals(readFileSync(join(folder, 'dist/node/openpgp.min.cjs'))))
    problems.push('dist/openpgp.min.cjs is not the published file');
  return problems;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/** The names in a zip archive's central directory (PKWARE APPNOTE 4.3.12, 4.3.16). */
export function zipNames(archive: Buffer): string[] {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || archive.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error('not a zip archive');
  const names: string[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error('a broken zip directory');
    const [name, extra, comment] = [archive.readUInt16LE(at + 28), archive.readUInt16LE(at + 30), archive.readUInt16LE(at + 32)];
    names.push(archive.toString('utf8', at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}
