import assert from 'node:assert/strict';
import { A, Client, FOLDERS } from './actionsHistories.ts';
import { ModelImap } from './modelImap.ts';

/** A move or a removal waits, and the folder's UIDs change their meaning before the server hears of it. */
async function renumbered(act: 'move' | 'delete', then: 'tell' | 'undo'): Promise<void> {
  const server = new ModelImap({ move: true, uidplus: false });
  for (const name of FOLDERS) server.create(name);
  const folder = act === 'move' ? 'INBOX' : 'Trash';
  // The last looks like the one before it in everything.
  for (const [tag, id] of [0, 1, 2, 2].entries()) server.deliver(folder, { tag, rfcMessageId: `<${id}@x>`, size: 100, flags: new Set() });
  const client = new Client(server);
  client.syncAll();
  const listed = (): string[] =>
    FOLDERS.flatMap((path) => client.list(path).map(({ rfcMessageId }) => `${path} ${rfcMessageId}`)).toSorted();
  const rowOf = (id: string): number => client.list(folder).find(({ rfcMessageId }) => rfcMessageId === id)!.id;
  await client.actions.moveMessages({ messageIds: [rowOf('<2@x>')], folder: 'Two' });
  const before = listed();
  const messageIds = [rowOf('<0@x>')];
  const { actionId } =
    act === 'move' ? await client.actions.moveMessages({ messageIds, folder: 'One' }) : await client.actions.removeForGood({ messageIds });
  const shown = listed();
  server.renumber(folder);
  client.sync(folder);
  assert.deepEqual(listed(), shown, 'listed once, where it was put');
  client.restart();
  client.sync(folder);
  assert.deepEqual(listed(), shown, 'after a restart as well');
  if (then === 'undo') {
    await client.actions.undoAction({ actionId });
    client.syncAll();
    assert.deepEqual(listed(), before, 'back where it was');
  } else {
    client.state = 'online';
    await client.replay.run(A);
    client.syncAll();
    assert.deepEqual(listed(), shown, 'as the server has it');
    assert.deepEqual(client.journal.open(A), []);
  }
  client.replay.dispose();
}

describe('actions whose folder is renumbered meanwhile', function () {
  this.timeout(10_000);
  for (const act of ['move', 'delete'] as const)
    for (const then of ['tell', 'undo'] as const)
      it(`list a message once whose folder is renumbered before the server hears of its ${act}, and ${then === 'tell' ? 'when it has' : 'again when that is undone'}`, () =>
        renumbered(act, then));
});

describe('a row without a place', () => {
  it('that a process left behind gets its own with the next action that is told', async () => {
    const server = new ModelImap({ move: true, uidplus: true });
    for (const name of FOLDERS) server.create(name);
    for (const tag of [0, 1]) server.deliver('INBOX', { tag, rfcMessageId: `<${tag}@x>`, size: 100, flags: new Set() });
    const client = new Client(server);
    client.syncAll();
    const [first, second] = client.list('INBOX');
    client.state = 'online';
    await client.actions.moveMessages({ messageIds: [first!.id], folder: 'One' });
    await client.replay.run(A);
    client.shown.place(first!.id, A, 'One', -first!.id);
    await client.actions.setFlags({ messageIds: [second!.id], add: ['flagged'], remove: [] });
    await client.replay.run(A);
    assert.deepEqual(client.shown.placeless(A), []);
    assert.deepEqual(
      client.list('One').map(({ id, uid }) => [id, uid]),
      [[first!.id, 1]],
    );
    client.replay.dispose();
  });
});

describe('a server that says a move was carried out', function () {
  /** Two messages on their way to another folder, of which the server moves none so many times. */
  async function untrue(times: number): Promise<{ server: ModelImap; client: Client }> {
    const server = new ModelImap({ move: true, uidplus: true });
    for (const name of FOLDERS) server.create(name);
    for (const tag of [0, 1]) server.deliver('INBOX', { tag, rfcMessageId: `<${tag}@x>`, size: 100, flags: new Set() });
    const client = new Client(server);
    client.syncAll();
    await client.actions.moveMessages({ messageIds: client.list('INBOX').map(({ id }) => id), folder: 'One' });
    server.unmoved = times;
    client.state = 'online';
    await client.replay.run(A);
    client.syncAll();
    client.replay.dispose();
    return { server, client };
  }

  it('is asked again where it was not', async () => {
    const { server, client } = await untrue(2);
    assert.deepEqual([server.folders.get('INBOX')!.messages.size, server.folders.get('One')!.messages.size], [0, 2]);
    assert.equal(client.list('One').length, 2);
    assert.deepEqual(client.journal.open(A), []);
  });

  it('is believed no longer after a few times: the messages are shown where they are, and the action has failed', async () => {
    const { client } = await untrue(100);
    assert.equal(client.list('INBOX').length, 2);
    assert.deepEqual(
      (await client.actions.listPendingActions()).map(({ state }) => state),
      ['failed'],
    );
  });
});
