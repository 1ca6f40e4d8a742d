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
  return `QuMail contains the following packages under their own licences.\n\n${notices.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = globSync('{LICENSE,LICENCE,license,licence,COPYING}*', { cwd: folder }).find((path) => existsSync(join(folder, path)));
  const text = file === undefined ? 'The package ships no licence text.' : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${typeof license === 'string' ? license : 'see below'})\n\n${text}\n`;
}
