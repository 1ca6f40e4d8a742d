import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatabaseSync } from 'node:sqlite';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { WindowLock } from '../../../src/core/store/windowLock.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const TTL = 15_000;

describe('store/windowLock', function () {
  this.timeout(20_000);
  let folder: string;
  const open: { db: DatabaseSync; lock: WindowLock }[] = [];
  const children: ChildProcess[] = [];
  const window = (): { db: DatabaseSync; lock: WindowLock } => {
    const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
    const lock = new WindowLock({ db, clock: systemClock, random: systemRandom });
    open.push({ db, lock });
    return { db, lock };
  };
  const child = async (task: string): Promise<ChildProcess> => {
    const file = fileURLToPath(import.meta.resolve('./windowLockChild.ts'));
    const process = fork(file, [folder, task], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    children.push(process);
    assert.deepEqual(await once(process, 'message'), ['holding', undefined]);
    return process;
  };

  beforeEach(() => {
    folder = tempFolder();
  });
  afterEach(() => {
    for (const process of children.splice(0)) process.kill('SIGKILL');
    for (const { db, lock } of open.splice(0)) {
      lock.dispose();
      if (db.isOpen) db.close();
    }
    removeTempFolders();
  });

  it('lets one window at a time do the work, and each of them in turn', async () => {
    const windows = [window(), window(), window()];
    let inside = 0;
    let done = 0;
    await Promise.all(
      windows.flatMap(({ lock }) =>
        [1, 2].map(() =>
          lock.run('work', TTL, async () => {
            assert.equal(++inside, 1);
            await systemClock.sleep(5);
            inside--;
            done++;
          }),
        ),
      ),
    );
    assert.equal(done, 6);
  });

  it('keeps different work apart', async () => {
    const { lock } = window();
    await lock.run('one', TTL, () => window().lock.run('other', TTL, async () => {}));
  });

  it('gives the lock back when the work fails, and passes the failure on', async () => {
    const { lock } = window();
    await assert.rejects(
      lock.run('work', TTL, async () => {
        throw new RangeError('no');
      }),
      RangeError,
    );
    await window().lock.run('work', TTL, async () => {});
  });

  it('hands what one window leaves to the next, and nothing to a window that has lost its turn', async () => {
    const one = window();
    const two = window();
    assert.equal(
      await one.lock.run('work', TTL, async (lease) => {
        lease.leave('seen by two');
        return lease.note;
      }),
      'seen by two',
    );
    await two.lock.run('work', TTL, async (lease) => {
      assert.equal(lease.note, 'seen by two');
      one.db.prepare("UPDATE window_locks SET holder = 'somebody else'").run();
      lease.leave('too late');
    });
    assert.equal(one.db.prepare('SELECT note FROM window_locks').get()?.['note'], 'seen by two');
  });

  it('waits while a slow window gives signs of life, for longer than its time to live', async () => {
    const slow = window();
    const order: string[] = [];
    const working = slow.lock.run('work', 150, async () => {
      await systemClock.sleep(500);
      order.push('slow');
    });
    await window().lock.run('work', 150, async () => void order.push('next'));
    await working;
    assert.deepEqual(order, ['slow', 'next']);
  });

  it('takes over from a window that hangs, after its time to live and not before', async () => {
    await child('hang');
    const started = performance.now();
    await window().lock.run('work', 300, async () => {});
    assert.ok(performance.now() - started >= 250);
  });

  it('takes over at once from a window that was killed', async () => {
    const process = await child('hold');
    const gone = once(process, 'exit');
    process.kill('SIGKILL');
    await gone;
    const started = performance.now();
    await window().lock.run('work', TTL, async () => {});
    assert.ok(performance.now() - started < TTL / 3);
  });

  it('hands what is held for a window’s lifetime to a window that waits, as soon as that one was killed', async () => {
    const process = await child('hold');
    const waiting = window().lock.hold('work', { ttlMs: 60_000, pollMs: 20, lost: assert.fail }, new AbortController().signal);
    assert.equal(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 150, 'still waiting'))]), 'still waiting');
    process.kill('SIGKILL');
    const held = await waiting;
    const other = window().lock.hold('work', { ttlMs: 60_000, pollMs: 20, lost: assert.fail }, new AbortController().signal);
    held.dispose();
    (await other).dispose();
  });

  it('tells a window that hung for too long that another one has its lock, at its next sign of life or when it asks', async () => {
    const { signal } = new AbortController();
    const lost: string[] = [];
    const hung = window();
    const beating = await hung.lock.hold('beats', { ttlMs: 150, pollMs: 20, lost: () => lost.push('beats') }, signal);
    const asking = await hung.lock.hold('asks', { ttlMs: 60_000, pollMs: 20, lost: () => lost.push('asks') }, signal);
    assert.deepEqual([beating.isHeld(), asking.isHeld()], [true, true]);
    const other = window();
    // As if both had been silent for as long as it takes.
    other.db.prepare("UPDATE window_locks SET holder = 'other'").run();
    assert.deepEqual([asking.isHeld(), asking.isHeld(), lost], [false, false, ['asks']]);
    while (lost.length < 2) await systemClock.sleep(5);
    assert.deepEqual([beating.isHeld(), lost], [false, ['asks', 'beats']]);
    assert.equal(
      other.db.prepare("SELECT count(*) AS n FROM window_locks WHERE holder = 'other'").get()?.['n'],
      2,
      'it is not taken from the other',
    );
  });

  it('stops waiting when cancelled', async () => {
    const { lock } = window();
    const abort = new AbortController();
    await lock.run('work', TTL, async () => {
      const waiting = assert.rejects(
        window().lock.run('work', TTL, async () => {}, abort.signal),
        { code: 'engine.cancelled' },
      );
      abort.abort();
      await waiting;
    });
  });

  it('gives back what it holds when its engine is closed, before the database goes', async () => {
    const closing = window();
    const never = Promise.withResolvers<void>();
    const working = closing.lock.run('work', TTL, () => never.promise);
    await new Promise((resolve) => setImmediate(resolve));
    const late = assert.rejects(
      closing.lock.run('other', TTL, async () => {}),
      { code: 'engine.cancelled' },
    );
    closing.lock.dispose();
    closing.db.close();
    await window().lock.run('work', TTL, async () => {});
    never.resolve();
    await Promise.all([working, late]);
    assert.equal(window().db.prepare('SELECT count(*) AS n FROM window_locks WHERE holder IS NOT NULL').get()?.['n'], 0);
  });
});
