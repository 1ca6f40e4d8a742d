import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineClient } from '../../src/views/engineClient.ts';
import { memorySecrets } from '../../src/views/hostPorts.ts';

/** Ends its thread at the first thing it is asked, as a crash does. */
const CRASHES = `require('node:worker_threads').parentPort.once('message', () => process.exit(7));`;
/** Hears everything, answers nothing. */
const SILENT = `require('node:worker_threads').parentPort.on('message', () => {});`;

const stopped = { code: 'engine.stopped' };

describe('views/engine client', () => {
  let folder: string;
  const clients: EngineClient[] = [];

  const client = (script: string): EngineClient => {
    const file = join(folder, 'engine.cjs');
    writeFileSync(file, script);
    const made = new EngineClient({
      world: 'real',
      script: file,
      storageDir: folder,
      secrets: memorySecrets(),
      openBrowser: async () => false,
      log: () => {},
      settings: () => ({}),
    });
    clients.push(made);
    return made;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qumail-engine-'));
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('starts nothing before it is needed', () => {
    assert.equal(client(SILENT).isStarted, false);
  });

  it('fails what a dead engine owed, says that it stopped, and starts no other by itself', async () => {
    const engine = client(CRASHES);
    const heard = new Promise<void>((resolve) => engine.onDidStop(resolve));
    await assert.rejects(engine.api.listAccounts(), stopped);
    await heard;
    await assert.rejects(engine.api.listAccounts(), stopped);
  });

  it('starts a new engine when it is asked to', async () => {
    const engine = client(CRASHES);
    await assert.rejects(engine.api.listAccounts(), stopped);
    const dead = engine.api;
    await engine.restart();
    assert.notEqual(engine.api, dead);
    await assert.rejects(engine.api.listAccounts(), stopped);
  });

  it('closes an engine that does not answer, without calling that a crash', async () => {
    const engine = client(SILENT);
    let crashes = 0;
    engine.onDidStop(() => crashes++);
    const owed = engine.api.listAccounts();
    owed.catch(() => {});
    await engine.close();
    await assert.rejects(owed, stopped);
    assert.equal(crashes, 0);
  });
});
