import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runToResult } from '../faults/runToResult.ts';

const RESULT = (failed: number): string => `console.log('\\n5 passed, ${failed} failed, 0 skipped');`;
const SPIN = "process.on('exit', () => { for (;;); });";

describe('check/a run of the faults', function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'qumail-faults-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(program: string, graceMs = 100): Promise<number> {
    const file = join(folder, 'probe.mjs');
    writeFileSync(file, program);
    return runToResult(process.execPath, [file], { graceMs });
  }

  it('ends with its result, also where its process never does', async () => {
    assert.equal(await run(`${SPIN} ${RESULT(0)}`), 0);
    assert.equal(await run(`${SPIN} ${RESULT(2)}`), 2);
  });

  it('is left to end by itself where it can', async () => {
    assert.equal(await run(`${RESULT(0)} process.exitCode = 3;`, 10_000), 3);
  });

  it('has failed where its process died before there was a result', async () => {
    assert.equal(await run("console.log('  ok    one'); process.kill(process.pid, 'SIGKILL');"), 1);
    assert.equal(await run('process.exit(7);'), 7);
  });
});
