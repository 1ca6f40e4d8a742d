/** Calls `run` once after `ms` milliseconds unless it is disposed of. */
export type After = (ms: number, run: () => void) => { dispose(): void };

/** By the clock of this machine. */
export const after: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return { dispose: () => clearTimeout(timer) };
};
