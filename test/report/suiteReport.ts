/** How one suite went, as scripts/test.ts adds it up. */
export interface SuiteReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly failures: readonly TestFailure[];
  readonly skippedTests: readonly string[];
}

export interface TestFailure {
  readonly test: string;
  readonly file: string;
  readonly message: string;
}

/** The counts of several suites together. */
export function addUp(reports: readonly SuiteReport[]): { readonly passed: number; readonly failed: number; readonly skipped: number } {
  const sum = (count: (report: SuiteReport) => number): number => reports.reduce((total, report) => total + count(report), 0);
  return { passed: sum((report) => report.passed), failed: sum((report) => report.failed), skipped: sum((report) => report.skipped) };
}

/** The last line of a whole run. */
export function summaryLine(counts: { readonly passed: number; readonly failed: number; readonly skipped: number }): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

/** The report of a suite that ended without one: a crash, a hang, a broken file. */
export function crashed(suite: string, why: string, seconds: number): SuiteReport {
  return {
    passed: 0,
    failed: 1,
    skipped: 0,
    seconds,
    failures: [{ test: `${suite} runs to its end`, file: '', message: why }],
    skippedTests: [],
  };
}
