/**
 * The mocha reporter of every suite: a line per test for people while it runs, and a JSON report for scripts/test.ts, which adds the suites up.
 * The report's path comes from the environment, so that the same reporter serves the command line, workers and VS Code's extension host.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SuiteReport, TestFailure } from './suiteReport.ts';

export const REPORT_VARIABLE = 'QUMAIL_TEST_REPORT';

/** What this reporter uses of mocha's tests; with --parallel they arrive as plain copies that have little more. */
interface ReportedTest {
  readonly title: string;
  readonly duration?: number;
  readonly file?: string;
  fullTitle(): string;
}

interface ReportedRunner {
  on(event: string, listener: (test: ReportedTest, error?: unknown) => void): unknown;
}

/** A slow test is worth a look at this many milliseconds. */
const SLOW_MS = 2000;

export default class Reporter {
  readonly #passed: string[] = [];
  readonly #skipped: string[] = [];
  readonly #failures: TestFailure[] = [];
  readonly #began = Date.now();

  constructor(runner: ReportedRunner) {
    runner.on('pass', (test) => {
      this.#passed.push(test.fullTitle());
      const slow = (test.duration ?? 0) >= SLOW_MS ? ` (${((test.duration ?? 0) / 1000).toFixed(1)} s)` : '';
      console.log(`  ok    ${test.fullTitle()}${slow}`);
    });
    runner.on('pending', (test) => {
      this.#skipped.push(test.fullTitle());
      console.log(`  skip  ${test.fullTitle()}`);
    });
    runner.on('fail', (test, error) => {
      const failure = { test: test.fullTitle(), file: test.file ?? '', message: describeError(error) };
      this.#failures.push(failure);
      console.log(`  FAIL  ${failure.test}\n${failure.message.replaceAll(/^/gm, '          ')}`);
    });
    // Written at the end only: a suite that dies on the way leaves no report, and counts as failed.
    runner.on('end', () => this.#write());
  }

  #write(): void {
    const path = process.env[REPORT_VARIABLE];
    if (path === undefined) {
      console.log(`\n${this.#passed.length} passed, ${this.#failures.length} failed, ${this.#skipped.length} skipped`);
      return;
    }
    const report: SuiteReport = {
      passed: this.#passed.length,
      failed: this.#failures.length,
      skipped: this.#skipped.length,
      seconds: (Date.now() - this.#began) / 1000,
      failures: this.#failures,
      skippedTests: this.#skipped,
    };
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(report, null, 2));
  }
}

/** The stack where there is one, with what assert says about expected and actual; never cut, logs are for reading. */
function describeError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { stack, message, cause } = error as { stack?: string; message?: string; cause?: unknown };
  const own =
    stack === undefined || (message !== undefined && !stack.includes(message)) ? [message, stack].filter(Boolean).join('\n') : stack;
  return cause === undefined ? own : `${own}\ncaused by: ${describeError(cause)}`;
}
