import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { DraftWorld, type Computer } from './draftWorld.ts';

describe('a draft that is changed elsewhere while somebody writes', function () {
  this.timeout(60_000);
  let world: DraftWorld;
  let desk: Computer;
  let laptop: Computer;

  before(async function () {
    needMailWorld(this);
    world = await DraftWorld.start();
    [desk, laptop] = await world.both();
  });
  after(() => world?.stop());

  async function versions({ engine }: Computer, draftId: string): Promise<string[]> {
    const kept = await engine.listDraftVersions({ draftId });
    const texts = await Promise.all(kept.map(({ id: versionId }) => engine.loadDraftVersion({ draftId, versionId })));
    return texts.map(({ text }) => text);
  }

  it('has what is written here as its text and the other one as a version, on both computers, and says so', async () => {
    const draftId = await world.writes(desk, 'open', 'begun');
    await world.untilBodies(laptop, 'open', 'begun');
    const [there] = await world.drafts(laptop, 'open');
    // The editor at the desk has this text, and something is being typed.
    const { updatedAt: basedOn } = await desk.engine.loadDraft({ draftId });
    const other = world.text('open', 'as the train has it');
    await laptop.engine.saveDraft({ draftId: there!.id, text: other });
    await world.untilBodies(desk, 'open', 'as the train has it');
    const typed = world.text('open', 'begun and gone on');
    const saved = await desk.engine.saveDraft({ draftId, text: typed, basedOn });
    assert.equal(saved.replaced, 'other');
    assert.equal((await desk.engine.loadDraft({ draftId })).updatedAt, saved.updatedAt);
    const kept = await versions(desk, draftId);
    assert.equal(kept[0], other);
    assert.equal(kept.filter((text) => text === other).length, 1);
    const more = await desk.engine.saveDraft({ draftId, text: `${typed}!`, basedOn: saved.updatedAt });
    assert.equal(more.replaced, 'own');
    await world.untilBodies(laptop, 'open', 'begun and gone on\n!');
    assert.ok((await versions(laptop, there!.id)).includes(other));
  });

  it('keeps the text of another window, however short the time since the last version', async () => {
    const draftId = await world.writes(desk, 'windows', 'begun');
    const { updatedAt: basedOn } = await desk.engine.loadDraft({ draftId });
    for (const body of ['one', 'two']) {
      world.clock.leap(1);
      await desk.engine.saveDraft({ draftId, text: world.text('windows', body) });
    }
    world.clock.leap(1);
    const saved = await desk.engine.saveDraft({ draftId, text: world.text('windows', 'mine'), basedOn });
    assert.equal(saved.replaced, 'other');
    assert.equal((await versions(desk, draftId))[0], world.text('windows', 'two'));
  });
});
