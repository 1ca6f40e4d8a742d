import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/check/imports.ts';
import { type SuiteReport, addUp, crashed, summaryLine } from '../report/suiteReport.ts';

describe('check/report', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'qumail-report-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function runMocha(text: string): { status: number | null; report: () => SuiteReport } {
    const [file, path] = [join(folder, 'probe.test.mjs'), join(folder, 'report.json')];
    writeFileSync(file, text);
    const env = { ...process.env, QUMAIL_TEST_REPORT: path };
    const { status } = spawnSync(join(ROOT, 'node_modules/.bin/mocha'), [file], { cwd: ROOT, env });
    return { status, report: () => JSON.parse(readFileSync(path, 'utf8')) as SuiteReport };
  }

  it('counts what passed, failed and was skipped, hooks included, and keeps why', function () {
    this.timeout(20_000);
    const { status, report } = runMocha(`
      describe('a', () => { it('holds', () => {}); it('breaks', () => { throw new Error('so it does'); }); it('waits'); });
      describe('b', () => { before(() => { throw new Error('no server'); }); it('never runs', () => {}); });`);
    assert.equal(status, 2);
    const { passed, failed, skipped, failures } = report();
    assert.deepEqual({ passed, failed, skipped }, { passed: 1, failed: 2, skipped: 1 });
    assert.match(failures[0]?.message ?? '', /so it does/);
    assert.match(failures[1]?.test ?? '', /b "before all" hook/);
  });

  it('is not written by a suite that dies on the way', function () {
    this.timeout(20_000);
    const { status, report } = runMocha(`it('kills', () => process.exit(7));`);
    assert.equal(status, 7);
    assert.throws(report, { code: 'ENOENT' });
  });

  it('adds up suites, a crashed one as one failure', () => {
    const fine: SuiteReport = { passed: 3, failed: 0, skipped: 1, seconds: 1, failures: [], skippedTests: ['x'] };
    assert.equal(summaryLine(addUp([fine, crashed('world', 'it hung', 2), fine])), '6 passed, 1 failed, 2 skipped');
  });
});
