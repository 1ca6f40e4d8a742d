/**
 * An extension of its own, beside QuMail in the same extension host: watches how late the event loop of that process is, and at each SIGUSR2
 * writes what it saw since the last one to the file that QUMAIL_HOST_PROBE names. Its pid is in that file from the start.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { type Late, LatenessWatch } from '../world/lateness.ts';

/** What the file holds, as JSON. */
export interface HostReport {
  readonly pid: number;
  /** How many signals were answered. */
  readonly answered: number;
  readonly looks: readonly Late[];
}

export function activate(context: { readonly subscriptions: { dispose(): unknown }[] }): void {
  const file = process.env['QUMAIL_HOST_PROBE'];
  if (file === undefined) return;
  let answered = 0;
  let looks: Late[] = [];
  const watch = new LatenessWatch((late) => looks.push(late));
  const write = (): void => {
    writeFileSync(`${file}.new`, JSON.stringify({ pid: process.pid, answered, looks } satisfies HostReport));
    renameSync(`${file}.new`, file);
  };
  const answer = (): void => {
    answered += 1;
    write();
    looks = [];
  };
  process.on('SIGUSR2', answer);
  context.subscriptions.push({
    dispose() {
      process.off('SIGUSR2', answer);
      watch[Symbol.dispose]();
    },
  });
  write();
}
