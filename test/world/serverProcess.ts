import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';

/** A daemon kept in the foreground, in a process group of its own; ending it ends that group and nothing else. */
export interface ServerProcess {
  readonly pid: number;
  /** Rejects when the process ends before `stop` was asked for. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

const SETPRIV = '/usr/bin/setpriv';
/** Both servers lose nothing when killed; Dovecot would otherwise wait seconds for its login processes. */
const GRACE_MS = 300;
/** Postfix closes every possible descriptor when it starts, which takes seconds where the limit is in the millions. */
const LIMITED = ['/bin/sh', '-c', 'ulimit -n 8192; exec "$@"', 'sh'];

/** Starts `command`; its output goes to `logFile`. Where setpriv exists, the daemon also dies with the test process, however that ends. */
export function startProcess(command: readonly string[], logFile: string): ServerProcess {
  const limited = [...LIMITED, ...command];
  const [file, ...args] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM', '--', ...limited] : limited;
  const log = openSync(logFile, 'a');
  const child = spawn(file!, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let stopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const failed = ended.then((): never => {
    if (stopping) return new Promise<never>(() => {}) as never;
    throw new Error(`${command[0]} ended early:\n${readFileSync(logFile, 'utf8').slice(-3000)}`);
  });
  failed.catch(() => {});
  child.unref();
  const onExit = (): void => signalGroup(child, 'SIGTERM');
  process.once('exit', onExit);
  return {
    pid: child.pid ?? 0,
    failed,
    async stop() {
      stopping = true;
      process.removeListener('exit', onExit);
      if (child.pid === undefined) return;
      child.ref();
      child.kill('SIGTERM');
      const force = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearTimeout(force);
      signalGroup(child, 'SIGKILL');
    },
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone, which is what was wanted.
  }
}
