/** The compiler setting and the lint rule that keep the rooms apart, each shown a file that breaks the rule. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../../scripts/check/imports.ts';

describe('check/walls', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'qumail-walls-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }

  function run(program: string, ...args: readonly string[]): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin', program), args, { cwd: folder, encoding: 'utf8' });
    return { status, output: stdout + stderr };
  }

  it('the compiler finds nothing of vscode in the engine', function () {
    this.timeout(30_000);
    const settings = JSON.parse(readFileSync(join(ROOT, 'src/core/tsconfig.json'), 'utf8')) as { compilerOptions: { paths: object } };
    assert.deepEqual(settings.compilerOptions.paths, { vscode: ['./no-vscode.d.ts'] });
    const tsconfig = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: { paths: { vscode: [join(ROOT, 'src/core/no-vscode.d.ts')] }, types: [] },
      include: ['.'],
      exclude: [],
    };
    write('tsconfig.json', JSON.stringify(tsconfig));
    write('package.json', '{"type":"module"}');
    write('probe.ts', `import { window } from 'vscode';\nexport const shown = window;\n`);
    const { status, output } = run('tsc', '-p', '.');
    assert.notEqual(status, 0);
    assert.match(output, /probe\.ts.*no exported member 'window'/);
  });

  const refused: readonly (readonly [file: string, specifier: string])[] = [
    ['src/core/account/probe.ts', 'vscode'],
    ['src/core/account/probe.ts', '../../views/present.ts'],
    ['src/core/crypto/probe.ts', '../keys/kmeClient.ts'],
    ['src/core/crypto/probe.ts', 'vscode'],
    ['src/core/store/probe.ts', '../account/mailAccount.ts'],
    ['src/core/base/probe.ts', '../store/database.ts'],
    ['src/core/mail/probe.ts', 'vscode'],
    ['src/views/mail/probe.ts', '../../core/base/errors.ts'],
    ['src/extension.ts', './core/qumailCore.ts'],
  ];
  for (const [file, specifier] of refused) {
    it(`the linter refuses ${specifier} in ${file}`, () => {
      write('.oxlintrc.json', readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8'));
      write(file, `import { x } from '${specifier}';\nexport const y = x;\n`);
      const { status, output } = run('oxlint');
      assert.notEqual(status, 0);
      assert.match(output, /no-restricted-imports/);
    });
  }

  it('the linter lets a view through the door', () => {
    write('.oxlintrc.json', readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8'));
    write('src/views/mail/probe.ts', `import { x } from '../../core/api.ts';\nexport const y = x;\n`);
    const { status, output } = run('oxlint');
    assert.equal(status, 0, output);
  });
});
