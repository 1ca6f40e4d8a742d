import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineProgram } from '../../faults/engineProcess.ts';
import { Dice } from '../../faults/seeded.ts';
import { needMailWorld, startMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';

const ALICE = { email: 'alice@example.test', password: 'alice-password' };
const KILLS = 8;
const SEED = 20261123;

describe('a draft whose engine is killed while it is written', function () {
  this.timeout(60_000);
  const dir = mkdtempSync(join(tmpdir(), 'qumail-draft-'));
  let world: MailWorld;
  let program: EngineProgram;

  before(async function () {
    needMailWorld(this);
    world = await startMailWorld({ users: [ALICE], tls: { ...(await issueServer()), caPem: await testCaPem() } });
    program = await EngineProgram.bundle();
  });
  after(async () => {
    await program?.dispose();
    await world?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it(`has every text that was ever said to be saved, after each of ${KILLS} kills`, async () => {
    const options = {
      storageDir: dir,
      secrets: new Map<string, string>(),
      settings: { certificateAuthorities: { '127.0.0.1': world.caPem } },
    };
    const dice = new Dice(SEED);
    const text = (n: number): string => `To: bob@other.test\nSubject: killed\n\n${'word '.repeat(200)}${n}\n`;
    let last = 0;
    let draftId = '';
    for (let kill = 0; kill < KILLS; kill++) {
      const window = program.start(options);
      const { engine } = window;
      if (kill === 0) {
        const { imap, smtp } = world;
        const { id: accountId } = await engine.addAccount({
          provider: 'qumail_native',
          displayName: '',
          servers: { imap, smtp },
          ...ALICE,
        });
        draftId = (await engine.createDraft({ accountId, source: { kind: 'new' } })).id;
        await engine.saveDraft({ draftId, text: text(last) });
      }
      const kept = Number(/(\d+)\n$/.exec((await engine.loadDraft({ draftId })).text)?.[1]);
      // What was on its way when the process died may have arrived, and nothing older is there.
      assert.ok(kept === last || kept === last + 1, `seed ${SEED}: ${kept} is there, ${last} was saved`);
      last = kept;
      // Killed somewhere in the writing of a text, after a few that were saved.
      for (let saves = 1 + dice.below(5); saves > 0; saves--) {
        await engine.saveDraft({ draftId, text: text(last + 1) });
        last += 1;
      }
      const unheard = engine.saveDraft({ draftId, text: text(last + 1) }).then(
        () => 1,
        () => 0,
      );
      await new Promise((resolve) => setTimeout(resolve, dice.below(12)));
      await window.kill();
      last += await unheard;
    }
    assert.ok(last >= KILLS, `${last} texts were saved`);
  });
});
