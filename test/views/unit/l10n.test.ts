import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const BUNDLE = join(ROOT, 'l10n/bundle.l10n.json');

/** Every text given to `l10n.t` in the views, as translators get it. With UPDATE_L10N=1 the run writes the bundle. */
function textsInSource(): string[] {
  const call = /l10n\.t\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\$]|\\.)*)`)/g;
  const texts = new Set<string>();
  for (const file of globSync('src/views/**/*.ts', { cwd: ROOT })) {
    for (const [, single, double, back] of readFileSync(join(ROOT, file), 'utf8').matchAll(call)) {
      texts.add((single ?? double ?? back ?? '').replace(/\\(['"`\\])/g, '$1').replaceAll('\\n', '\n'));
    }
  }
  return [...texts].sort();
}

describe('views/l10n', () => {
  it('the bundle for translators holds exactly the texts of the source', () => {
    const texts = textsInSource();
    if (process.env['UPDATE_L10N'] === '1')
      writeFileSync(BUNDLE, `${JSON.stringify(Object.fromEntries(texts.map((text) => [text, text])), null, 2)}\n`);
    const bundle = JSON.parse(readFileSync(BUNDLE, 'utf8')) as Record<string, string>;
    assert.deepEqual(Object.keys(bundle).sort(), texts, 'npm run test:unit with UPDATE_L10N=1 writes the bundle anew');
  });

  it('no call leaves its text to a variable, which nobody could translate', () => {
    for (const file of globSync('src/views/**/*.ts', { cwd: ROOT })) {
      assert.doesNotMatch(readFileSync(join(ROOT, file), 'utf8'), /l10n\.t\(\s*[^\s'"`)]/, file);
    }
  });
});
