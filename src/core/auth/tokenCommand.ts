import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { BearerToken } from './bearerToken.ts';

/** What a token command may take: milliseconds, and bytes of output. */
export const COMMAND_LIMITS = { timeoutMs: 30_000, maxBytes: 64 * 1024 } as const;

/** What keyring and password programs need to find their stores. The rest of the editor's environment is nobody's business. */
const ENVIRONMENT = [
  ...[
    'PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'LANG',
    'LC_ALL',
    'TMPDIR',
    'XDG_RUNTIME_DIR',
    'XDG_CONFIG_HOME',
    'XDG_DATA_HOME',
    'XDG_CACHE_HOME',
  ],
  ...['DBUS_SESSION_BUS_ADDRESS', 'DISPLAY', 'WAYLAND_DISPLAY', 'GNUPGHOME', 'PASSWORD_STORE_DIR', 'SSH_AUTH_SOCK'],
  ...['SystemRoot', 'USERPROFILE', 'USERNAME', 'APPDATA', 'LOCALAPPDATA', 'ProgramData', 'TEMP', 'TMP', 'PATHEXT'],
];

// A program by its absolute path or by its name alone: a relative path would mean another program in another folder.
const Program = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(4096),
  v.check((text) => isAbsolute(text) || !/[/\\]|^\.{1,2}$/.test(text)),
);
// A NUL would end the argument early.
const Argument = v.pipe(v.string(), v.maxLength(4096), v.regex(/^[^\0]*$/));
const CommandSchema = v.pipe(v.array(Argument), v.minLength(1), v.maxLength(64));

/** A checked argument vector: program first. @throws `account.bad-settings` (details: field) */
export function parseTokenCommand(command: unknown): readonly string[] {
  const parsed = v.safeParse(CommandSchema, command);
  if (!parsed.success || !v.is(Program, parsed.output[0])) throw new QuMailError('account.bad-settings', { field: 'command' });
  return parsed.output;
}

/**
 * Runs a program that prints an access token, and returns the token. No shell; standard input is empty, standard error goes nowhere; the
 * program starts in the home folder with few variables. Whatever it leaves running is ended with it, where the system has process groups.
 *
 * @throws `auth.command-failed` (details: reason `timeout`, `exit` with status, `too-large`, `empty`, `not-a-token` or `not-found`),
 *   `engine.cancelled`
 */
export async function runTokenCommand(command: readonly string[], deps: { clock: Clock }, signal?: AbortSignal): Promise<string> {
  const [program = '', ...args] = parseTokenCommand(command);
  if (signal?.aborted) throw new QuMailError('engine.cancelled');
  const output = await printedBy(program, args, deps.clock, signal);
  const text = output.trim();
  if (text === '') throw failed('empty');
  if (!v.is(BearerToken, text)) throw failed('not-a-token');
  return text;
}

function printedBy(program: string, args: readonly string[], clock: Clock, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    let child: ChildProcessByStdio<null, Readable, null>;
    try {
      child = spawn(program, args, {
        shell: false,
        windowsHide: true,
        // A group of its own, so that a program it started and left behind does not keep us waiting.
        detached: process.platform !== 'win32',
        // A service account may have a home that was never made.
        cwd: existsSync(homedir()) ? homedir() : tmpdir(),
        env: environment(),
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch {
      // Windows refuses scripts that only a shell can run.
      reject(failed('not-found'));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (outcome: QuMailError | string): void => {
      timer.dispose();
      signal?.removeEventListener('abort', onAbort);
      child.removeAllListeners().on('error', () => {});
      child.stdout.removeAllListeners().on('error', () => {});
      child.stdout.destroy();
      if (outcome instanceof QuMailError) {
        endGroup(child);
        reject(outcome);
      } else resolve(outcome);
    };
    const onAbort = (): void => settle(new QuMailError('engine.cancelled'));
    const timer = clock.after(COMMAND_LIMITS.timeoutMs, () => settle(failed('timeout')));
    signal?.addEventListener('abort', onAbort, { once: true });
    child.on('error', () => settle(failed('not-found')));
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > COMMAND_LIMITS.maxBytes) settle(failed('too-large'));
      else chunks.push(chunk);
    });
    child.on('close', (status, killedBy) => {
      if (status === 0) settle(Buffer.concat(chunks).toString('utf8'));
      else settle(failed('exit', status === null ? { signal: killedBy ?? '' } : { status }));
    });
  });
}

function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(ENVIRONMENT.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]));
}

function endGroup(child: ChildProcessByStdio<null, Readable, null>): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

function failed(reason: string, more: Readonly<Record<string, string | number>> = {}): QuMailError {
  return new QuMailError('auth.command-failed', { reason, ...more });
}
