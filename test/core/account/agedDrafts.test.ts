import assert from 'node:assert/strict';
import { join } from 'node:path';
import { needMailWorld } from '../../world/mailWorld.ts';
import { DraftWorld, type Computer } from './draftWorld.ts';

const DAY = 86_400_000;

describe('a draft on two computers with one certificate', function () {
  this.timeout(60_000);
  let world: DraftWorld;
  let desk: Computer;
  let laptop: Computer;

  beforeEach(async function () {
    needMailWorld(this);
    world = await DraftWorld.start();
    [desk, laptop] = await world.both();
  });
  afterEach(() => world?.stop());

  /** Time goes by, and each computer renews its own encryption subkey, as each does once in thirty days. */
  async function later(days: number): Promise<void> {
    for (let passed = 0; passed < days; passed += 31) {
      world.clock.leap(Math.min(31, days - passed) * DAY);
      for (const { engine } of [desk, laptop]) await engine.getOwnCertificate({ accountId: world.accountId });
    }
    // Nothing of what follows rests on what a process remembers.
    for (const each of [desk, laptop]) {
      await each.engine[Symbol.asyncDispose]();
      await world.open(each);
    }
  }

  for (const days of [31, 62, 400])
    it(`is there and goes on after ${days} days, at each of the two`, async () => {
      const draftId = await world.writes(desk, 'old', 'begun');
      await world.untilBodies(laptop, 'old', 'begun');
      await later(days);
      // Nobody touched it, and both look at the folder.
      for (let look = 0; look < 5; look++) await world.passes();
      for (const each of [desk, laptop]) assert.deepEqual(await world.bodies(each, 'old'), ['begun']);
      await desk.engine.saveDraft({ draftId, text: world.text('old', 'gone on at the desk') });
      await world.untilBodies(laptop, 'old', 'gone on at the desk');
      await world.writes(laptop, 'new', 'first written on the laptop');
      await world.untilBodies(desk, 'new', 'first written on the laptop');
      await world.until('one copy each', async () => (await world.copies()).length === 2);
    });

  it('is there on a third one that was restored from a backup, once, and goes on there', async () => {
    await world.writes(desk, 'restored', 'begun');
    await world.until('on the server', async () => (await world.copies()).length === 1);
    const phrase = (await desk.engine.newRecoveryPhrase()).join(' ');
    const path = join(desk.dir, 'desk.qumailbackup');
    await desk.engine.createBackup({ path, phrase });
    await later(62);
    const third = await world.computer();
    await third.engine.restoreBackup({ path, phrase });
    await third.engine.signInAgain({ accountId: world.accountId, password: 'alice-password' });
    await third.engine.fetchMail({});
    const [draft] = await world.drafts(third, 'restored');
    const state = (): Promise<string> => third.engine.getDraftState({ draftId: draft!.id }).then((each) => each.state);
    await world.until('the copy is known for what it is', async () => (await state()) === 'on-server');
    await third.engine.saveDraft({ draftId: draft!.id, text: world.text('restored', 'gone on elsewhere') });
    for (const each of world.computers) await world.untilBodies(each, 'restored', 'gone on elsewhere');
    await world.until('one copy', async () => (await world.copies()).length === 1);
    await third.engine.deleteDraft({ draftId: draft!.id });
    for (const each of world.computers) await world.untilBodies(each, 'restored');
  });

  it('is discarded at one of them and goes at the other, however old it is', async () => {
    const draftId = await world.writes(desk, 'discarded', 'never mind');
    await world.untilBodies(laptop, 'discarded', 'never mind');
    await later(62);
    await desk.engine.deleteDraft({ draftId });
    await world.untilBodies(laptop, 'discarded');
    assert.equal((await world.copies()).length, 0);
  });
});
