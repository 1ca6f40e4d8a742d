import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import type { Draft } from '../../../src/core/api.ts';
import { LeapClock } from '../../faults/leapClock.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { Person, startPeopleWorld, type PeopleWorld } from '../../world/peopleWorld.ts';

const MINUTE = 60_000;

describe('drafts', function () {
  this.timeout(60_000);
  const clock = new LeapClock();
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  /** Alice's other computer: the same account and certificate, a folder of its own. */
  let laptop: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({ ports: { clock } });
    [alice, bob] = await world.pair('alice', 'bob');
    await alice.engine.getOwnCertificate({ accountId: alice.account.id });
    await alice.list();
    await alice.engine[Symbol.asyncDispose]();
    laptop = new Person('alice', world);
    world.people.push(laptop);
    cpSync(alice.storageDir, laptop.storageDir, { recursive: true });
    for (const [name, value] of alice.secrets) laptop.secrets.set(name, value);
    await alice.open();
    await laptop.open();
    for (const each of [alice, laptop]) {
      each.account = (await each.engine.listAccounts())[0]!;
      await each.list();
    }
  });

  after(() => world?.dispose());
  afterEach(() => world.imapProxy.admit('accept'));

  const text = (subject: string, body: string): string => `To: ${bob.email}\nSubject: ${subject}\nSecurity: L2\n\n${body}\n`;
  const copies = async (): Promise<Buffer[]> =>
    (await world.mail.storedMessages(alice.email, 'Drafts')).filter((raw) => raw.includes('X-QuMail-Draft'));

  async function draft(person: Person, subject: string, body: string): Promise<Draft> {
    const { id } = await person.engine.createDraft({ accountId: person.account.id, source: { kind: 'new' } });
    await person.engine.saveDraft({ draftId: id, text: text(subject, body) });
    return person.engine.loadDraft({ draftId: id });
  }

  /** Waits until a person's drafts are as wanted, letting the time of rest pass. */
  async function until(person: Person, wanted: (drafts: readonly Draft[]) => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await wanted(await person.engine.listDrafts())); tries++) {
      assert.ok(tries < 200, 'it did not come to that');
      clock.leap(6000);
      await person.engine.fetchMail({ accountId: person.account.id, folder: 'Drafts' }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  const bodyOf = (drafts: readonly Draft[], subject: string): string | undefined =>
    drafts
      .find((each) => each.subject === subject)
      ?.text.split('\n\n')[1]
      ?.trim();

  it('are kept in earlier versions, one a minute, and any of these can be brought back', async () => {
    const { id: draftId } = await draft(alice, 'versions', 'first');
    clock.leap(2 * MINUTE);
    await alice.engine.saveDraft({ draftId, text: text('versions', 'second') });
    await alice.engine.saveDraft({ draftId, text: text('versions', 'second, a second later') });
    clock.leap(2 * MINUTE);
    await alice.engine.saveDraft({ draftId, text: text('versions', 'third') });
    const versions = await alice.engine.listDraftVersions({ draftId });
    const texts = await Promise.all(
      versions.map(async ({ id }) => (await alice.engine.loadDraftVersion({ draftId, versionId: id })).text.split('\n\n')[1]?.trim()),
    );
    assert.ok(texts.includes('first') && texts.includes('second, a second later') && !texts.includes('second'), texts.join());
    const first = versions[texts.indexOf('first')]!;
    assert.equal((await alice.engine.restoreDraftVersion({ draftId, versionId: first.id })).text, text('versions', 'first'));
    const again = await alice.engine.listDraftVersions({ draftId });
    assert.equal((await alice.engine.loadDraftVersion({ draftId, versionId: again[0]!.id })).text, text('versions', 'third'));
    await assert.rejects(alice.engine.loadDraftVersion({ draftId, versionId: 9999 }), { code: 'draft.version-missing' });
    await alice.engine.deleteDraft({ draftId });
    await assert.rejects(alice.engine.listDraftVersions({ draftId }), { code: 'draft.missing' });
  });

  it('lie sealed in the Drafts folder, one copy each, and go on at another computer', async () => {
    const { id: draftId } = await draft(alice, 'two computers', 'written at the desk');
    await until(laptop, (drafts) => bodyOf(drafts, 'two computers') === 'written at the desk');
    const [copy, ...more] = await copies();
    assert.equal(more.length, 0);
    assert.match(copy!.toString(), /^Subject: QuMail draft\r?$/m);
    for (const secret of ['two computers', 'written at the desk', bob.email]) assert.ok(!copy!.includes(secret), secret);

    const there = (await laptop.engine.listDrafts()).find(({ subject }) => subject === 'two computers')!;
    await laptop.engine.saveDraft({ draftId: there.id, text: text('two computers', 'and on the train') });
    await until(laptop, async () => (await copies()).length === 1);
    await until(alice, (drafts) => bodyOf(drafts, 'two computers') === 'and on the train');
    assert.equal((await alice.engine.listDrafts()).find(({ subject }) => subject === 'two computers')?.id, draftId);
    const kept = await alice.engine.listDraftVersions({ draftId });
    assert.ok(kept.length > 0, 'what was here before is kept');
    await until(alice, async () => (await copies()).length === 1);

    await laptop.engine.sendDraft({ draftId: there.id, text: text('two computers', 'sent from the train') });
    assert.equal((await bob.receives('two computers')).text.trim(), 'sent from the train');
    await until(laptop, async () => (await copies()).length === 0);
    await until(alice, (drafts) => bodyOf(drafts, 'two computers') === undefined);
  });

  it('say where they are: here at once, waiting while there is no connection, on the server in the end', async () => {
    const stateOf = async (draftId: string): Promise<string> => (await alice.engine.getDraftState({ draftId })).state;
    const told: string[] = [];
    const heard = alice.engine.onEvent((event) => void (event.kind === 'draft-copies' && told.push(event.accountId)));
    const { id: draftId } = await draft(alice, 'where', 'a word');
    assert.equal(await stateOf(draftId), 'under-way');
    await until(alice, async () => (await stateOf(draftId)) === 'on-server');
    assert.ok(told.includes(alice.account.id));
    // The copy that is listed in the folder is known as what it is.
    await until(alice, async () => (await alice.engine.listDraftCopies()).some((row) => row.draftId === draftId));
    const { messageId } = (await alice.engine.listDraftCopies()).find((row) => row.draftId === draftId)!;
    assert.equal((await alice.list('Drafts')).find(({ id }) => id === messageId)?.subject, 'QuMail draft');
    world.imapProxy.admit('refuse');
    world.imapProxy.faultNow({ how: 'reset' });
    await alice.engine.saveDraft({ draftId, text: text('where', 'a word more') });
    await until(alice, async () => (await stateOf(draftId)) === 'waiting');
    assert.deepEqual(await alice.engine.getDraftState({ draftId }), { state: 'waiting', for: 'connection' });
    world.imapProxy.admit('accept');
    await until(alice, async () => (await stateOf(draftId)) === 'on-server');
    await alice.engine.sendDraft({ draftId, text: text('where', 'a word more'), sendAt: clock.now() + 10 * MINUTE });
    assert.equal(await stateOf(draftId), 'outgoing');
    await alice.engine.deleteDraft({ draftId });
    await assert.rejects(alice.engine.getDraftState({ draftId }), { code: 'draft.missing' });
    await until(alice, async () => (await copies()).length === 0);
    heard.dispose();
  });

  it('edited at two computers at once are both kept, the newer one in its place and the other as a conflicting copy', async () => {
    const { id: draftId } = await draft(alice, 'conflict', 'the start');
    await until(laptop, (drafts) => bodyOf(drafts, 'conflict') === 'the start');
    const there = (await laptop.engine.listDrafts()).find(({ subject }) => subject === 'conflict')!;
    world.imapProxy.admit('refuse');
    world.imapProxy.faultNow({ how: 'reset' });
    await alice.engine.saveDraft({ draftId, text: text('conflict', 'as the desk has it') });
    clock.leap(1000);
    await laptop.engine.saveDraft({ draftId: there.id, text: text('conflict', 'as the train has it') });
    world.imapProxy.admit('accept');
    const both = (drafts: readonly Draft[]): boolean => {
      const mine = drafts.filter(({ subject }) => subject === 'conflict');
      const texts = mine.map((each) => each.text.split('\n\n')[1]?.trim()).toSorted();
      return texts.join() === 'as the desk has it,as the train has it';
    };
    await until(alice, async (drafts) => both(drafts) || (await until(laptop, () => true).then(() => false)));
    await until(laptop, both);
    // Whoever finds the conflict marks the copy; both do where they find it at the same time, and still there are two drafts.
    const marked = await Promise.all(
      [alice, laptop].map(async ({ engine }) => (await engine.listDrafts()).filter(({ conflictOf }) => conflictOf !== undefined).length),
    );
    assert.ok(Math.max(...marked) === 1, marked.join());
    await until(alice, async () => (await copies()).length === 2);
  });
});
