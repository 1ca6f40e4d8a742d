/** The licences of everything that is bundled into dist/, as those licences ask for. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The text of THIRD-PARTY-NOTICES for the input files of a build.
 *
 * @param {string} root the project
 * @param {Iterable<string>} inputs paths of bundled files, relative to `root`, as in esbuild's metafile
 */
export function thirdPartyNotices(root, inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(match[1]);
  }
  const notices = [...folders].sort().map((folder) => notice(join(root, folder)));
  notices.push('The OpenPGP library in openpgp.min.cjs: see openpgp.LICENSE.txt.\n');
  return `QuMail contains the following packages under their own licences.\n\n${notices.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/**
 * What goes along with the unbundled OpenPGP library: whose it is, how to replace it, and both licences, as section 4 of the LGPL asks.
 *
 * @param {string} root the project
 * @param {string} folder of the library, relative to `root`
 */
export function openPgpNotice(root, folder) {
  const { name, version, homepage, repository } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const text = (path) => readFileSync(join(root, path), 'utf8').trim();
  const about = [
    `QuMail uses the library ${name} ${version} (OpenPGP.js), which is covered by the GNU Lesser General Public License, version 3 or later.`,
    `Its copyright notices stand in its source: ${repository.url} (${homepage}).`,
    'The file openpgp.min.cjs beside this one is the library as it was published, unchanged. It may be replaced by a modified version with the',
    'same interface; QuMail loads whatever file has this name. The GNU Lesser General Public License and the GNU General Public License follow.',
  ].join('\n');
  return [about, text(join(folder, 'LICENSE')), text('scripts/licences/GPL-3.0.txt')].join(`\n\n${'-'.repeat(80)}\n\n`) + '\n';
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = globSync('{LICENSE,LICENCE,license,licence,COPYING}*', { cwd: folder }).find((path) => existsSync(join(folder, path)));
  const text = file === undefined ? 'The package ships no licence text.' : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${typeof license === 'string' ? license : 'see below'})\n\n${text}\n`;
}
