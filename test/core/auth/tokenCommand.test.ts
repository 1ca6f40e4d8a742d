import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { CommandTokens } from '../../../src/core/auth/commandTokens.ts';
import { COMMAND_LIMITS, parseTokenCommand, runTokenCommand } from '../../../src/core/auth/tokenCommand.ts';
import { Log, type LogEntry } from '../../../src/core/base/log.ts';
import { MovableClock } from './harness.ts';

const NODE = process.execPath;
/** A program in one line. */
const js = (code: string): readonly string[] => [NODE, '-e', code];

describe('auth/tokenCommand', function () {
  this.timeout(20_000);
  let folder: string;
  let clock: MovableClock;
  const run = (command: readonly string[], signal?: AbortSignal): Promise<string> => runTokenCommand(command, { clock }, signal);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qumail-command-'));
  });
  beforeEach(() => {
    clock = new MovableClock();
  });
  afterEach(() => assert.equal(clock.pending, 0, 'a command left a timer behind'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('takes the one line that the program prints, without the space around it', async () => {
    assert.equal(await run(js(`console.log('  ya29.a0_AbC-d~e/f+g==  \\n')`)), 'ya29.a0_AbC-d~e/f+g==');
  });

  it('hands arguments over as they are: no shell reads them', async () => {
    const marker = join(folder, 'shell-was-here');
    const odd = [`$(touch ${marker})`, `; touch ${marker}`, '`id`', '%PATH%', '*', 'a b', '"q"', "'"];
    const printed = await run([...js(`console.log(Buffer.from(JSON.stringify(process.argv.slice(1))).toString('base64url'))`), ...odd]);
    assert.deepEqual(JSON.parse(Buffer.from(printed, 'base64url').toString()), odd);
    assert.equal(existsSync(marker), false);
  });

  it('finds a program by its name on the PATH, and takes no relative path', async () => {
    assert.equal(await run(['node', '-e', `console.log('abc')`]), 'abc');
    for (const command of [
      ['./node'],
      ['bin/node'],
      ['..'],
      ['.'],
      [''],
      [],
      ['node', 'a\0b'],
      ['n'.repeat(5000)],
      Array(65).fill('x'),
      'node',
      [7],
      undefined,
    ])
      assert.throws(() => parseTokenCommand(command), { code: 'account.bad-settings', details: { field: 'command' } }, inspect(command));
  });

  it('shows the program little of the environment: no tokens of other tools, no switches of ours', async () => {
    Object.assign(process.env, { QUMAIL_TEST_SECRET: 'x', NODE_OPTIONS_TEST: 'y' });
    try {
      const names = await run(js(`console.log(Buffer.from(Object.keys(process.env).join()).toString('base64url'))`));
      const seen = Buffer.from(names, 'base64url').toString().split(',');
      assert.ok(seen.includes('PATH') && seen.includes('HOME'));
      assert.ok(seen.length < 25 && !seen.some((name) => /QUMAIL|NODE|VSCODE|GITHUB|AWS/.test(name)), seen.join());
    } finally {
      delete process.env['QUMAIL_TEST_SECRET'];
      delete process.env['NODE_OPTIONS_TEST'];
    }
  });

  const failures: readonly (readonly [string, readonly string[], object])[] = [
    ['exits with an error', js('process.exit(3)'), { reason: 'exit', status: 3 }],
    ['exits with an error after printing', js(`console.log('abc'); process.exitCode = 1`), { reason: 'exit', status: 1 }],
    ['is killed', js(`process.kill(process.pid, 'SIGKILL')`), { reason: 'exit', signal: 'SIGKILL' }],
    ['prints nothing', js(''), { reason: 'empty' }],
    ['prints space', js(`console.log(' \\n\\t ')`), { reason: 'empty' }],
    ['prints two lines', js(`console.log('abc\\ndef')`), { reason: 'not-a-token' }],
    ['prints JSON', js(`console.log('{"token":"abc"}')`), { reason: 'not-a-token' }],
    ['prints what would end a SASL field', js(`process.stdout.write('abc\\x01auth=Bearer evil')`), { reason: 'not-a-token' }],
    ['prints a token of 20 KB', js(`console.log('a'.repeat(20000))`), { reason: 'not-a-token' }],
    ['prints 1 MB', js(`process.stdout.write('a'.repeat(1048576)); setInterval(() => {}, 1000)`), { reason: 'too-large' }],
    ['prints without end', js(`const go = () => process.stdout.write('a'.repeat(65536), go); go()`), { reason: 'too-large' }],
    ['is not there', ['/no/such/program'], { reason: 'not-found' }],
    ['is on no PATH', ['qumail-no-such-program'], { reason: 'not-found' }],
  ];
  for (const [what, command, details] of failures)
    it(`names a program that ${what}`, async () => assert.rejects(run(command), { code: 'auth.command-failed', details }));

  it('names a file that may not be run', async () => {
    const file = join(folder, 'plain');
    writeFileSync(file, 'abc');
    chmodSync(file, 0o600);
    await assert.rejects(run([file]), { code: 'auth.command-failed', details: { reason: 'not-found' } });
  });

  /** Waits until the program has written its process id. */
  const pidIn = async (file: string): Promise<number> => {
    while (!existsSync(file) || readFileSync(file, 'utf8') === '') await new Promise((resolve) => setTimeout(resolve, 10));
    return Number(readFileSync(file, 'utf8'));
  };
  const isGone = async (pid: number): Promise<boolean> => {
    for (let n = 0; n < 200; n++) {
      try {
        // A zombie nobody has reaped yet has ended all the same.
        if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return true;
      } catch {
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return false;
  };

  it('ends a program that hangs after thirty seconds, with everything it started', async function () {
    if (process.platform !== 'linux') return this.skip();
    const file = join(folder, 'pid');
    const grandchild = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const running = assert.rejects(
      run(
        js(
          `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' }); setInterval(() => {}, 1000)`,
        ),
      ),
      { code: 'auth.command-failed', details: { reason: 'timeout' } },
    );
    const pid = await pidIn(file);
    clock.advance(COMMAND_LIMITS.timeoutMs - 1_000);
    clock.advance(2_000);
    await running;
    assert.equal(await isGone(pid), true);
  });

  it('ends the program when cancelled, and does not start one after', async function () {
    if (process.platform !== 'linux') return this.skip();
    const file = join(folder, 'cancelled');
    const abort = new AbortController();
    const command = js(`require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`);
    const running = assert.rejects(run(command, abort.signal), { code: 'engine.cancelled' });
    const pid = await pidIn(file);
    abort.abort();
    await running;
    assert.equal(await isGone(pid), true);
    await assert.rejects(run(command, abort.signal), { code: 'engine.cancelled' });
  });

  describe('as an account’s source of tokens', () => {
    const logged: LogEntry[] = [];
    const counting = (): { command: readonly string[]; runs: () => number } => {
      const file = join(folder, `runs-${Math.random()}`);
      writeFileSync(file, '');
      const code = `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(file)}, 'x'); console.error('stderr-secret'); console.log('token-' + fs.readFileSync(${JSON.stringify(file)}, 'utf8').length)`;
      return { command: js(code), runs: () => readFileSync(file, 'utf8').length };
    };
    const open = (): CommandTokens => new CommandTokens({ clock, log: new Log((entry) => logged.push(entry), 'test') });

    it('runs once for all who ask, again when a server refused the token, and keeps accounts apart', async () => {
      const tokens = open();
      const { command, runs } = counting();
      const ask = (id: string, how: 'cached' | 'fresh') => tokens.token(id, command, how);
      assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => ask('a', 'cached')))), new Set(['token-1']));
      assert.equal(await ask('a', 'cached'), 'token-1');
      assert.equal(await ask('a', 'fresh'), 'token-2');
      assert.equal(await ask('b', 'cached'), 'token-3');
      assert.equal(await ask('a', 'cached'), 'token-2');
      tokens.forget('a');
      assert.equal(await ask('a', 'cached'), 'token-4');
      assert.equal(runs(), 4);
      tokens.dispose();
    });

    it('gives nobody a refused token because the program failed since', async () => {
      const tokens = open();
      const { command } = counting();
      assert.equal(await tokens.token('a', command, 'cached'), 'token-1');
      await assert.rejects(tokens.token('a', js('process.exit(1)'), 'fresh'), { code: 'auth.command-failed' });
      assert.equal(await tokens.token('a', command, 'cached'), 'token-2');
      await assert.rejects(tokens.token('a', undefined, 'fresh'), { code: 'account.bad-settings', details: { field: 'command' } });
      tokens.dispose();
    });

    it('ends a running program with the engine', async () => {
      const tokens = open();
      const running = assert.rejects(tokens.token('a', js('setInterval(() => {}, 1000)'), 'cached'), { code: 'engine.cancelled' });
      tokens.dispose();
      await running;
    });

    it('logs neither tokens nor arguments nor what the program complained of', () => {
      assert.ok(logged.length > 3);
      assert.doesNotMatch(JSON.stringify(logged), /token-\d|stderr-secret|readFileSync/);
    });
  });
});
