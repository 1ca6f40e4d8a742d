import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needMailWorld, startMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';
import type { HostileOutcome, HostileRun } from './hostileChild.ts';
import { hostileCollection, nestedMultiparts } from './hostileCollection.ts';

const CHILD = fileURLToPath(new URL('./hostileChild.ts', import.meta.url));
const MIB = 1024 * 1024;
/** Nested multiparts of so many octets: more than is opened, and more than is fetched. */
const LARGE = [70 * MIB, 200 * MIB] as const;
const USER = { email: 'alice@example.test', password: 'alice-password' };

describe('mail that no program writes in good faith', function () {
  this.timeout(120_000);
  let world: MailWorld;
  let storageDir: string;
  let outcome: HostileOutcome;
  const words: string[] = [];
  let count = 0;

  before(async function () {
    needMailWorld(this);
    world = await startMailWorld({ users: [USER], tls: { ...(await issueServer()), caPem: await testCaPem() } });
    world.fill(USER.email, sources());
    storageDir = mkdtempSync(join(tmpdir(), 'qumail-hostile-'));
    outcome = await takeIn();
    const { slowest, damaged, syncMs, lateMs, slowestSearchMs, rss } = outcome;
    const ms = (value: number): string => `${Math.round(value)} ms`;
    console.log(`hostile mail: ${count} messages in ${ms(syncMs)}, ${Math.round(rss / MIB)} MiB, longest wait ${ms(lateMs)}`);
    console.log(`  slowest to open: ${ms(slowest[0]?.ms ?? 0)} (${slowest[0]?.subject}); slowest search: ${ms(slowestSearchMs)}`);
    console.log(`  shown as damaged: ${damaged.join('; ')}`);
  });
  after(async () => {
    await world?.stop();
    if (storageDir) rmSync(storageDir, { recursive: true, force: true });
  });

  function* sources(): Generator<Buffer> {
    for (const { raw, word } of hostileCollection()) {
      if (word !== undefined) words.push(word);
      count += 1;
      yield raw;
    }
    for (const octets of LARGE) {
      count += 1;
      yield nestedMultiparts(`nested${octets}`, octets);
    }
  }

  async function takeIn(): Promise<HostileOutcome> {
    const config: HostileRun = {
      storageDir,
      ...USER,
      caPem: await testCaPem(),
      servers: { imap: world.imap, smtp: world.smtp },
      words,
    };
    const { promise, resolve, reject } = Promise.withResolvers<HostileOutcome>();
    const child = spawn(process.execPath, [CHILD, JSON.stringify(config)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(printed) as HostileOutcome);
      else reject(new Error(`the engine ended with ${code}`));
    });
    return promise;
  }

  it('is all listed, and stored as far as it is not too large', () => {
    assert.equal(outcome.listed, count);
    assert.equal(outcome.folderState.known, count);
    assert.equal(outcome.folderState.stored, count - 1);
  });

  it('is shown, or shown as damaged', () => {
    assert.equal(outcome.shown + outcome.damaged.length, count);
    const [kept, refused] = LARGE;
    const expected = ['QuMail Secure Message: open.limit', 'fakepgp: open.malformed'];
    expected.push(`nested${kept}: open.limit`, `nested${refused}: net.too-large`);
    assert.deepEqual(outcome.damaged.toSorted(), expected.toSorted());
  });

  it('is found by what it says', () => {
    assert.deepEqual(outcome.notFound, []);
  });

  it('costs neither time nor memory without bounds', () => {
    assert.ok((outcome.slowest[0]?.ms ?? 0) < 5000, JSON.stringify(outcome.slowest));
    assert.ok(outcome.slowestSearchMs < 2000);
    assert.ok(outcome.lateMs < 3000, `a request would have waited ${outcome.lateMs} ms`);
    assert.ok(outcome.rss < 1000 * MIB, `${outcome.rss / MIB} MiB`);
  });
});
