import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { DraftWorld, type Computer } from './draftWorld.ts';
import type { Rewriting } from './rewritingProxy.ts';

/** SEARCH answers, and knows no header fields. */
const blind = (text: string): string => text.replaceAll(/HEADER X-QuMail-Draft ""/gi, 'KEYWORD nowhere');
/** A server from before UIDPLUS (RFC 4315). */
const silent = (text: string): string => text.replaceAll(/\[APPENDUID \d+ \d+\] /g, '').replaceAll(' UIDPLUS', '');
const SERVERS: readonly (readonly [string, Rewriting])[] = [
  ['whose SEARCH finds no header fields', { toServer: blind }],
  ['that refuses to search for header fields', { toServer: (text) => text.replaceAll(/HEADER X-QuMail-Draft ""/gi, 'NONSENSE') }],
  ['that does not tell where it puts a copy', { toClient: silent }],
  ['that neither finds copies nor tells where it puts them', { toServer: blind, toClient: silent }],
];

describe('drafts on a server', function () {
  this.timeout(60_000);
  let world: DraftWorld;
  let desk: Computer;
  let laptop: Computer;

  before(function () {
    needMailWorld(this);
  });
  afterEach(() => world?.stop());

  async function started(rewriting: Rewriting): Promise<void> {
    world = await DraftWorld.start(rewriting);
    [desk, laptop] = await world.both();
  }
  async function looks(times: number): Promise<void> {
    for (let look = 0; look < times; look++) await world.passes();
  }
  const states = (draftId: string): Promise<string> => desk.engine.getDraftState({ draftId }).then(({ state }) => state);

  for (const [server, rewriting] of SERVERS)
    it(`${server} stay, go on at another computer, and go when they are discarded there`, async () => {
      await started(rewriting);
      const draftId = await world.writes(desk, 'hidden', 'begun');
      await world.untilBodies(laptop, 'hidden', 'begun');
      await looks(4);
      assert.deepEqual(await world.bodies(desk, 'hidden'), ['begun']);
      assert.equal((await world.copies()).length, 1);
      const [there] = await world.drafts(laptop, 'hidden');
      await laptop.engine.saveDraft({ draftId: there!.id, text: world.text('hidden', 'and gone on') });
      await world.untilBodies(desk, 'hidden', 'and gone on');
      await world.until('one copy', async () => (await world.copies()).length === 1);
      assert.equal((await world.drafts(desk, 'hidden'))[0]?.id, draftId);
      await laptop.engine.deleteDraft({ draftId: there!.id });
      await world.untilBodies(desk, 'hidden');
      assert.equal((await world.copies()).length, 0);
    });

  it('go where somebody removed their copies with another program, also while this computer was off', async () => {
    await started({});
    await world.writes(desk, 'removed', 'a word');
    await world.untilBodies(laptop, 'removed', 'a word');
    await laptop.engine[Symbol.asyncDispose]();
    await world.expunge();
    await world.open(laptop);
    for (const each of [desk, laptop]) await world.untilBodies(each, 'removed');
  });

  it('that were discarded elsewhere can be brought back for a month, and come back by themselves to who writes in them', async () => {
    await started({});
    for (const subject of ['back', 'written', 'erased']) await world.writes(desk, subject, 'a word');
    for (const subject of ['back', 'written', 'erased']) await world.untilBodies(laptop, subject, 'a word');
    const [, written] = await Promise.all(['back', 'written'].map(async (subject) => (await world.drafts(laptop, subject))[0]!));
    for (const { id: draftId } of await desk.engine.listDrafts()) await desk.engine.deleteDraft({ draftId });
    for (const subject of ['back', 'written', 'erased']) await world.untilBodies(laptop, subject);
    assert.deepEqual(await desk.engine.listDiscardedDrafts(), []);
    const discarded = await laptop.engine.listDiscardedDrafts();
    assert.deepEqual(discarded.map(({ subject }) => subject).toSorted(), ['back', 'erased', 'written']);
    const { id: draftId } = discarded.find(({ subject }) => subject === 'back')!;
    assert.equal((await laptop.engine.bringBackDraft({ draftId })).subject, 'back');
    await laptop.engine.saveDraft({ draftId: written!.id, text: world.text('written', 'a word more') });
    await world.untilBodies(desk, 'back', 'a word');
    await world.untilBodies(desk, 'written', 'a word more');
    world.clock.leap(31 * 86_400_000);
    await world.writes(laptop, 'later', 'a word');
    await world.until('erased', async () => (await laptop.engine.listDiscardedDrafts()).length === 0);
    for (const each of [desk, laptop]) assert.deepEqual(await world.bodies(each, 'back'), ['a word']);
    await assert.rejects(laptop.engine.bringBackDraft({ draftId: discarded.find(({ subject }) => subject === 'erased')!.id }), {
      code: 'draft.missing',
    });
  });

  it('stay where the folder is another one now, and are put into that', async () => {
    await started({});
    await world.writes(desk, 'folder', 'a word');
    await world.untilBodies(laptop, 'folder', 'a word');
    await world.mail.doveadm(['mailbox', 'delete', '-u', 'alice@example.test', '-s', 'Drafts']);
    // Dovecot makes another one as soon as somebody looks for it.
    await world.until('a copy again', async () => (await world.copies()).length === 1);
    for (const each of [desk, laptop]) assert.deepEqual(await world.bodies(each, 'folder'), ['a word']);
  });

  it('stay, and say so, where another computer wrote a text that no key here opens', async () => {
    await started({});
    const draftId = await world.writes(desk, 'shut', 'a word');
    await world.untilBodies(laptop, 'shut', 'a word');
    const [copy] = await world.copies();
    const foreign = copy!
      .toString('latin1')
      .replace(/^Message-ID: <[^@]*/m, 'Message-ID: <ffffffff-0000-4000-8000-000000000000')
      .replace(/\r\n\r\n[\w+/]{40}/, (start) => start.slice(0, 4) + 'A'.repeat(40));
    assert.notEqual(foreign, copy!.toString('latin1'));
    await world.expunge();
    await world.puts(Buffer.from(foreign, 'latin1'));
    await world.until('told', async () => (await states(draftId)) === 'newer-elsewhere');
    const told = await desk.engine.getDraftState({ draftId });
    assert.equal('failure' in told && told.failure.code, 'draft.copy-shut');
    await looks(4);
    for (const each of [desk, laptop]) assert.deepEqual(await world.bodies(each, 'shut'), ['a word']);
    // What is written here goes there beside it.
    await desk.engine.saveDraft({ draftId, text: world.text('shut', 'a word more') });
    await world.untilBodies(laptop, 'shut', 'a word more');
    assert.equal((await world.copies()).length, 2);
  });

  it('stay where the server does not hand out a copy for a while, and go on when it does', async () => {
    const rewriting: Rewriting = {};
    await started(rewriting);
    const draftId = await world.writes(desk, 'withheld', 'a word');
    await world.untilBodies(laptop, 'withheld', 'a word');
    await laptop.engine[Symbol.asyncDispose]();
    await desk.engine.saveDraft({ draftId, text: world.text('withheld', 'a word more') });
    await world.until('on the server', async () => (await states(draftId)) === 'on-server');
    rewriting.toServer = (text) => text.replaceAll('BODY.PEEK[]', 'BODY.NONE[]');
    await world.open(laptop);
    await looks(4);
    assert.deepEqual(await world.bodies(laptop, 'withheld'), ['a word']);
    delete rewriting.toServer;
    await world.untilBodies(laptop, 'withheld', 'a word more');
  });
});
