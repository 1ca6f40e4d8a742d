import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ModelImap } from '../core/transport/modelImap.ts';
import { ACCOUNT, SyncRig } from '../core/account/sync/syncRig.ts';
import { testCaPem } from '../world/pki.ts';
import { Dice, FORM, SEED } from './seeded.ts';

const CHILD = fileURLToPath(new URL('../core/account/sync/syncChild.ts', import.meta.url));
const KILLS = FORM === 'long' ? 100 : 8;

describe('a window that is killed while it fills the offline copy', function () {
  this.timeout(FORM === 'long' ? 3_600_000 : 60_000);
  let server: ModelImap;
  let rig: SyncRig;

  before(async () => {
    server = new ModelImap({ condstore: 'condstore' });
    await server.start();
    server.create('Archive', '\\Archive');
    rig = await new SyncRig(server.address).open();
    rig.close();
  });
  after(async () => {
    rmSync(rig.dir, { recursive: true, force: true });
    await server.close();
  });

  const arrive = (path: string, n: number): void => {
    const head = `From: bob@example.test\r\nSubject: number ${n}\r\nMessage-ID: <${n}.${path}@example.test>\r\n`;
    server.add(path, Buffer.from(`${head}\r\n${'text '.repeat(n % 200)}\r\n`));
  };

  it(`leaves a store that is sound, and goes on where it was, ${KILLS} times`, async () => {
    const dice = new Dice(SEED);
    let count = 0;
    let stored = 0;
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      for (let n = 0; n < 400; n++) arrive(dice.pick(['INBOX', 'Archive']), ++count);
      const child = spawn(process.execPath, [CHILD, rig.dir, String(server.address.port), await testCaPem()], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
      assert.equal(String(said).trim(), 'ready');
      await new Promise((resolve) => setTimeout(resolve, 20 + dice.below(250)));
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
      await rig.open();
      assert.equal(rig.db.prepare('PRAGMA quick_check').get()?.['quick_check'], 'ok');
      for (const [path, folder] of server.folders)
        for (const { uid, raw } of rig.stored(path).filter((each) => each.raw !== undefined))
          assert.equal(raw, folder.messages.find((each) => each.uid === uid)?.raw.toString('latin1'));
      const now = [...server.folders.keys()].reduce((sum, path) => sum + rig.messages.count(ACCOUNT, path), 0);
      assert.ok(now >= stored, 'what was stored stays');
      stored = now;
      if (now < count) interrupted++;
      rig.close();
    }
    assert.ok(interrupted > 0, 'some were killed in the middle');
    await rig.open();
    await rig.sync();
    try {
      compare();
    } finally {
      rig.close();
    }
  });

  function compare(): void {
    for (const [path, { messages }] of server.folders)
      assert.deepEqual(
        rig.stored(path).map(({ uid, raw }) => [uid, raw]),
        messages.map(({ uid, raw }) => [uid, raw.toString('latin1')]),
      );
  }
});
