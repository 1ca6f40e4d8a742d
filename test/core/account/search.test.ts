import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QuMailEvent, SearchHit } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

/** Words that stand in sealed mail and nowhere else. */
const SECRETS = ['Zanzibar', 'quetzalcoatl', 'zanzibar', 'Quetzalcoatl'];

describe('searching and conversations', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    await alice.send({ To: bob.email, Subject: 'Zanzibar protocol', Security: 'L2' }, 'the quetzalcoatl papers\n');
    await alice.send({ To: bob.email, Subject: 'Lunch on Friday', Security: 'L4' }, 'shall we meet at the harbour?\n');
    await bob.receives('Zanzibar protocol');
    await bob.receives('Lunch on Friday');
  });

  after(() => world?.dispose());

  const find = async (person: Person, query: string, more: object = {}): Promise<readonly SearchHit[]> =>
    (await person.engine.search({ query, limit: 20, ...more })).messages;
  const subjects = async (person: Person, query: string, more: object = {}): Promise<string[]> =>
    (await find(person, query, more)).map(({ subject }) => subject).toSorted();
  const reply = async (person: Person, subject: string, text: string): Promise<void> => {
    const message = await person.receives(subject);
    const draft = await person.engine.createDraft({
      accountId: person.account.id,
      source: { kind: 'reply', messageId: message.summary.id },
    });
    await person.engine.sendDraft({ draftId: draft.id, text: draft.text.replace(/\n\n/, `\n\n${text}\n`) });
  };

  it('finds sealed and ordinary mail alike, and says where', async () => {
    const [sealed] = await find(bob, 'quetzal*');
    assert.equal(sealed?.subject, 'Zanzibar protocol');
    assert.equal(sealed?.seal, 'opened');
    assert.deepEqual(
      sealed?.snippet?.marks.map(({ from, to }) => sealed.snippet!.text.slice(from, to)),
      ['quetzalcoatl'],
    );
    assert.deepEqual((await find(bob, 'zanzibar'))[0]?.subjectMarks, [{ from: 0, to: 8 }]);
    await bob.receives('Lunch on Friday');
    const [plain] = await find(bob, 'harbour');
    assert.match(plain?.snippet?.text ?? '', /meet at the harbour/);
    assert.deepEqual(await subjects(bob, 'from:alice in:inbox'), ['Lunch on Friday', 'Zanzibar protocol']);
    assert.deepEqual(await subjects(bob, 'from:alice is:sealed'), ['Zanzibar protocol']);
    assert.deepEqual(await subjects(alice, 'quetzalcoatl'), ['Zanzibar protocol']);
  });

  it('finds sealed mail after a restart, with nothing of it on the disk', async () => {
    await bob.reopen();
    assert.deepEqual(await subjects(bob, '"quetzalcoatl papers"'), ['Zanzibar protocol']);
    for (const person of [alice, bob]) {
      for (const entry of readdirSync(person.storageDir, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())) {
        const octets = readFileSync(join(entry.parentPath, entry.name));
        for (const secret of SECRETS) assert.ok(!octets.includes(secret), `${secret} in ${entry.name}`);
      }
    }
  });

  it('finds sealed mail in another window over the same folder', async () => {
    await using second = await bob.window();
    const { messages, coverage } = await second.search({ query: 'quetzalcoatl OR harbour', limit: 5 });
    assert.deepEqual(messages.map(({ subject }) => subject).toSorted(), ['Lunch on Friday', 'Zanzibar protocol']);
    assert.deepEqual(coverage, { indexed: 1, total: 1 });
  });

  it('points at what is wrong with a query, and completes one', async () => {
    await assert.rejects(bob.engine.search({ query: 'a form:alice', limit: 5 }), { code: 'search.unknown-operator' });
    assert.deepEqual(
      (await bob.engine.checkQuery({ query: 'is:happy' })).map(({ code, from, to }) => [code, from, to]),
      [['search.bad-value', 3, 8]],
    );
    const texts = async (text: string) => (await bob.engine.completeQuery({ text, at: text.length })).map((suggestion) => suggestion.text);
    assert.deepEqual(await texts('fr'), ['from:']);
    assert.deepEqual(await texts('is:unr'), ['unread']);
    assert.deepEqual(await texts('in:inb'), ['INBOX']);
    assert.deepEqual(await texts('a from:ali'), [alice.email]);
    assert.deepEqual(await texts('account:bob'), [bob.email]);
  });

  it('keeps searches with their counts, sealed, and tells when those change', async () => {
    const { id } = await bob.engine.saveSearch({ name: 'Zanzibar', query: 'zanzibar is:unread' });
    assert.deepEqual(await bob.engine.listSavedSearches(), [{ id, name: 'Zanzibar', query: 'zanzibar is:unread', total: 1, unread: 1 }]);
    const told = Promise.withResolvers<void>();
    const listening = bob.engine.onEvent((event: QuMailEvent) => event.kind === 'saved-searches' && told.resolve());
    const message = await bob.receives('Zanzibar protocol');
    await bob.engine.setFlags({ messageIds: [message.summary.id], add: ['seen'], remove: [] });
    await told.promise;
    listening.dispose();
    assert.equal((await bob.engine.listSavedSearches())[0]?.total, 0);
    await bob.reopen();
    assert.equal((await bob.engine.listSavedSearches())[0]?.name, 'Zanzibar');
    await assert.rejects(bob.engine.saveSearch({ name: 'x', query: '(a' }), { code: 'search.unclosed-parenthesis' });
    await bob.engine.deleteSearch({ id });
    assert.deepEqual(await bob.engine.listSavedSearches(), []);
    await assert.rejects(bob.engine.deleteSearch({ id }), { code: 'search.missing' });
  });

  it('puts question and answer into one conversation, the own answer in Sent included', async () => {
    await reply(bob, 'Lunch on Friday', 'yes, at noon');
    await alice.receives('Re: Lunch on Friday');
    await reply(alice, 'Re: Lunch on Friday', 'see you');
    const last = (await bob.receives('Re: Lunch on Friday')).summary;
    await bob.list('Sent');
    const thread = await bob.engine.getThread({ messageId: last.id });
    assert.deepEqual(
      thread.map(({ subject, folder }) => [subject, folder]),
      [
        ['Lunch on Friday', 'INBOX'],
        ['Re: Lunch on Friday', 'Sent'],
        ['Re: Lunch on Friday', 'INBOX'],
      ],
    );
    const { threads } = await bob.engine.getThreadList({ accountId: bob.account.id, folder: 'INBOX', limit: 10 });
    assert.deepEqual(
      threads.map(({ newest, count }) => [newest.subject, count]),
      [
        ['Re: Lunch on Friday', 3],
        ['Zanzibar protocol', 1],
      ],
    );
    assert.deepEqual(
      threads[0]?.participants.map(({ address }) => address),
      [alice.email, bob.email],
    );
    const { threads: first, next } = await bob.engine.getThreadList({ accountId: bob.account.id, folder: 'INBOX', limit: 1 });
    const rest = await bob.engine.getThreadList({ accountId: bob.account.id, folder: 'INBOX', limit: 1, before: next! });
    assert.deepEqual(
      [...first, ...rest.threads].map(({ threadId }) => threadId),
      threads.map(({ threadId }) => threadId),
    );
  });

  it('joins sealed answers by what stands inside them, without a word of that on the disk', async () => {
    await reply(bob, 'Zanzibar protocol', 'agreed');
    const answer = (await alice.receives('Re: Zanzibar protocol')).summary;
    await alice.list('Sent');
    await alice.engine.search({ query: 'zanzibar', limit: 5 });
    const thread = await alice.engine.getThread({ messageId: answer.id });
    assert.deepEqual(
      thread.map(({ subject, folder }) => [subject, folder]),
      [
        ['Zanzibar protocol', 'Sent'],
        ['Re: Zanzibar protocol', 'INBOX'],
      ],
    );
  });

  it('asks the server for what is not here, and lists what it finds', async () => {
    const carol = await world.person('carol');
    await carol.signInWithPassword();
    await bob.send({ To: carol.email, Subject: 'Größe des Hafens', Security: 'L4' }, 'Überraschung am Kai\n');
    await carol.receives('Größe des Hafens');
    const ask = (query: string) => carol.engine.searchServer({ query, accountId: carol.account.id, limit: 10 });
    for (const query of [
      'subject:"Größe des Hafens"',
      'from:bob body:Kai',
      'Kai Überraschung after:2020',
      'Kai OR nowhere',
      'Kai -nowhere',
      'is:unread',
      'in:INBOX Kai',
    ])
      assert.deepEqual(
        (await ask(query)).messages.map(({ subject }) => subject),
        ['Größe des Hafens'],
        query,
      );
    assert.deepEqual((await ask('body:nowhere')).messages, []);
    await assert.rejects(ask('level:L2'), { code: 'search.server-cannot' });
  });

  it('asks no server of an account that the query leaves out', async () => {
    const carol = world.people.at(-1)!;
    const ask = async (query: string): Promise<string[]> => {
      const { messages, complete } = await carol.engine.searchServer({ query, accountId: carol.account.id, limit: 10 });
      assert.equal(complete, true);
      return messages.map(({ subject }) => subject);
    };
    const unconnected = world.imapProxy.total;
    for (const query of ['account:bob Kai', '-account:carol Kai', '(account:bob OR account:alice) Kai'])
      assert.deepEqual(await ask(query), []);
    assert.equal(world.imapProxy.total, unconnected);
    for (const query of [
      'account:carol Kai',
      'account:carol@example Kai',
      '-account:bob Kai',
      'account:bob OR Kai',
      '(account:bob OR account:carol) Kai',
    ])
      assert.deepEqual(await ask(query), ['Größe des Hafens'], query);
  });

  it('forgets what it indexed of an account that signs out', async () => {
    const carol = world.people.at(-1)!;
    assert.equal((await find(carol, 'Kai')).length, 1);
    await carol.engine.signOut({ accountId: carol.account.id });
    assert.deepEqual(await find(carol, 'Kai'), []);
  });
});
