import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needMailWorld } from '../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld } from '../world/peopleWorld.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the engine without VS Code', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  const home = mkdtempSync(join(tmpdir(), 'qumail-headless-'));

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
  });

  after(async () => {
    await world?.dispose();
    rmSync(home, { recursive: true, force: true });
  });

  it('runs the example of ARCHITECTURE.md as it stands there', async () => {
    const alice = await world.person('alice');
    await alice.signInWithPassword();
    await alice.send({ To: 'bob@other.test', Subject: 'for the example', Security: 'L4' }, 'hello\n');
    const caFile = join(home, 'ca.pem');
    writeFileSync(caFile, world.kme.pair.caPem);
    const { imap, smtp } = world.servers;
    const printed = await run(exampleFile(), {
      QUMAIL_HOME: join(home, 'data'),
      MAIL_CA: caFile,
      MAIL_HOST: imap.host,
      MAIL_ADDRESS: 'bob@other.test',
      MAIL_PASSWORD: 'bob-password',
      IMAP_PORT: String(imap.port),
      SMTP_PORT: String(smtp.port),
    });
    assert.equal(printed, 'L4  alice@example.test  for the example\n');
  });

  /** The example as a file of the repository, so that its imports mean the same. */
  function exampleFile(): string {
    const code = /```ts\n([\s\S]+?)```/.exec(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8'))?.[1];
    assert.ok(code);
    mkdirSync(join(ROOT, 'out'), { recursive: true });
    const file = join(ROOT, 'out', 'architecture-example.ts');
    writeFileSync(file, code.replaceAll("'./src/", "'../src/"));
    return file;
  }

  async function run(file: string, env: Record<string, string>): Promise<string> {
    const child = spawn(process.execPath, [file], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    let complained = '';
    child.stdout.on('data', (chunk) => (printed += chunk));
    child.stderr.on('data', (chunk) => (complained += chunk));
    const status = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(status, 0, complained);
    return printed;
  }
});
