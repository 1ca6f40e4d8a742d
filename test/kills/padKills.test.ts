import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPadWorld } from '../core/account/padWorld.ts';
import { removeTempFolders, tempFolder } from '../core/store/vaultFixture.ts';
import { Dice, FORM, SEED } from '../faults/seeded.ts';

const KILLS = FORM === 'long' ? 60 : 6;
const OCTETS = 1024 * 1024;

describe(`pads over which processes are killed (${FORM} form, seed ${SEED})`, function () {
  this.timeout(FORM === 'long' ? 1_800_000 : 60_000);
  const dice = new Dice(SEED);
  after(removeTempFolders);

  /** Runs until it is killed or done; the signal that ended it. */
  async function child(...args: readonly (string | number)[]): Promise<string | null> {
    const process_ = fork(fileURLToPath(import.meta.resolve('./padChild.ts')), args.map(String), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [, signal] = (await once(process_, 'exit')) as [number | null, string | null];
    return signal;
  }

  async function handedOver() {
    const [home, stickFolder] = [tempFolder(), tempFolder()];
    const alice = await openPadWorld(tempFolder(), 'alice');
    const stick = join(stickFolder, 'for-bob.pad');
    await alice.service.createPad({ accountId: 'alice', address: 'bob@example.org', path: stick, octets: OCTETS });
    return { home, alice, stick };
  }

  it('take no octet twice, and what was taken stays gone', async () => {
    const { home, alice, stick } = await handedOver();
    const bob = await openPadWorld(home, 'bob');
    await bob.service.importPad({ accountId: 'bob', address: alice.email, path: stick });
    bob.close();
    const log = join(home, 'taken.log');
    writeFileSync(log, '');
    let killed = 0;
    // Two at a time over one folder, as two windows are.
    for (let n = 0; n < KILLS; n += 2) {
      const at = (): number => 1 + dice.below(80);
      const signals = await Promise.all([
        child(home, 'bob', at(), 'take', alice.email, log),
        child(home, 'bob', at(), 'take', alice.email, log),
      ]);
      killed += signals.filter((signal) => signal === 'SIGKILL').length;
    }
    assert.equal(killed, KILLS);
    const again = await openPadWorld(home, 'bob');
    const taken = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '));
    const [pad] = await again.service.listPads({ accountId: 'bob' });
    const reserved = (pad!.bits - pad!.leftBits) / 8 / 3008;
    console.log(`  ${killed} kills, ${taken.length} keys taken and seen, ${reserved} taken`);
    assert.equal(new Set(taken.map(([id]) => id)).size, taken.length);
    assert.equal(new Set(taken.map(([, hash]) => hash)).size, taken.length);
    assert.ok(Number.isInteger(reserved) && reserved >= taken.length && reserved <= taken.length + KILLS);
    // The other side has every one of them, once.
    for (const [keyId, hash] of taken) {
      const keyIds = [keyId!];
      const source = alice.sources.sourceOfKeys('alice', again.email, keyIds)!;
      await source.fetch({ keyIds, envelopeId: keyId! });
      assert.ok(hash);
    }
    assert.equal(again.audit.verify().intact, true);
    assert.equal(again.db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    const [next] = await again.sources.sourceFor('bob', alice.email)!.take({ bits: 8 * 3000, others: [] });
    assert.ok(!taken.some(([id]) => id === next!.keyId));
    again.close();
    alice.close();
  });

  it('import a pad wholly or not at all: the file is there still, or the pad is', async () => {
    const { home, alice, stick } = await handedOver();
    let [imported, left] = [0, 0];
    for (let n = 0; n < KILLS; n += 1) {
      const folder = join(home, String(n));
      const world = await openPadWorld(folder, 'bob');
      world.close();
      const file = join(folder, 'stick.pad');
      copyFileSync(stick, file);
      // Every point of the few there are, in turn.
      await child(folder, 'bob', 1 + (n % 8), 'import', file, alice.email);
      const after = await openPadWorld(folder, 'bob');
      const pads = await after.service.listPads({ accountId: 'bob' });
      if (pads.length === 0) {
        left += 1;
        assert.ok(existsSync(file) && readFileSync(file).equals(readFileSync(stick)), 'the file is as it was');
        await after.service.importPad({ accountId: 'bob', address: alice.email, path: file });
      } else {
        imported += 1;
        // Killed between the pad and the file: what is left of the file is no second pad.
        if (existsSync(file)) {
          await assert.rejects(after.service.importPad({ accountId: 'bob', address: alice.email, path: file }), (error: { code: string }) =>
            /^pad\.(?:already-imported|malformed|damaged)$/.test(error.code),
          );
        }
      }
      const [key] = await after.sources.sourceFor('bob', alice.email)!.take({ bits: 256, others: [] });
      assert.equal(key!.bytes.length, 32);
      after.close();
    }
    console.log(`  ${imported} imported, ${left} not`);
    assert.ok(imported > 0 && left > 0);
    alice.close();
  });
});
